import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../src/http/request-line.ts';

function statusOf(url: string, hosts: readonly string[] = ['localhost'], httpVersion = '1.1') {
  const rawHeaders = ['Accept', 'Host', ...hosts.flatMap((host) => ['hOST', host])];
  const allows = (name: string) => name === 'localhost' || name === '[::1]';
  return refusalOf({ url, httpVersion, rawHeaders }, allows)?.status;
}

it.each([
  '/',
  '/metrics',
  '/metrics?a=%6d/../x#//',
  '/?',
  '/index.html',
  '/.well-known/x',
  '/a..b',
  '/nothing/',
  '/METRICS',
])('%s is for the application', (url) => {
  expect(statusOf(url)).toBeUndefined();
});

it.each([
  '/%6detrics',
  '/%6Detrics',
  '/metrics%20',
  '/%2e%2e/metrics',
  '/%',
  '/x/../metrics',
  '/x/..',
  '/./metrics',
  '/metrics/.',
  '/.',
  '//metrics',
  '/metrics//',
  '//',
  '/x//../metrics',
  '/\\metrics',
  '/x\\..\\metrics',
  '/metrics#x',
  '/m\u00e9trics',
  '/\u007f',
  'http://localhost/x/../metrics',
  'http://localhost//metrics',
  'http://localhost/%6detrics?x',
])('%s is written otherwise than any path here: not found', (url) => {
  expect(statusOf(url)).toBe(404);
});

it.each([
  '',
  '*',
  'metrics',
  '?x',
  'localhost:80',
  'ftp://localhost/',
  'HTTP://localhost/',
  'http:/x',
])('%j is no target', (url) => {
  expect(statusOf(url)).toBe(400);
});

describe('the Host header', () => {
  it.each(['localhost', 'LOCALHOST', 'localhost:8080', 'localhost:', '[::1]', '[::1]:80'])(
    'may be %s',
    (host) => {
      expect(statusOf('/', [host])).toBeUndefined();
    },
  );

  it.each([
    '',
    ' ',
    'a b',
    '///',
    '[',
    '[]',
    '[::1',
    '::1',
    '[::1]x',
    '@',
    'a@localhost',
    'localhost/x',
    'localhost?',
    'localhost:99999',
    'localhost:x',
    'localhost:80:80',
    'local%68ost',
    'localhost, evil.example',
    'l\u00f6calhost',
    '127.1',
    '2130706433',
    '0x7f.0.0.1',
    '[0:0:0:0:0:0:0:1]',
    'localhost\u0000',
  ])('is none if it is %j', (host) => {
    expect(statusOf('/', [host])).toBe(400);
  });

  it('must be there once, but for HTTP/1.0, which did not know it', () => {
    expect(statusOf('/healthz', [])).toBe(400);
    expect(statusOf('/healthz', [], '1.0')).toBeUndefined();
    for (const version of ['1.0', '1.1']) {
      expect(statusOf('/', ['localhost', 'localhost'], version)).toBe(400);
      expect(statusOf('/', ['localhost', 'evil.example'], version)).toBe(400);
    }
  });

  it('is the same host as in a target with one', () => {
    expect(statusOf('http://localhost:80/', ['localhost:80'])).toBeUndefined();
    expect(statusOf('http://LOCALHOST', ['localhost'])).toBeUndefined();
    expect(statusOf('https://localhost?x', ['localhost'])).toBeUndefined();
    expect(statusOf('http://evil.example/', ['localhost'])).toBe(400);
    expect(statusOf('http://localhost@evil.example/', ['localhost'])).toBe(400);
    expect(statusOf('http://localhost/', [], '1.0')).toBe(400);
  });

  it('is refused by name where it is not allowed, whatever the path', () => {
    for (const url of ['/', '/healthz', '/%6d', 'http://evil.example:80/']) {
      const rawHeaders = ['Host', 'Evil.example:80'];
      expect(refusalOf({ url, httpVersion: '1.1', rawHeaders }, () => false)).toEqual({
        status: 403,
        message:
          'The host evil.example is not allowed here; --allowed-hosts (ALLOWED_HOSTS) names the allowed ones',
      });
    }
  });
});
