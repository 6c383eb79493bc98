import { describe, expect, it } from 'vitest';
import { type CrossSiteOptions, crossSiteCheck, type RequestHead } from '../../src/hono.ts';

type Headers = Readonly<Record<string, string>>;

function head(headers: Headers, url: string, method: string): RequestHead {
  const fields = new Map(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return { method, url, header: (name) => fields.get(name.toLowerCase()) };
}

/** Why a POST to that URL with these headers is refused. */
function refusal(
  headers: Headers,
  options: CrossSiteOptions = {},
  { url = 'http://internal:3000/login', method = 'POST' } = {},
): string | undefined {
  return crossSiteCheck(options)(head(headers, url, method));
}

const shop = { Origin: 'https://shop.example' };
const proxied = { trustProxy: true };

describe('a request from its own origin passes', () => {
  it.each<[string, Headers, CrossSiteOptions]>([
    ['of the host', { ...shop, Host: 'shop.example' }, {}],
    ['of a host in capitals', { ...shop, Host: 'Shop.Example' }, {}],
    ['of a host with the default port', { ...shop, Host: 'shop.example:443' }, {}],
    ['of plain http with port 80', { Origin: 'http://shop.example', Host: 'shop.example:80' }, {}],
    ['of another port', { Origin: 'http://shop.example:81', Host: 'shop.example:81' }, {}],
    ['of an IPv6 address', { Origin: 'http://[::1]:8080', Host: '[::1]:8080' }, {}],
    ['of a forwarded host', { ...shop, 'X-Forwarded-Host': 'shop.example' }, proxied],
    [
      'of the first forwarded host',
      { ...shop, 'X-Forwarded-Host': 'shop.example, inner' },
      proxied,
    ],
    [
      'of a forwarded host with the default port',
      { ...shop, 'X-Forwarded-Host': 'shop.example:443' },
      proxied,
    ],
    ['of a forwarded host in capitals', { ...shop, 'X-Forwarded-Host': 'Shop.Example' }, proxied],
    [
      'of a forwarded host and scheme',
      { ...shop, 'X-Forwarded-Host': 'shop.example', 'X-Forwarded-Proto': 'https, http' },
      proxied,
    ],
    [
      'of a scheme in capitals',
      { ...shop, Host: 'shop.example', 'X-Forwarded-Proto': 'HTTPS' },
      proxied,
    ],
    [
      'of an empty forwarded host',
      { ...shop, Host: 'shop.example', 'X-Forwarded-Host': '' },
      proxied,
    ],
    [
      'of Forwarded',
      { ...shop, Forwarded: 'for=192.0.2.1;proto=https;host=shop.example' },
      proxied,
    ],
    [
      'of Forwarded, quoted',
      { ...shop, Forwarded: 'for="[::1]:1, 2"; Host="shop.example:443", host=inner' },
      proxied,
    ],
    [
      'of Forwarded, its first element',
      { ...shop, Forwarded: 'host=shop.example, host=inner;proto=http' },
      proxied,
    ],
  ])('%s: %j', (_what, headers, options) => {
    expect(refusal(headers, options)).toBeUndefined();
  });

  it('of the URL, which has the :authority of HTTP/2 where there is no Host', () => {
    expect(refusal(shop, {}, { url: 'https://shop.example/login' })).toBeUndefined();
  });

  it.each(['same-origin', 'none'])('that the browser calls %s', (site) => {
    expect(refusal({ ...shop, 'Sec-Fetch-Site': site, Host: 'other' })).toBeUndefined();
  });

  it('without any word of a browser', () => {
    expect(refusal({ Host: 'shop.example' })).toBeUndefined();
  });
});

describe('a request from another origin is refused', () => {
  it.each<[string, Headers, CrossSiteOptions]>([
    ['another host', { Origin: 'https://evil.example', Host: 'shop.example' }, {}],
    ['a host that begins alike', { ...shop, Host: 'shop.example.evil' }, {}],
    ['another port', { ...shop, Host: 'shop.example:8443' }, {}],
    [
      'another scheme',
      { Origin: 'http://shop.example', Host: 'shop.example', 'X-Forwarded-Proto': 'https' },
      proxied,
    ],
    [
      'a later entry of a forwarded host',
      { ...shop, 'X-Forwarded-Host': 'inner, shop.example' },
      proxied,
    ],
    [
      'a later element of Forwarded',
      { ...shop, Forwarded: 'host=inner, host=shop.example' },
      proxied,
    ],
    [
      'a forwarded host of nobody',
      { ...shop, Host: 'inner', 'X-Forwarded-Host': 'shop.example' },
      {},
    ],
    ['Forwarded by nobody', { ...shop, Host: 'inner', Forwarded: 'host=shop.example' }, {}],
    ['another site', { ...shop, 'Sec-Fetch-Site': 'cross-site', Host: 'shop.example' }, {}],
    ['a sibling host', { ...shop, 'Sec-Fetch-Site': 'same-site', Host: 'shop.example' }, {}],
    [
      'another site without an origin',
      { 'Sec-Fetch-Site': 'cross-site', Host: 'shop.example' },
      {},
    ],
    ['null', { Origin: 'null', Host: 'shop.example' }, {}],
    ['an empty origin', { Origin: '', Host: 'shop.example' }, {}],
    ['an origin with a path', { Origin: 'https://shop.example/x', Host: 'shop.example' }, {}],
    [
      'an origin with a user',
      { Origin: 'https://shop.example@evil.example', Host: 'evil.example' },
      {},
    ],
    [
      'the same host under a scheme of its own',
      { Origin: 'capacitor://shop.example', Host: 'shop.example' },
      {},
    ],
    ['a Host that is none', { ...shop, Host: 'x/?shop.example' }, {}],
  ])('%s: %j', (_what, headers, options) => {
    expect(refusal(headers, options)).toMatch(/^Cross-site request refused: /);
  });

  it.each(['a b', 'shop.example:99999', '', '[', 'undefined', '%'])(
    'of a request whose host is %j, of which no URL can be made',
    (host) => {
      const headers = { ...shop, Host: host, Upgrade: 'websocket' };
      const sent = { url: `http://${host}/socket`, method: 'GET' };
      expect(refusal(headers, {}, sent)).toContain('https://shop.example');
      expect(refusal(headers, proxied, sent)).toContain('https://shop.example');
      expect(refusal({ Upgrade: 'websocket' }, {}, sent)).toBeUndefined();
    },
  );

  it('as plain http is another origin than the https that the server speaks itself', () => {
    const headers = { Origin: 'http://shop.example', Host: 'shop.example' };
    expect(refusal(headers, {}, { url: 'https://shop.example/' })).toBeDefined();
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'QUERY', 'PROPFIND', 'post'])(
    'by %s',
    (method) => {
      const headers = { Origin: 'https://evil.example', Host: 'shop.example' };
      expect(refusal(headers, {}, { url: 'http://shop.example/', method })).toBeDefined();
      expect(
        refusal(
          { Host: 'shop.example', 'Sec-Fetch-Site': 'cross-site' },
          {},
          { url: 'http://x/', method },
        ),
      ).toBeDefined();
    },
  );

  it.each(['GET', 'HEAD', 'OPTIONS'])('but not by %s, which changes nothing', (method) => {
    const headers = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' };
    expect(refusal(headers, {}, { url: 'http://shop.example/', method })).toBeUndefined();
  });

  it.each<[string, Headers]>([
    ['Upgrade', { Upgrade: 'websocket' }],
    ['Upgrade in capitals', { Upgrade: 'WebSocket' }],
    ['one of several upgrades', { Upgrade: 'h2c, websocket' }],
  ])('by a GET that opens a socket: %s', (_what, upgrade) => {
    const options = { url: 'http://shop.example/', method: 'GET' };
    const evil = { Origin: 'http://evil.example', Host: 'shop.example', ...upgrade };
    expect(refusal(evil, {}, options)).toContain('http://evil.example');
    expect(refusal({ ...evil, 'Sec-Fetch-Site': 'cross-site' }, {}, options)).toBeDefined();
    const own = { Origin: 'http://shop.example', Host: 'shop.example', ...upgrade };
    expect(refusal(own, {}, options)).toBeUndefined();
    expect(refusal({ Host: 'shop.example', ...upgrade }, {}, options)).toBeUndefined(); // no browser
  });
});

describe('trusted origins', () => {
  const from = (origin: string) => ({
    Origin: origin,
    'Sec-Fetch-Site': 'cross-site',
    Host: 'api.example',
  });

  it.each<[string, readonly string[]]>([
    ['https://app.example', ['https://app.example']],
    ['https://app.example', ['https://app.example/']],
    ['https://app.example', ['HTTPS://App.Example']],
    ['https://app.example', ['https://app.example:443']],
    ['http://app.example:8080', ['https://app.example', 'http://app.example:8080']],
    ['https://a.app.example', ['https://*.app.example']],
    ['https://b.a.app.example', ['https://*.app.example/']],
    ['https://a.app.example:8443', ['https://*.App.Example:8443']],
    ['https://xn--mnchen-3ya.example', ['https://münchen.example']],
    ['capacitor://localhost', ['capacitor://localhost']],
    ['chrome-extension://abcdef', ['chrome-extension://abcdef']],
  ])('%s passes by %j', (origin, trustedOrigins) => {
    expect(refusal(from(origin), { trustedOrigins })).toBeUndefined();
  });

  it.each<[string, readonly string[]]>([
    ['http://app.example', ['https://app.example']],
    ['https://app.example:8443', ['https://app.example']],
    ['https://app.example.evil', ['https://app.example']],
    ['https://app.example', ['https://*.app.example']],
    ['https://evilapp.example', ['https://*.app.example']],
    ['http://a.app.example', ['https://*.app.example']],
    ['https://a.app.example:8443', ['https://*.app.example']],
    ['https://evil.example/.app.example', ['https://*.app.example']],
    ['null', ['https://app.example']],
  ])('%s does not pass by %j', (origin, trustedOrigins) => {
    expect(refusal(from(origin), { trustedOrigins })).toBeDefined();
  });

  it.each([
    '*',
    'app.example',
    '//app.example',
    'https://',
    'https://app.example/path',
    'https://app.example?x',
    'https://user@app.example',
    'https://app.*.example',
    'https://shop-*.example',
    'https://*',
    'https://*.',
    'https://app.example:99999',
    'https://app.example, https://other.example',
    'null',
    '',
    undefined,
    null,
    42,
  ])('%j is no origin, and is refused at construction', (entry) => {
    const make = () => crossSiteCheck({ trustedOrigins: [entry as string] });
    expect(make).toThrow(expect.objectContaining({ code: 'invalid_option' }));
    expect(make).toThrow(/https:\/\/app\.example/);
  });

  it('are a list or a function, and nothing else', () => {
    expect(() => crossSiteCheck({ trustedOrigins: 'https://app.example' as never })).toThrow(
      expect.objectContaining({ code: 'invalid_option' }),
    );
  });

  it('may be told by a function, which is given origins in one form and must answer true', () => {
    const asked: string[] = [];
    const trustedOrigins = (origin: string) => {
      asked.push(origin);
      return origin.endsWith('-shop.preview.example');
    };
    expect(refusal(from('https://pr-7-shop.preview.example'), { trustedOrigins })).toBeUndefined();
    expect(
      refusal(from('HTTPS://Pr-8-Shop.Preview.Example:443'), { trustedOrigins }),
    ).toBeUndefined();
    expect(refusal(from('https://evil.example'), { trustedOrigins })).toBeDefined();
    expect(refusal(from('null'), { trustedOrigins })).toBeDefined();
    expect(asked).toEqual([
      'https://pr-7-shop.preview.example',
      'https://pr-8-shop.preview.example',
      'https://evil.example',
    ]);
    const later = (async () => true) as unknown as () => boolean;
    expect(refusal(from('https://evil.example'), { trustedOrigins: later })).toBeDefined();
  });
});

describe('the refusal says', () => {
  it('which origin came, which one this is, and which setting allows it', () => {
    const headers = {
      Origin: 'https://app.example',
      Host: 'api.example',
      'Sec-Fetch-Site': 'cross-site',
    };
    expect(refusal(headers)).toBe(
      'Cross-site request refused: it comes from https://app.example, and this is api.example. ' +
        'If its pages may do this, add the origin to trustedOrigins.',
    );
  });

  it('that a proxy is not declared, where its header would allow the request', () => {
    expect(refusal({ ...shop, Host: 'inner', 'X-Forwarded-Host': 'shop.example' })).toContain(
      'trustProxy: true',
    );
  });

  it('what makes an origin null', () => {
    expect(refusal({ Origin: 'null', Host: 'shop.example' })).toContain(
      'Referrer-Policy: same-origin',
    );
  });

  it('nothing that a terminal would obey, and little of what is long', () => {
    const message = refusal({
      Origin: `https://evil.example/\u001b[2J\u202e${'x'.repeat(9000)}`,
      Host: 'x',
    });
    expect(message).toMatch(/^[ -~]{1,600}$/);
  });
});
