import { describe, expect, it } from 'vitest';
import { SessionCookie, type SessionCookieOptions, sessions } from '../../src/hono.ts';
import type { SessionToken } from '../../src/index.ts';
import { SessionError, SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

const TOKEN = `${'A'.repeat(22)}.${'B'.repeat(42)}A` as SessionToken;

describe('the cookie', () => {
  it.each<[SessionCookieOptions, string]>([
    [{}, '__Host-sid=T; Path=/; HttpOnly; Secure; SameSite=Lax'],
    [{ secure: false }, 'sid=T; Path=/; HttpOnly; SameSite=Lax'],
    [{ sameSite: 'Strict' }, '__Host-sid=T; Path=/; HttpOnly; Secure; SameSite=Strict'],
    [
      { sameSite: 'None', partitioned: true },
      '__Host-sid=T; Path=/; HttpOnly; Secure; SameSite=None; Partitioned',
    ],
    [
      { domain: 'example.com' },
      '__Secure-sid=T; Path=/; Domain=example.com; HttpOnly; Secure; SameSite=Lax',
    ],
    [
      { domain: '.example.com', secure: false },
      'sid=T; Path=/; Domain=example.com; HttpOnly; SameSite=Lax',
    ],
    [{ path: '/shop' }, '__Secure-sid=T; Path=/shop; HttpOnly; Secure; SameSite=Lax'],
    [{ prefix: '' }, 'sid=T; Path=/; HttpOnly; Secure; SameSite=Lax'],
    [{ prefix: '__Secure-', name: 'id' }, '__Secure-id=T; Path=/; HttpOnly; Secure; SameSite=Lax'],
    // A name that says its prefix already is taken at its word.
    [{ name: '__Host-sid' }, '__Host-sid=T; Path=/; HttpOnly; Secure; SameSite=Lax'],
    [{ name: '__Secure-sid' }, '__Secure-sid=T; Path=/; HttpOnly; Secure; SameSite=Lax'],
    [{ name: 'connect.sid', secure: false }, 'connect.sid=T; Path=/; HttpOnly; SameSite=Lax'],
  ])('with %j is %s, and is cleared with the same attributes', (options, expected) => {
    const cookie = new SessionCookie(options);
    expect(cookie.set(TOKEN)).toBe(expected.replace('=T;', `=${TOKEN};`));
    expect(cookie.set(TOKEN, 60)).toBe(expected.replace('=T;', `=${TOKEN}; Max-Age=60;`));
    expect(cookie.clear()).toBe(expected.replace('=T;', '=; Max-Age=0;'));
    expect(cookie.read(`a=b; ${cookie.name}=${TOKEN}`)).toBe(TOKEN);
  });

  it.each<[string, object, RegExp]>([
    ['a space in the name', { name: 'my sid' }, /"my sid" is not a cookie name/],
    ['an empty name', { name: '' }, /not a cookie name/],
    ['a name that ends the cookie', { name: 'sid;x' }, /not a cookie name/],
    ['a name with a line break', { name: 'sid\r\nX: y' }, /not a cookie name/],
    ['a name outside of ASCII', { name: 'sitzung-ü' }, /not a cookie name/],
    ['a name that no browser keeps', { name: 'x'.repeat(5000) }, /not a cookie name/],
    ['a prefix in other letters', { name: '__HOST-sid' }, /__HOST-/],
    ['two prefixes', { name: '__Host-sid', prefix: '__Secure-' }, /contradicts/],
    ['None without Secure', { secure: false, sameSite: 'None' }, /sameSite: None needs secure/],
    [
      'Partitioned without Secure',
      { secure: false, partitioned: true },
      /partitioned needs secure/,
    ],
    ['__Host- without Secure', { secure: false, prefix: '__Host-' }, /needs secure/],
    ['__Host- in the name without Secure', { secure: false, name: '__Host-sid' }, /needs secure/],
    ['__Secure- without Secure', { secure: false, prefix: '__Secure-' }, /needs secure/],
    ['__Host- with a domain', { prefix: '__Host-', domain: 'example.com' }, /no domain/],
    ['__Host- with another path', { name: '__Host-sid', path: '/shop' }, /path \//],
    ['an unknown prefix', { prefix: '__Best-' }, /prefix must be/],
    ['an unknown SameSite', { sameSite: 'lax' }, /sameSite must be/],
    ['a domain that is a URL', { domain: 'https://example.com' }, /domain must be/],
    ['a domain with a port', { domain: 'example.com:443' }, /domain must be/],
    ['a top-level domain', { domain: 'com' }, /domain must be/],
    ['an address as domain', { domain: '127.0.0.1' }, /domain must be/],
    ['an empty domain', { domain: '' }, /domain must be/],
    ['a domain that adds attributes', { domain: 'example.com; Path=/x' }, /domain must be/],
    ['a path without /', { path: 'shop' }, /path must begin/],
    ['a path that adds attributes', { path: '/; Domain=evil.example' }, /path must begin/],
    ['a path with a line break', { path: '/a\nb' }, /path must begin/],
  ])('%s is refused at construction', (_what, options, message) => {
    const make = () => new SessionCookie(options as SessionCookieOptions);
    expect(make).toThrow(SessionError);
    expect(make).toThrow(expect.objectContaining({ code: 'invalid_option' }));
    expect(make).toThrow(message);
  });

  it('is refused where the middleware is made, before any request', () => {
    const service = new SessionService({ repository: new MemorySessionRepository() });
    expect(() => sessions({ service, cookie: { name: 'my sid' } })).toThrow(/"my sid"/);
  });

  it.each([undefined, null, '', 'sid', '%', `__host-sid=${TOKEN}`, `__Host-sid=${TOKEN}x`])(
    'reads no token from %j',
    (header) => {
      expect(new SessionCookie().read(header)).toBeUndefined();
    },
  );

  it('reads no token where there are two different ones', () => {
    const other = `${'C'.repeat(21)}A.${'B'.repeat(42)}A`;
    const header = `__Host-sid=${TOKEN}; __Host-sid=${other}`;
    expect(new SessionCookie().read(header)).toBeUndefined();
    expect(new SessionCookie().presented(header)).toBe('ambiguous');
  });
});
