import { LRUCache } from 'lru-cache';
import type { Session } from '../../../domain/session.ts';
import { reserved } from '../../../domain/session-record.ts';
import type { SecretHash, SessionId } from '../../../domain/session-token.ts';

/** A session as it was read; instants on the clock of `performance.now()`. */
export interface NearCacheEntry {
  readonly session: Session;
  /** The current one: a replaced secret in its grace is never served from here. */
  readonly secretHash: SecretHash;
  /** Not before this Redis ends it, unless it is slid. */
  readonly expiresAt: number;
  /** Until then it is served. */
  readonly keptUntil: number;
  /**
   * When Redis last slid it. Where the lifetime cuts the slide off nothing tells, and this lies before it; where somebody
   * gave it more time than its idle timeout it is due to be slid at once.
   */
  readonly slidAt: number;
  /** From then on its lifetime may cut a slide off; by this machine's clock, and early. */
  readonly maybeCutFrom: number;
}

/** By how much this machine's clock and Redis' may differ where only a displayed time depends on it. */
const SKEW_MS = 60_000;

/** The sessions kept, the least recently used given up first, within a number and an estimate of bytes. */
export class NearCacheEntries {
  readonly #kept: LRUCache<SessionId, NearCacheEntry>;

  constructor(maxSessions: number, maxBytes: number) {
    this.#kept = new LRUCache({
      max: maxSessions,
      maxSize: maxBytes,
      sizeCalculation: ({ session }) => bytesOf(session),
    });
  }

  get size(): number {
    return this.#kept.size;
  }

  get bytes(): number {
    return this.#kept.calculatedSize;
  }

  get(id: SessionId): NearCacheEntry | undefined {
    return this.#kept.get(id);
  }

  set(id: SessionId, entry: NearCacheEntry): void {
    this.#kept.set(id, entry);
  }

  delete(id: SessionId): void {
    this.#kept.delete(id);
  }

  clear(): void {
    this.#kept.clear();
  }
}

/** The session, if that secret is its current one; asked at `askedAt`, so that what the way took shortens its time. */
export function toEntry(
  session: Session,
  record: readonly string[],
  secretHash: SecretHash,
  askedAt: number,
): NearCacheEntry | undefined {
  if (held(record, reserved.secret) !== secretHash) return undefined;
  // All who ask are given the same one.
  Object.freeze(session.fields);
  Object.freeze(session.device);
  const expiresAt = askedAt + session.remainingMs;
  const ttlMs = session.ttl * 1000;
  const endsAt = (session.endsAt ?? Infinity) - performance.timeOrigin;
  return {
    session: { ...session }, // whoever was given the other may have changed it
    ...{ secretHash, expiresAt, keptUntil: expiresAt },
    slidAt: session.remainingMs > ttlMs ? -Infinity : expiresAt - ttlMs,
    maybeCutFrom: endsAt - ttlMs - SKEW_MS,
  };
}

function held(record: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < record.length; i += 2) if (record[i] === name) return record[i + 1];
  return undefined;
}

// Objects and pointers of an entry, measured at about 1 KB; a character may take two bytes.
function bytesOf({ fields, user, device }: Session): number {
  let characters = (user?.length ?? 0) + (device.userAgent?.length ?? 0);
  for (const name in fields) characters += name.length + (fields[name]?.length ?? 0) + 16;
  return 1024 + 2 * characters;
}
