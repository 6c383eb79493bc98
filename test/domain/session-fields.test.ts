import { describe, expect, it } from 'vitest';
import {
  checkField,
  checkFields,
  checkUnset,
  checkUser,
  checkValue,
  exceededLimit,
  type FieldValues,
} from '../../src/domain/session-fields.ts';
import { defaultPolicy } from '../../src/domain/session-policy.ts';

const limits = { maxFields: 3, maxNameBytes: 8, maxValueBytes: 6, maxTotalBytes: 20 };
const RESERVED = [
  'created_at',
  'last_accessed_at',
  'session_ttl',
  'session_secret',
  'session_',
  'session_anything',
];
const LONE_SURROGATES = ['\ud800', '\udc00', 'a\ud800b', '\udc00\ud800'];
const NO_TEXT = [undefined, null, 1, true, {}, ['a'], Symbol('x')];

it('one update removes ten thousand fields at most, each counted once and reserved ones not at all', () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `f${i}`);
  expect(checkUnset([...names, 'f1', ...RESERVED], limits).size).toBe(10_000);
  const tooMany = expect.objectContaining({ code: 'too_many_fields' });
  expect(() => checkUnset([...names, 'one'], limits)).toThrow(tooMany);
});

describe('the fields of a session', () => {
  it('are the given names and values without the reserved names', () => {
    const data = {
      a: '1',
      created_at: 'x',
      session_ttl: '9',
      session_x: 'y',
      last_accessed_at: 'z',
      b: '',
    };
    expect([...checkFields(data, limits)]).toEqual([
      ['a', '1'],
      ['b', ''],
    ]);
  });

  it('are not checked where they are reserved, since they are not kept', () => {
    expect(checkFields({ session_x: 'far too long' } as FieldValues, limits).size).toBe(0);
  });

  it('may have any name that plain objects find special', () => {
    const data = JSON.parse('{"__proto__":"1","toString":"2"}') as FieldValues;
    const named = checkFields(data, { ...limits, maxNameBytes: 16 });
    expect([...named.keys()]).toEqual(['__proto__', 'toString']);
  });

  it('are refused with the name of the one that is wrong, never with its value', () => {
    expect(() => checkFields({ a: 'secret!' }, limits)).toThrow(
      expect.objectContaining({
        code: 'invalid_value',
        message: 'The value of "a" must be well-formed text of at most 6 bytes.',
      }),
    );
  });
});

describe('a field name', () => {
  it.each([
    'a',
    '12345678',
    'éééé',
    '👋👋',
    ' ',
    '\0',
    '\n',
    'session',
    'Session_',
    '_session',
    'created',
  ])('may be %j', (name) => {
    expect(checkField(name, limits)).toBe(name);
  });

  it.each(RESERVED)('%j is reserved', (name) => {
    expect(() => checkField(name, defaultPolicy.limits)).toThrow(
      expect.objectContaining({ code: 'reserved_field' }),
    );
  });

  it.each(['', '123456789', 'ééééé', '👋👋👋', ...LONE_SURROGATES, ...NO_TEXT])(
    'may not be %o',
    (name) => {
      expect(() => checkField(name as string, limits)).toThrow(
        expect.objectContaining({ code: 'invalid_field' }),
      );
    },
  );

  it('is measured in UTF-8 bytes', () => {
    expect(() => checkFields({ ['é'.repeat(4)]: '' }, limits)).not.toThrow();
    expect(() => checkFields({ ['é'.repeat(5)]: '' }, limits)).toThrow(
      expect.objectContaining({ code: 'invalid_field' }),
    );
  });
});

describe('a value', () => {
  it.each(['', 'abcdef', 'ééé', '€€', '👋', '\u0000\r\n', '\ufffd'])('may be %j', (value) => {
    expect(checkValue('a', value, limits)).toBe(value);
  });

  it.each(['abcdefg', 'éééé', '€€€', '👋👋', ...LONE_SURROGATES, ...NO_TEXT])(
    'may not be %o',
    (value) => {
      expect(() => checkValue('a', value as string, limits)).toThrow(
        expect.objectContaining({ code: 'invalid_value' }),
      );
    },
  );
});

describe('a value that is no text', () => {
  it.each<[unknown, string, string]>([
    [{ password: 'hunter2' }, 'an object', 'json()'],
    [['hunter2'], 'an array', 'json()'],
    [new Date(0), 'a Date', 'json()'],
    [12345, 'a number', 'integer()'],
    [false, 'a boolean', 'boolean()'],
    [undefined, 'undefined', 'unset'],
    [null, 'null', 'unset'],
  ])(
    'is refused with what it is and how to keep it, not with what is in it: %o',
    (value, kind, advice) => {
      expect(() => checkFields({ a: value as string }, limits)).toThrow(
        expect.objectContaining({
          code: 'invalid_value',
          message: expect.stringMatching(
            new RegExp(
              `^The value of "a" must be text, not ${kind}\\. .*${advice.replace('()', '..')}`,
            ),
          ),
        }),
      );
      expect(() => checkValue('a', value as string, limits)).toThrow(/^(?!.*(hunter2|12345|1970))/);
    },
  );
});

describe("an owner's name", () => {
  it.each(['ada', ' ', 'é'.repeat(128), 'x'.repeat(256), 'session_user'])('may be %j', (user) => {
    expect(checkUser(user)).toBe(user);
  });

  it.each(['', 'é'.repeat(129), 'x'.repeat(257), ...LONE_SURROGATES, ...NO_TEXT])(
    'may not be %o',
    (user) => {
      expect(() => checkUser(user as string)).toThrow(
        expect.objectContaining({ code: 'invalid_user' }),
      );
    },
  );
});

describe('the limits on a whole session', () => {
  const exceeded = (fields: Record<string, string>) =>
    exceededLimit(Object.entries(fields), limits);

  it('count application fields and the bytes of their names and values', () => {
    expect(exceeded({})).toBeUndefined();
    expect(exceeded({ a: '', b: '', c: '' })).toBeUndefined();
    expect(exceeded({ a: '', b: '', c: '', d: '' })).toBe('too_many_fields');
    expect(exceeded({ a: 'x'.repeat(19) })).toBeUndefined();
    expect(exceeded({ a: 'x'.repeat(20) })).toBe('too_large');
    expect(exceeded({ é: 'é'.repeat(9) })).toBeUndefined();
    expect(exceeded({ é: `${'é'.repeat(9)}x` })).toBe('too_large');
  });

  it('do not count what Sojourn keeps for itself', () => {
    const own = Object.fromEntries(RESERVED.map((name) => [name, 'x'.repeat(100)]));
    expect(exceeded({ ...own, a: '1', b: '2', c: '3' })).toBeUndefined();
  });
});
