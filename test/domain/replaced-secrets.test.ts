import { describe, expect, it } from 'vitest';
import { nodeSecrets } from '../../src/adapters/node/node-secrets.ts';
import { wasReplaced, withReplaced } from '../../src/domain/replaced-secrets.ts';

const hashes = Array.from({ length: 12 }, (_, i) => nodeSecrets.sha256(`secret ${i}`));

describe('the secrets that were replaced', () => {
  const kept = hashes.reduce(withReplaced, '');

  it('are kept by the beginnings of their hashes, newest first, in 64 characters', () => {
    const newest = hashes.slice(-8).reverse();
    expect(kept).toBe(newest.map((hash) => hash.slice(0, 8)).join(''));
  });

  it('are known again: the last eight, and no others', () => {
    const known = hashes.map((hash) => wasReplaced(kept, hash));
    expect(known).toEqual(hashes.map((_, i) => i >= 4));
    expect(wasReplaced('', hashes[0] ?? '')).toBe(false);
  });

  it('are known by a whole beginning, not by parts of two, and by none that is cut off', () => {
    for (const at of [1, 4, 7, 9]) expect(wasReplaced(kept, kept.slice(at, at + 43))).toBe(false);
    expect(wasReplaced('abcd', 'abcdefgh')).toBe(false);
  });
});
