import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeSecrets } from '../../src/adapters/node/node-secrets.ts';
import {
  deriveCredential,
  mintSecret,
  mintSession,
  parseSessionId,
  parseSessionToken,
} from '../../src/domain/session-token.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const ID = 'abcdefghijklmnopqrstuQ';
const SECRET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP8';
const TOKEN = `${ID}.${SECRET}`;

const opens = (text: unknown) => parseSessionToken(text as string, nodeSecrets) !== undefined;

/** What a token is, said once more in other words: 16 bytes, a dot, 32 bytes, each in its only spelling. */
function isToken(text: string): boolean {
  const [id = '', secret = '', ...rest] = text.split('.');
  return rest.length === 0 && spells(id, 16) && spells(secret, 32);
}

function spells(text: string, byteLength: number): boolean {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.length === byteLength && bytes.toString('base64url') === text;
}

describe('minting a session', () => {
  it('makes a token of 22 characters, a dot and 43 characters, which parses to its credential', () => {
    const { token, credential } = mintSession(nodeSecrets);
    expect(token).toMatch(/^[\w-]{22}\.[\w-]{43}$/);
    expect(parseSessionToken(token, nodeSecrets)).toEqual(credential);
    expect(token.startsWith(`${credential.id}.`)).toBe(true);
  });

  it('keeps the SHA-256 of the secret and not the secret', () => {
    const { token, credential } = mintSession(nodeSecrets);
    const secret = token.slice(23);
    expect(credential.secretHash).toBe(nodeSecrets.sha256(secret));
    expect(JSON.stringify(credential)).not.toContain(secret);
  });

  it('takes 128 and 256 bits from the random source and nothing from elsewhere', () => {
    const asked: number[] = [];
    const random = (byteLength: number) => {
      asked.push(byteLength);
      return Buffer.alloc(byteLength, 0xff).toString('base64url');
    };
    const minted = mintSession({ ...nodeSecrets, random });
    expect(asked.toSorted((a, b) => a - b)).toEqual([16, 32]);
    expect(minted).toEqual(mintSession({ ...nodeSecrets, random }));
  });

  it('never makes one id or one secret twice in a hundred thousand', { tags: ['slow'] }, () => {
    const ids = new Set<string>();
    const secrets = new Set<string>();
    for (let i = 0; i < 100_000; i += 1) {
      const [id = '', secret = ''] = mintSession(nodeSecrets).token.split('.');
      ids.add(id);
      secrets.add(secret);
    }
    expect([ids.size, secrets.size]).toEqual([100_000, 100_000]);
  });

  it('throws when the random source fails', () => {
    const random = () => {
      throw new Error('no entropy');
    };
    expect(() => mintSession({ ...nodeSecrets, random })).toThrow('no entropy');
  });

  it('makes another secret for the same id', () => {
    const first = mintSession(nodeSecrets);
    const second = mintSecret(first.credential.id, nodeSecrets);
    expect(second.credential.id).toBe(first.credential.id);
    expect(second.token).not.toBe(first.token);
    expect(second.credential.secretHash).not.toBe(first.credential.secretHash);
  });
});

