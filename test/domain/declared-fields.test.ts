import { describe, expect, it } from 'vitest';
import { decodeField, encodeField } from '../../src/domain/declared-fields.ts';
import { type FieldCodecs, integer, json } from '../../src/domain/field-codecs.ts';

const INHERITED = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'];

describe('a declared field', () => {
  it.each(INHERITED)('is not found where only every object has it: %s', (name) => {
    for (const fields of [{}, { a: integer() }, undefined]) {
      expect(encodeField(fields, name, 'x')).toBe('x');
      expect(decodeField(fields, name, 'x')).toBe('x');
    }
  });

  it.each(INHERITED)('may have any name: %s', (name) => {
    const fields: FieldCodecs = { [name]: integer(), other: json() };
    expect(encodeField(fields, name, 7)).toBe('7');
    expect(decodeField(fields, name, '7')).toBe(7);
    expect(decodeField(fields, name, undefined)).toBeUndefined();
    expect(() => encodeField(fields, name, '7')).toThrow(`The value of "${name}" must be a whole`);
    expect(() => decodeField(fields, name, 'x')).toThrow(`The value of "${name}" must be a whole`);
  });

  it('may hold what JSON has for nothing', () => {
    expect(decodeField({ a: json() }, 'a', encodeField({ a: json() }, 'a', null))).toBeNull();
  });
});
