import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { boolean, type FieldCodec, integer, json, text } from '../../src/domain/field-codecs.ts';

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
    expect(() => later.decode('"a"')).toThrow();
  });
});