describe('parsing a token', () => {
  it('accepts exactly the texts that spell 16 and 32 bytes', () => {
    expect(opens(TOKEN)).toBe(true);
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 14, maxLength: 18 }),
        fc.uint8Array({ minLength: 30, maxLength: 34 }),
        (id, secret) => {
          const text = `${Buffer.from(id).toString('base64url')}.${Buffer.from(secret).toString('base64url')}`;
          expect(opens(text)).toBe(id.length === 16 && secret.length === 32);
        },
      ),
    );
  });

  it('refuses any other text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 80 }),
        (text) => opens(text) === isToken(text),
      ),
    );
    fc.assert(fc.property(fc.base64String(), (text) => opens(text) === isToken(text)));
  });

  it('refuses a token with any character changed, added or lost, unless that makes another token', () => {
    const edit = fc.record({
      at: fc.nat({ max: TOKEN.length }),
      lost: fc.nat({ max: 2 }),
      added: fc.string({
        unit: fc.oneof(
          fc.constantFrom(...ALPHABET, '.'),
          fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
        ),
        maxLength: 2,
      }),
    });
    fc.assert(
      fc.property(edit, ({ at, lost, added }) => {
        const text = TOKEN.slice(0, at) + added + TOKEN.slice(at + lost);
        expect(opens(text)).toBe(isToken(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('accepts one spelling of a value: the spare bits of a last character are zero', () => {
    const accepted = (make: (last: string) => string) =>
      [...ALPHABET].filter((last) => opens(make(last))).join('');
    expect(accepted((last) => `${ID.slice(0, -1)}${last}.${SECRET}`)).toBe('AQgw');
    expect(accepted((last) => `${ID}.${SECRET.slice(0, -1)}${last}`)).toBe('AEIMQUYcgkosw048');
  });

  it.each([
    ['an empty text', ''],
    ['an id alone', ID],
    ['an id and a dot', `${ID}.`],
    ['a secret alone', `.${SECRET}`],
    ['a trailing newline', `${TOKEN}\n`],
    ['a leading space', ` ${TOKEN}`],
    ['a trailing NUL', `${TOKEN}\0`],
    ['padding', `${TOKEN}=`],
    ['quotes', `"${TOKEN}"`],
    ['another dot', `${TOKEN}.`],
    ['another prefix', `app-a:${TOKEN}`],
    ['another prefix of the right length', `app-a:${TOKEN.slice(6)}`],
    ['base64 that is not base64url', TOKEN.replace('a', '+')],
    ['percent encoding', TOKEN.replace('.', '%2E')],
    ['look-alike letters', TOKEN.replace('a', 'а')],
    ['two lines', `${TOKEN}\n${TOKEN}`],
    ['40 KB', 'A'.repeat(40_000)],
  ])('refuses %s', (_, text) => {
    expect(opens(text)).toBe(false);
  });

  it('refuses what is no text and never throws', () => {
    const disguised = { toString: () => TOKEN };
    for (const value of [
      undefined,
      null,
      0,
      1n,
      true,
      [TOKEN],
      {},
      disguised,
      Symbol('x'),
      () => TOKEN,
    ]) {
      expect(opens(value)).toBe(false);
    }
    fc.assert(fc.property(fc.anything(), (value) => typeof value === 'string' || !opens(value)));
  });

  it('hashes nothing that has not the shape of a token', () => {
    const sha256 = () => {
      throw new Error('hashed');
    };
    expect(parseSessionToken(`${TOKEN}x`, { ...nodeSecrets, sha256 })).toBeUndefined();
  });
});

describe('parsing an id', () => {
  it('accepts exactly the texts that spell 16 bytes', () => {
    expect(parseSessionId(ID)).toBe(ID);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 30 }),
          fc.string({ unit: fc.constantFrom(...ALPHABET), minLength: 21, maxLength: 23 }),
        ),
        (text) => (parseSessionId(text) !== undefined) === spells(text, 16),
      ),
    );
  });

  it.each(['', TOKEN, `${ID}\n`, `app-a:${ID}`, `${ID.slice(0, -1)}B`, `*`])(
    'refuses %j',
    (text) => {
      expect(parseSessionId(text)).toBeUndefined();
    },
  );

  it('refuses what is no text and never throws', () => {
    for (const value of [undefined, null, 0, [ID], { toString: () => ID }, Symbol('x')]) {
      expect(parseSessionId(value as string)).toBeUndefined();
    }
  });
});

it("a credential derived from another library's secret is the same each time and names a well-formed id", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      const credential = deriveCredential(a, nodeSecrets);
      expect(deriveCredential(a, nodeSecrets)).toEqual(credential);
      expect(parseSessionId(credential.id)).toBe(credential.id);
      expect(spells(credential.id, 16)).toBe(true);
      expect(deriveCredential(b, nodeSecrets).id === credential.id).toBe(a === b);
    }),
  );
});
