import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseForm } from '../../src/http/form.ts';
import { parseCookie } from '../../src/http/session-cookie.ts';

const TOKEN = `${'A'.repeat(22)}.${'B'.repeat(42)}A`;
const anything = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.stringMatching(/^[a-z=; %"]*$/),
);

describe('a Cookie header', () => {
  it('never makes the parser throw', () => {
    fc.assert(
      fc.property(anything, (header) => {
        const found = parseCookie(header, 'sid');
        expect(found === undefined || found === 'ambiguous' || found.length === 66).toBe(true);
      }),
    );
  });

  it('gives our cookie whatever stands around it', () => {
    const foreign = anything.filter((text) => !/(^|;)[ \t]*sid[ \t]*=/.test(text));
    fc.assert(
      fc.property(foreign, foreign, (before, after) => {
        expect(parseCookie(`${before};sid=${TOKEN}; ${after}`, 'sid')).toBe(TOKEN);
      }),
    );
  });

  const OTHER = `${'B'.repeat(21)}A.${'C'.repeat(42)}A`;

  it.each([
    [`sid=${TOKEN}; sid=${TOKEN}`, TOKEN],
    [`sid=${TOKEN}; sid=${OTHER}`, 'ambiguous'],
    [`SID=${TOKEN}`, undefined],
    [`Sid=${TOKEN}; sid=${OTHER}`, OTHER],
    [`xsid=${TOKEN}; sidx=${TOKEN}; x=sid=${TOKEN}`, undefined],
    ['sid', undefined],
    [`\tsid\t=\t${TOKEN}\t`, TOKEN],
    // Browsers do not see our name in these, so they protect none of them by its prefix.
    ...['\u00a0', '\u2000', '\u3000', '\ufeff', '\v', '\f', '\r\n', '\0'].flatMap(
      (space): [string, string | undefined][] => [
        [`${space}sid=${TOKEN}`, undefined],
        [`sid${space}=${TOKEN}`, undefined],
        [`sid=${TOKEN}; ${space}sid=${OTHER}`, TOKEN],
        [`sid=${space}${TOKEN}`, undefined],
      ],
    ),
    [` sid = ${TOKEN} `, TOKEN],
    ['', undefined],
    // What has not the shape of a token is no rival of one that has.
    ['sid=', undefined],
    ['sid=null', undefined],
    [`sid=null; sid=${TOKEN}`, TOKEN],
    [`sid=${TOKEN}; sid=`, TOKEN],
    [`sid=; sid=undefined; sid=${TOKEN}; sid=s%3Aforeign.signature`, TOKEN],
    [`sid=${TOKEN}=; sid=${TOKEN}`, TOKEN],
    [`sid=${TOKEN.toLowerCase()}x; sid=${TOKEN}`, TOKEN],
    [`sid=null; sid=${TOKEN}; sid=${OTHER}`, 'ambiguous'],
  ])('of %j gives %j', (header, expected) => {
    expect(parseCookie(header, 'sid')).toEqual(expected);
  });
});

describe('a form', () => {
  const encode = (text: string) => new TextEncoder().encode(text).buffer as ArrayBuffer;

  it('never makes the parser throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        parseForm(bytes.slice().buffer as ArrayBuffer);
      }),
    );
    fc.assert(fc.property(anything, (text) => void parseForm(encode(text))));
  });

  it('comes back as a browser sends it', () => {
    const pairs = fc.array(
      fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })),
    );
    fc.assert(
      fc.property(pairs, (fields) => {
        const sent = new URLSearchParams(fields);
        expect([...(parseForm(encode(sent.toString())) ?? [])]).toEqual([...sent]);
      }),
    );
  });

  it.each(['%ff', 'a=%c3%28', '100%', 'a=%', 'a=%zz'])(
    'is refused where %s is no UTF-8',
    (text) => {
      expect(parseForm(encode(text))).toBeUndefined();
    },
  );

  it('is refused where its own bytes are no UTF-8', () => {
    expect(parseForm(new Uint8Array([0x61, 0x3d, 0xc3]).buffer)).toBeUndefined();
  });
});
