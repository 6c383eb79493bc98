import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { SessionError } from '../../src/domain/errors.ts';
import {
  boolean,
  type FieldCodec,
  integer,
  json,
  type StandardSchema,
  text,
} from '../../src/domain/field-codecs.ts';

const invalid = expect.objectContaining({ name: 'SessionError', code: 'invalid_value' });

describe('a codec', () => {
  it.each<[string, FieldCodec<never>, fc.Arbitrary<unknown>]>([
    ['text', text() as FieldCodec<never>, fc.string({ unit: 'binary' })],
    ['integer', integer() as FieldCodec<never>, fc.maxSafeInteger()],
    ['boolean', boolean() as FieldCodec<never>, fc.boolean()],
    ['json', json() as FieldCodec<never>, fc.jsonValue()],
  ])('of %s gives back what it was given', (_kind, codec, values) => {
    fc.assert(
      fc.property(values, (value) => {
        const plain = JSON.parse(JSON.stringify(value)); // JSON knows no -0
        expect(codec.decode(codec.encode(plain as never))).toEqual(plain);
      }),
    );
  });

  it.each([
    ['text', text(), 1],
    ['integer', integer(), 1.5],
    ['integer', integer(), Number.NaN],
    ['integer', integer(), 2 ** 53],
    ['integer', integer(), '1'],
    ['boolean', boolean(), 'true'],
    ['json', json(), undefined],
    ['json', json(), () => 1],
  ])('of %s refuses to write what it could not read', (_kind, codec, value) => {
    expect(() => codec.encode(value as never)).toThrow(invalid);
  });

  it.each([
    ['integer', integer(), '1.0'],
    ['integer', integer(), ''],
    ['integer', integer(), '-0'],
    ['integer', integer(), '9007199254740993'],
    ['boolean', boolean(), 'yes'],
    ['json', json(), '{"broken'],
  ])(
    'of %s says clearly that a stored value does not decode, and does not quote it',
    (_kind, codec, stored) => {
      expect(() => codec.decode(stored)).toThrow(invalid);
      if (stored.length > 3) expect(() => codec.decode(stored)).not.toThrow(stored);
    },
  );

  it.each<[string, string, FieldCodec<unknown>, unknown]>([
    ['an object', 'json()', text(), { password: 'hunter2' }],
    ['an object', 'json()', text(), Object.create(null)],
    ['an object', 'json()', text(), new Map()],
    ['an array', 'json()', text(), ['hunter2']],
    ['a Date', 'json()', text(), new Date(0)],
    ['a number', 'integer()', text(), 12345],
    ['a number', 'json()', text(), 1234.5],
    ['a boolean', 'boolean()', text(), true],
    ['undefined', 'unset', text(), undefined],
    ['null', 'unset', text(), null],
    ['a bigint', 'text', text(), 12345n],
    ['a symbol', 'text', text(), Symbol('hunter2')],
    ['a function', 'text', text(), () => 'hunter2'],
    ['a number', 'integer()', text('light', 'dark'), 12345],
    ['text', 'whole number', integer(), '12345'],
    ['null', 'whole number', integer(), null],
    ['text', 'true or false', boolean(), 'hunter2'],
    ['a number', 'true or false', boolean(), 1],
    ['a function', 'JSON', json(), () => 'hunter2'],
  ])('names the field and says of %s what to do: %s', (kind, advice, codec, value) => {
    const { code, message } = refusalOf(() => codec.encode(value, 'cart'));
    expect(code).toBe('invalid_value');
    expect(message).toContain('The value of "cart" must be ');
    expect(message).toContain(`not ${kind}`);
    expect(message).toContain(advice);
    expect(message).not.toMatch(/hunter2|1234|1970|password/);
  });

  it('says what is wrong without a name as well', () => {
    expect(() => text().encode({} as never)).toThrow('The value must be text, not an object.');
  });

  it.each([
    ['integer', integer(), 1.5],
    ['integer', integer(), Number.NaN],
  ])('of %s does not call a number something else than a number', (_kind, codec, value) => {
    expect(refusalOf(() => codec.encode(value, 'n')).message).not.toContain('not a');
  });

  it('names the field where a stored value does not decode', () => {
    const codecs: FieldCodec<unknown>[] = [integer(), boolean(), json(), text('light')];
    for (const codec of codecs) {
      const { code, message } = refusalOf(() => codec.decode('hunter2', 'theme'));
      expect([code, message]).toEqual(['invalid_value', expect.stringContaining('"theme"')]);
      expect(message).not.toContain('hunter2');
    }
  });

  it('never reads anything but what it could have written', () => {
    fc.assert(
      fc.property(fc.string(), (stored) => {
        for (const codec of [integer(), boolean()] as FieldCodec<unknown>[]) {
          try {
            expect(codec.encode(codec.decode(stored))).toBe(stored);
          } catch (error) {
            expect(error).toEqual(invalid);
          }
        }
      }),
    );
  });
});

