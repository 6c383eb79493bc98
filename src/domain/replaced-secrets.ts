/** 48 bits: nobody who knows only an id meets one of them by guessing, and no secret can be told from them. */
const KEPT_CHARACTERS = 8;
const MOST_KEPT = 8;

/**
 * What a session keeps of the secrets that rotations before the last one replaced: the beginnings of their hashes, newest
 * first, in one text of 64 characters at most. A longer value would turn a Redis hash into one of three times the memory.
 */
export function withReplaced(replaced: string, secretHash: string): string {
  const kept = secretHash.slice(0, KEPT_CHARACTERS) + replaced;
  return kept.slice(0, MOST_KEPT * KEPT_CHARACTERS);
}

/** True for the hash of a secret that is kept there. */
export function wasReplaced(replaced: string, secretHash: string): boolean {
  const beginning = secretHash.slice(0, KEPT_CHARACTERS);
  for (let i = 0; i < replaced.length; i += KEPT_CHARACTERS) {
    if (replaced.slice(i, i + KEPT_CHARACTERS) === beginning) return true;
  }
  return false;
}
