import { LRUCache } from 'lru-cache';
import type { Session } from '../../../domain/session.ts';
import { reserved } from '../../../domain/session-record.ts';
import type { SecretHash, SessionId } from '../../../domain/session-token.ts';
import type { SessionReading } from '../redis-session-repository.ts';
import type { Trust } from './tracking.ts';

/** A session as it was read. Instants are on the clock of `performance.now()`. */
export interface NearCacheEntry {
  readonly session: Session;
  /** The current secret: a replaced secret within its grace is never served from here. */
  readonly secretHash: SecretHash;
  /** The connections that report changes of the session, as long as their server owns the slot. */
  readonly trust: Trust;
  readonly slot: number;
  /** Redis does not end the session before this time, unless it is changed. */
  readonly expiresAt: number;
  /** Result of `slidAtOf`. */
  readonly slidAt: number;
  /** From this time on the lifetime may limit a slide. By this machine's clock, with a margin. */
  readonly maybeCutFrom: number;
}

/** How much this machine's clock and Redis' may differ where only a displayed time depends on it. */
const SKEW_MS = 60_000;

/** The kept sessions, limited by number and estimated bytes. The least recently used are dropped first. */
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

  /** Deletes the entries that depended on these connections. */
  deleteOf(trust: Trust): void {
    for (const [id, entry] of this.#kept.entries()) {
      if (entry.trust === trust) this.#kept.delete(id);
    }
  }
}

/**
 * The entry for a session that was read, if the secret is the current one. `askedAt` is when the read was sent, so the
 * time in transit shortens the remaining time.
 */
export function toEntry(
  { session, record }: SessionReading,
  secretHash: SecretHash,
  { trust, slot }: Pick<NearCacheEntry, 'trust' | 'slot'>,
  askedAt: number,
): NearCacheEntry | undefined {
  if (held(record, reserved.secret) !== secretHash) return undefined;
  // All callers get the same objects.
  Object.freeze(session.fields);
  Object.freeze(session.device);
  const endsAt = (session.endsAt ?? Infinity) - performance.timeOrigin;
  return {
    session: { ...session }, // the caller may have changed the other object
    ...{ secretHash, trust, slot },
    expiresAt: askedAt + session.remainingMs,
    slidAt: slidAtOf(session, askedAt),
    maybeCutFrom: endsAt - session.ttl * 1000 - SKEW_MS,
  };
}

/**
 * The time at which Redis last slid the session, or earlier, on the clock of `performance.now()`: a slide that the
 * lifetime limited cannot be recognised. If someone gave the session more time than its idle timeout, it counts as
 * never slid.
 */
export function slidAtOf({ remainingMs, ttl }: Session, askedAt: number): number {
  const ttlMs = ttl * 1000;
  return remainingMs > ttlMs ? -Infinity : askedAt + remainingMs - ttlMs;
}

function held(record: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < record.length; i += 2) if (record[i] === name) return record[i + 1];
  return undefined;
}

// The objects and pointers of an entry take about 1 KB, as measured; a character may take two bytes.
function bytesOf({ fields, user, device }: Session): number {
  let characters = (user?.length ?? 0) + (device.userAgent?.length ?? 0);
  for (const name in fields) characters += name.length + (fields[name]?.length ?? 0) + 16;
  return 1024 + 2 * characters;
}
