import { LRUCache } from 'lru-cache';
import type { Session } from '../../../domain/session.ts';
import { reserved } from '../../../domain/session-record.ts';
import type { SecretHash, SessionId } from '../../../domain/session-token.ts';
import type { SessionReading } from '../redis-session-repository.ts';
import type { Trust } from './tracking.ts';

/** A session as it was read; instants on the clock of `performance.now()`. */
export interface NearCacheEntry {
  readonly session: Session;
  /** The current one: a replaced secret in its grace is never served from here. */
  readonly secretHash: SecretHash;
  /** Who tells when it changes, as long as that server is the slot's. */
  readonly trust: Trust;
  readonly slot: number;
  /** Not before this Redis ends it, unless it is slid. */
  readonly expiresAt: number;
  /** `slidAtOf` it. */
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

  /** Deletes what nobody vouches for any more. */
  deleteOf(trust: Trust): void {
    for (const [id, entry] of this.#kept.entries()) {
      if (entry.trust === trust) this.#kept.delete(id);
    }
  }
}

/** What was read, if that secret is the current one; asked at `askedAt`, so that what the way took shortens its time. */
export function toEntry(
  { session, record }: SessionReading,
  secretHash: SecretHash,
  { trust, slot }: Pick<NearCacheEntry, 'trust' | 'slot'>,
  askedAt: number,
): NearCacheEntry | undefined {
  if (held(record, reserved.secret) !== secretHash) return undefined;
  // All who ask are given the same one.
  Object.freeze(session.fields);
  Object.freeze(session.device);
  const endsAt = (session.endsAt ?? Infinity) - performance.timeOrigin;
  return {
    session: { ...session }, // whoever was given the other may have changed it
    ...{ secretHash, trust, slot },
    expiresAt: askedAt + session.remainingMs,
    slidAt: slidAtOf(session, askedAt),
    maybeCutFrom: endsAt - session.ttl * 1000 - SKEW_MS,
  };
}

/**
 * When Redis last slid it, or earlier, on the clock of `performance.now()`: where the lifetime cuts the slide off nothing
 * tells. Where somebody gave it more time than its idle timeout it was never slid.
 */
export function slidAtOf({ remainingMs, ttl }: Session, askedAt: number): number {
  const ttlMs = ttl * 1000;
  return remainingMs > ttlMs ? -Infinity : askedAt + remainingMs - ttlMs;
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
