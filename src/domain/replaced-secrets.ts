/** 48 bits: too many for someone who knows only an id to guess one, too few to recover a secret. */
const KEPT_CHARACTERS = 8;
const MOST_KEPT = 8;

/**
 * What a session keeps of the secrets that were replaced before the last rotation: the beginnings of their hashes,
 * newest first, in one text of at most 64 characters. A longer value would make Redis use three times the memory for
 * the hash.
 */
export function withReplaced(replaced: string, secretHash: string): string {
  const kept = secretHash.slice(0, KEPT_CHARACTERS) + replaced;
  return kept.slice(0, MOST_KEPT * KEPT_CHARACTERS);
}

/** True if the secret with this hash is among those kept. */
export function wasReplaced(replaced: string, secretHash: string): boolean {
  const beginning = secretHash.slice(0, KEPT_CHARACTERS);
  for (let i = 0; i < replaced.length; i += KEPT_CHARACTERS) {
    if (replaced.slice(i, i + KEPT_CHARACTERS) === beginning) return true;
  }
  return false;
}
