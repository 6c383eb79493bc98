import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutDevice } from '../../src/domain/device.ts';
import { deviceLabel } from '../../src/domain/device-label.ts';
import { cutText } from '../../src/domain/text-bytes.ts';

describe('a device', () => {
  it('is kept as it was given where it is short, and without what was not given', () => {
    const device = { label: 'Firefox on Linux', userAgent: 'curl/8.5.0', address: '192.0.2.1' };
    expect(cutDevice(device)).toEqual(device);
    expect(cutDevice({})).toEqual({});
    expect(cutDevice({ userAgent: '' })).toEqual({ userAgent: '' });
  });

  it('is kept without what is no text, as headers that were not sent are none', () => {
    const headers = new Headers();
    const sent = headers.get('User-Agent') as unknown as string;
    expect(cutDevice({ label: sent, userAgent: sent, address: 1 as unknown as string })).toEqual(
      {},
    );
    expect(deviceLabel(headers.get('User-Agent'))).toBe('A browser');
    expect(deviceLabel(undefined)).toBe('A browser');
  });

  it('is kept in 60 bytes a text, and tells browsers apart that begin alike', () => {
    const like =
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0';
    const kept = [`${like} Safari/537.36`, `${like} Safari/537.36 Edg/126.0.0.0`].map((userAgent) =>
      cutDevice({ label: userAgent, userAgent, address: userAgent }),
    );
    expect(new Set(kept.map(({ userAgent }) => userAgent)).size).toBe(2);
    for (const text of kept.flatMap(Object.values)) {
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(60);
    }
  });
});

describe('a text that is cut', () => {
  it.each([
    ['letters of one byte', 'x'.repeat(61), 60],
    ['letters of two bytes', `x${'é'.repeat(40)}`, 59],
    ['letters of three bytes', `x${'語'.repeat(30)}`, 58],
    ['letters of four bytes', `xx${'👋'.repeat(20)}`, 58],
    ['letters with an accent of its own', `x${'e\u0301'.repeat(30)}`, 58],
    ['families', '👨‍👩‍👧'.repeat(9), 54],
    ['flags', `xx${'🇫🇷'.repeat(9)}`, 58],
    ['hands with a skin tone', `x${'👋🏽'.repeat(9)}`, 57],
    ['one letter with countless accents', `e${'\u0301'.repeat(99)}`, 59],
    ['byte order marks', '\ufeff'.repeat(30), 60],
    ['replacements of its own', '\ufffd'.repeat(30), 60],
  ])('has whole characters: %s', (_name, text, bytes) => {
    const cut = cutText(text, 60);
    expect(Buffer.byteLength(cut)).toBe(bytes);
    expect(text.startsWith(cut)).toBe(true);
  });

  it('is the beginning of it, well-formed, and as long as it may be but for one character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 90 }), (text) => {
        const cut = cutText(text, 60);
        expect(text.toWellFormed().startsWith(cut)).toBe(true);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(60);
        if (Buffer.byteLength(text) > 60) expect(Buffer.byteLength(cut)).toBeGreaterThanOrEqual(28);
        else expect(cut).toBe(text.toWellFormed());
      }),
    );
  });
});
