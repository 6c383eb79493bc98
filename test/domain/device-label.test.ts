import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shortUserAgent } from '../../src/domain/short-user-agent.ts';
import { deviceLabel } from '../../src/index.ts';

const BLINK = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const WEBKIT = 'AppleWebKit/605.1.15 (KHTML, like Gecko)';
const WINDOWS = '(Windows NT 10.0; Win64; x64)';
const IPHONE = '(iPhone; CPU iPhone OS 17_5_1 like Mac OS X)';

/** User-Agents as they are sent, what people call them, and what is kept of them. */
const devices: [userAgent: string, label: string, kept: string][] = [
  [
    `Mozilla/5.0 (X11; Linux x86_64) ${BLINK} Chrome/126.0.0.0 Safari/537.36`,
    'Chrome on Linux',
    'Chrome/126 (Linux x86_64)',
  ],
  [
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${BLINK} Chrome/126.0.0.0 Safari/537.36`,
    'Chrome on macOS',
    'Chrome/126 (Intel Mac OS X 10_15_7)',
  ],
  [
    `Mozilla/5.0 ${WINDOWS} ${BLINK} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.87`,
    'Edge on Windows',
    'Edg/126 (Windows NT 10.0; Win64; x64) Chrome/126',
  ],
  [
    `Mozilla/5.0 ${WINDOWS} ${BLINK} Chrome/126.0.0.0 Safari/537.36 OPR/112.0.0.0`,
    'Opera on Windows',
    'OPR/112 (Windows NT 10.0; Win64; x64) Chrome/126',
  ],
  [
    `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${BLINK} Chrome/126.0.0.0 Safari/537.36`,
    'Chrome on ChromeOS',
    'Chrome/126 (CrOS x86_64 14541.0.0)',
  ],
  [
    'Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0',
    'Firefox on Linux',
    'Firefox/127 (Ubuntu; Linux x86_64; rv:127.0)',
  ],
  [
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${WEBKIT} Version/17.5 Safari/605.1.15`,
    'Safari on macOS',
    'Safari/605 (Intel Mac OS X 10_15_7) Version/17',
  ],
  [
    `Mozilla/5.0 ${IPHONE} ${WEBKIT} Version/17.5 Mobile/15E148 Safari/604.1`,
    'Safari on iOS',
    'Safari/604 (iPhone; OS 17_5_1) Version/17 Mobile',
  ],
  [
    `Mozilla/5.0 ${IPHONE} ${WEBKIT} FxiOS/127.0 Mobile/15E148 Safari/605.1.15`,
    'Firefox on iOS',
    'FxiOS/127 (iPhone; OS 17_5_1) Mobile',
  ],
  [
    `Mozilla/5.0 ${IPHONE} ${WEBKIT} EdgiOS/126.0.2592.86 Version/17.0 Mobile/15E148 Safari/604.1`,
    'Edge on iOS',
    'EdgiOS/126 (iPhone; OS 17_5_1) Version/17 Mobile',
  ],
  [
    `Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) ${WEBKIT} CriOS/126.0.6478.35 Mobile/15E148 Safari/604.1`,
    'Chrome on iPadOS',
    'CriOS/126 (iPad; OS 17_5) Mobile',
  ],
  [
    `Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UQ1A.240205.002) ${BLINK} Chrome/126.0.6478.71 Mobile Safari/537.36`,
    'Chrome on Android',
    'Chrome/126 (Android 14; Pixel 8) Mobile',
  ],
  [
    `Mozilla/5.0 (Linux; Android 13; SM-X906C) ${BLINK} SamsungBrowser/25.0 Chrome/121.0.0.0 Safari/537.36`,
    'Samsung Internet on Android',
    'SamsungBrowser/25 (Android 13; SM-X906C) Chrome/121',
  ],
  [
    'Mozilla/5.0 (Android 14; Tablet; rv:127.0) Gecko/127.0 Firefox/127.0',
    'Firefox on Android',
    'Firefox/127 (Android 14; Tablet; rv:127.0)',
  ],
  [
    `Mozilla/5.0 ${IPHONE} ${WEBKIT} Mobile/15E148 [FBAN/FBIOS;FBAV/468.0.0.36.105;FBBV/1]`,
    'Facebook on iOS',
    'FBAN/ (iPhone; OS 17_5_1) Mobile',
  ],
  [
    `Mozilla/5.0 (X11; Linux x86_64) ${BLINK} Slack/4.38.125 Chrome/124.0.6367.207 Electron/30.0.6 Safari/537.36`,
    'An app on Linux',
    'Electron/30 (Linux x86_64) Slack/4 Chrome/124',
  ],
  [
    'MyShop/3.2.1 (com.example.myshop; build:1234; iOS 17.5.0) Alamofire/5.9.1',
    'MyShop on iOS',
    'MyShop/3 (com.example.myshop; build:1234; iOS 17.5.0)',
  ],
  [
    'Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/AP1A.240405.002)',
    'An app on Android',
    'Dalvik/2 (Android 14; Pixel 8)',
  ],
  [
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    'Googlebot',
    'Googlebot/2 (+http://www.google.com/bot.html)',
  ],
  [
    `Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) ${BLINK} Chrome/126.0.6478.71 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)`,
    'Googlebot on Android',
    'Googlebot/2 (Android 6.0.1; Nexus 5X) Chrome/126 Mobile',
  ],
  [
    'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
    'facebookexternalhit',
    'facebookexternalhit/1',
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; .NET4.0C; .NET4.0E; rv:11.0) like Gecko',
    'Internet Explorer on Windows',
    'Trident/7 (Windows NT 10.0; WOW64; .NET4.0C; .NET4.0E)',
  ],
  ['curl/8.5.0', 'curl', 'curl/8.5.0'],
  ['okhttp/4.12.0', 'okhttp', 'okhttp/4.12.0'],
  ['python-requests/2.32.3', 'python-requests', 'python-requests/2.32.3'],
  ['node', 'node', 'node'],
  ['', 'A browser', ''],
  ['Mozilla/5.0', 'A browser', 'Mozilla/5.0'],
];