describe('JSON', () => {
  const cycle: Record<string, unknown> = { secret: 'hunter2' };
  cycle.self = [cycle];
  const throwing = (thrown: unknown) => () => {
    throw thrown;
  };

  it.each<[string, unknown]>([
    ['a BigInt', 1n],
    ['a BigInt deep inside', { a: [{ b: 1n }] }],
    ['a cycle', cycle],
    ['a toJSON that throws', { toJSON: throwing(new Error('hunter2')) }],
    ['a toJSON that throws no error', { toJSON: throwing('hunter2') }],
    [
      'a getter that throws',
      Object.defineProperty({}, 'a', { enumerable: true, get: throwing(0) }),
    ],
    [
      'an invalid Date inside of a class',
      { at: { toJSON: () => new Date(Number.NaN).toISOString() } },
    ],
    ['a revoked proxy', revokedProxy()],
    ['what is nested too deeply', nested(100_000)],
  ])('that cannot be made of %s is a typed error without the value', (_name, value) => {
    const { code, message, cause } = refusalOf(() => json().encode(value, 'cart'));
    expect(code).toBe('invalid_value');
    expect(message).toContain('The value of "cart" must be a value that JSON can hold');
    expect(message).not.toContain('hunter2');
    expect(cause).toBeDefined();
  });

  it.each([
    ['nested deeply', `${'['.repeat(1e5)}${']'.repeat(1e5)}`],
    ['large', JSON.stringify('x'.repeat(1e6))],
  ])('that is %s is read', (_name, stored) => {
    expect(json().decode(stored)).toBeDefined();
  });

  it('that names a prototype reaches none', () => {
    const value = json<Record<string, unknown>>().decode('{"__proto__":{"admin":true}}');
    expect(value.admin).toBeUndefined();
    expect(json().encode(value)).toBe('{"__proto__":{"admin":true}}');
  });

  it.each(['{', '', 'undefined', '[1,]', "{'a':1}", 'NaN', '\u0000'])(
    'that %j is none is a typed error',
    (stored) => expect(() => json().decode(stored)).toThrow(invalid),
  );
});

describe('text of a set of words', () => {
  it.each([
    ['words', text('light', 'dark')],
    ['a list', text(['light', 'dark'])],
  ])('given as %s takes these and no others, in and out', (_name, codec) => {
    for (const word of ['light', 'dark'] as const) {
      expect(codec.decode(codec.encode(word))).toBe(word);
    }
    for (const other of ['Light', 'light ', '', 'constructor', '__proto__', 'length']) {
      for (const run of [() => codec.encode(other as 'light'), () => codec.decode(other)]) {
        const { code, message } = refusalOf(run);
        expect(code).toBe('invalid_value');
        expect(message).toBe('The value must be one of "light", "dark".');
      }
    }
  });

  it('is not changed by what becomes of the list', () => {
    const words = ['light'];
    const codec = text(words);
    words.push('dark');
    expect(() => codec.encode('dark')).toThrow(invalid);
  });

  it('may have the empty text among them', () => {
    expect(text('', 'dark').decode('')).toBe('');
  });

  it.each([[[]], [[1]], [['light', undefined]], [null]])('is refused for %j', (words) => {
    expect(() => text(words as string[])).toThrow(
      expect.objectContaining({ code: 'invalid_policy' }),
    );
  });
});

describe('JSON with a schema', () => {
  const zod = json(z.object({ items: z.array(z.string()) }));
  const valibot = json(v.object({ items: v.array(v.string()) }));

  it.each([
    ['zod', zod],
    ['valibot', valibot],
  ])('of %s is typed by it and validated when read', (_name, codec) => {
    const value: { items: string[] } = codec.decode('{"items":["a"]}');
    expect(value).toEqual({ items: ['a'] });
    expect(() => codec.decode('{"items":[1]}')).toThrow(invalid);
    expect(() => codec.decode('null')).toThrow(invalid);
  });

  it('refuses a schema that answers later', () => {
    const later = json(z.string().refine(async () => true));
    expect(() => later.decode('"a"')).toThrow(invalid);
  });

  it('hears of nothing that such a schema does later', async () => {
    const unheard: unknown[] = [];
    const listener = (reason: unknown) => void unheard.push(reason);
    process.on('unhandledRejection', listener);
    const later = json(standard(() => Promise.reject(new Error('hunter2'))));
    expect(() => later.decode('"a"', 'cart')).toThrow('a synchronous schema');
    await new Promise(setImmediate);
    process.off('unhandledRejection', listener);
    expect(unheard).toEqual([]);
  });

  it('that throws is a typed error', () => {
    const recurse = (): never => recurse();
    const broken = json(standard(recurse));
    expect(refusalOf(() => broken.decode('1', 'cart'))).toMatchObject({
      code: 'invalid_value',
      message: expect.stringContaining('"cart"'),
      cause: expect.any(RangeError),
    });
  });

  it.each([
    ['zod', json(z.object({ items: z.array(z.enum(['a'])) }))],
    ['valibot', json(v.object({ items: v.array(v.picklist(['a'])) }))],
  ])('of %s says where the value is wrong, and never quotes it', (_name, codec) => {
    const { message } = refusalOf(() => codec.decode('{"items":["a","hunter2"]}', 'cart'));
    expect(message).toBe('The value of "cart" must match its schema, but does not at "items.1".');
  });
});

/** The error; fails if there is none, or one that is not Sojourn's. */
function refusalOf(run: () => unknown): SessionError {
  try {
    run();
  } catch (error) {
    if (error instanceof SessionError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

function standard(validate: (value: unknown) => never | Promise<never>): StandardSchema<string> {
  return { '~standard': { validate } };
}

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i += 1) value = [value];
  return value;
}
