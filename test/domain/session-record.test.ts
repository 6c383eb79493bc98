import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Session } from '../../src/domain/session.ts';
import { decodeSession, encodeSession, isReserved } from '../../src/domain/session-record.ts';
import type { SessionId } from '../../src/domain/session-token.ts';

const ID = 'abcdefghijklmnopqrstuQ' as SessionId; // has the shape
const CREATED = '2026-04-02T12:34:56+00:00';
const ACCESSED = '2026-04-02T12:40:00+00:00';
const own = { created_at: CREATED, last_accessed_at: ACCESSED, session_ttl: '60' };

const decode = (record: Readonly<Record<string, string>>) =>
  decodeSession(ID, Object.entries(record).flat(), 5000);

describe('decoding a record', () => {
  it('tells the session apart from the fields of the application', () => {
    const record = {
      ...own,
      session_user: 'ada',
      session_deadline: '1775140000000',
      cart: '3 books',
    };
    expect(decode(record)).toEqual({
      id: ID,
      user: 'ada',
      fields: { cart: '3 books' },
      createdAt: CREATED,
      lastAccessedAt: ACCESSED,
      ttl: 60,
      remainingMs: 5000,
      endsAt: 1_775_140_000_000,
      authenticatedAt: undefined,
      persistent: false,
      device: {},
    });
  });

  it('does without an owner, a lifetime and fields', () => {
    expect(decode(own)).toMatchObject({ user: undefined, endsAt: undefined, fields: {} });
  });

  it('leaves the secret and every other name of ours behind', () => {
    const session = decode({ ...own, session_secret: 'c2VjcmV0', session_later: 'version' });
    expect(JSON.stringify(session)).not.toMatch(/c2VjcmV0|version/);
  });

  it.each(['created_at', 'last_accessed_at', 'session_ttl'] as const)(
    'finds no session without %s',
    (name) => {
      const { [name]: _, ...record } = own;
      expect(decode(record)).toBeUndefined();
    },
  );

  it.each(['', 'abc', '0', 'NaN'])('finds no session with a session_ttl of %j', (session_ttl) => {
    expect(decode({ ...own, session_ttl })).toBeUndefined();
  });

  it.each([
    ['session_ttl', '-5'],
    ['session_ttl', '0x10'],
    ['session_ttl', '3162240001'], // more than a hundred years
    ['session_deadline', 'nan'],
    ['session_deadline', '0'],
    ['session_deadline', ''],
    ['session_previous_until', 'inf'],
    ['session_previous_until', ' 5'],
  ])('finds no session with a %s of %j', (name, value) => {
    expect(decode({ ...own, [name]: value })).toBeUndefined();
  });

  it('finds no session in an empty record', () => {
    expect(decodeSession(ID, [], 5000)).toBeUndefined();
  });

  it('gives fields no prototype, so that any name is just a name', () => {
    const session = decodeSession(ID, [...Object.entries(own).flat(), '__proto__', 'x'], 5000);
    expect(Object.entries(session?.fields ?? {})).toEqual([['__proto__', 'x']]);
    expect(decode(own)?.fields.toString).toBeUndefined();
  });
});

describe('encoding a session', () => {
  it('gives the record as the store holds it, but for what is derived from secrets', () => {
    const record = {
      ...own,
      session_deadline: '1775140000000',
      session_user: 'ada',
      cart: '3 books',
    };
    const kept = {
      session_secret: 'x',
      session_previous_secret: 'x',
      session_previous_until: '0',
      session_replaced: 'x',
      session_replaced_until: '0',
    };
    expect(encodeSession(decode({ ...record, ...kept }) as Session)).toEqual(record);
  });

  it('is undone by decoding, whatever the fields are', () => {
    const name = fc.string({ unit: 'grapheme' }).filter((text) => !isReserved(text));
    const names = fc.oneof(name, fc.constantFrom('__proto__', 'constructor', 'hasOwnProperty'));
    const session = fc.record({
      user: fc.option(fc.string(), { nil: undefined }),
      fields: fc.dictionary(names, fc.string({ unit: 'grapheme' }), { noNullPrototype: false }),
      ttl: fc.integer({ min: 1, max: 2_592_000 }),
      endsAt: fc.option(fc.integer({ min: 1, max: 2 ** 50 }), { nil: undefined }),
      authenticatedAt: fc.constantFrom(undefined, ACCESSED),
      persistent: fc.boolean(),
      device: fc.constantFrom({}, { label: 'Firefox', userAgent: 'x', address: '192.0.2.1' }),
    });
    fc.assert(
      fc.property(session, (values) => {
        const before = {
          ...values,
          id: ID,
          createdAt: CREATED,
          lastAccessedAt: ACCESSED,
          remainingMs: 5000,
        };
        const after = decode(encodeSession(before)) as Session;
        expect({ ...after, fields: Object.entries(after.fields) }).toEqual({
          ...before,
          fields: Object.entries(before.fields),
        });
      }),
    );
  });
});

describe('reserved names', () => {
  it.each(['created_at', 'last_accessed_at', 'session_ttl', 'session_', 'session_x'])(
    'include %s',
    (name) => {
      expect(isReserved(name)).toBe(true);
    },
  );

  it.each([
    '',
    'session',
    'Session_ttl',
    ' session_ttl',
    'sessions',
    'created_at ',
    'CREATED_AT',
    'username',
  ])('do not include %j', (name) => {
    expect(isReserved(name)).toBe(false);
  });
});