describe('the label of a device', () => {
  it.each(devices)('of %s is %s', (userAgent, label) => {
    expect(deviceLabel(userAgent)).toBe(label);
  });

  it.each(devices)('of %s stays the same when it is shortened', (userAgent, label, kept) => {
    expect(shortUserAgent(userAgent, 60)).toBe(kept);
    expect(deviceLabel(kept)).toBe(label);
  });

  it('takes from the client no more than a short name', () => {
    for (const made of ['x'.repeat(5000), '<script>/1', `${'a'.repeat(30)}/1`, '\u0000/1', 'Ж/1']) {
      expect(deviceLabel(made)).toBe('A browser');
    }
    expect(deviceLabel(`${'a'.repeat(5000)}bot/1`)).toBe('A browser'); // read no further than a header is long
    expect(deviceLabel(`${'a'.repeat(500)}bot/1`)).toBe(`${'a'.repeat(20)}bot`);
  });
});

describe('a shortened User-Agent', () => {
  const words = devices.flatMap(([userAgent]) => userAgent.split(/(?=[ ;()/])|(?<=[ ;()/])/));
  const word = fc.constantFrom(
    ...words,
    'iOS',
    'a bot/',
    'Android',
    'Mac OS X',
    'é',
    '👨‍👩‍👧',
    '\ud800',
    '((',
  );
  const hostile = fc.oneof(
    fc.array(word, { maxLength: 60 }).map((parts) => parts.join('')),
    fc.array(word, { maxLength: 30 }).map((parts) => parts.join(' ')),
    fc
      .array(fc.oneof(word, fc.string({ unit: 'binary' })), { maxLength: 20 })
      .map((all) => all.join('')),
    fc
      .constantFrom(...devices.map(([userAgent]) => userAgent))
      .chain((userAgent) =>
        fc
          .tuple(fc.nat(userAgent.length), word)
          .map(([at, made]) => userAgent.slice(0, at) + made + userAgent.slice(at)),
      ),
  );

  it('fits, is well-formed, stays as it is, and has the label of the whole one', () => {
    fc.assert(
      fc.property(hostile, (userAgent) => {
        const short = shortUserAgent(userAgent, 60);
        expect(Buffer.byteLength(short)).toBeLessThanOrEqual(60);
        expect(short.isWellFormed()).toBe(true);
        expect(shortUserAgent(short, 60)).toBe(short);
        expect(deviceLabel(short)).toBe(deviceLabel(userAgent));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    `${'.'.repeat(56)} iOSx`, // cut behind the S
    `Mozilla/5.0 (Windows NT 10.0; \ud800) ${BLINK} Chrome/126.0.0.0 Safari/537.36`,
    `abc${'\u0301'.repeat(60)}`, // one word, if its letter with countless accents were left out
  ])('is no exception for %j', (userAgent) => {
    const short = shortUserAgent(userAgent, 60);
    expect(Buffer.byteLength(short)).toBeLessThanOrEqual(60);
    expect(short.isWellFormed()).toBe(true);
    expect(deviceLabel(short)).toBe(deviceLabel(userAgent));
  });

  it.each([
    ['spaces', ' '.repeat(1e6)],
    ['semicolons', `(${';'.repeat(1e6)})`],
    ['parentheses', '('.repeat(1e6)],
    ['letters', 'a'.repeat(1e6)],
    ['products', 'Mozilla/5.0 '.repeat(1e5)],
    ['hyphens', `${'-'.repeat(1e6)}bot`],
  ])('costs little for a million %s', (_what, userAgent) => {
    const began = performance.now();
    shortUserAgent(userAgent, 60);
    deviceLabel(userAgent);
    expect(performance.now() - began).toBeLessThan(500);
  });
});
