import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable } from '../../src/domain/printable.ts';

describe('printable', () => {
  it('leaves other text as it is, in whatever language', () => {
    for (const text of ['ada', 'Zoë', '李小龍', 'علي', '😀', 'DOMAIN\\ada', '']) {
      expect(printable(text)).toBe(text);
    }
  });

  it('leaves nothing that a terminal obeys, and the meaning of JSON', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
        expect(JSON.parse(printable(JSON.stringify([text])))).toEqual([text]);
      }),
    );
  });
});
