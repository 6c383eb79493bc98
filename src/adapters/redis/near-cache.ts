import { Cluster, type Redis } from 'ioredis';
import type { Session } from '../../domain/session.ts';
import type { Credential, SessionId } from '../../domain/session-token.ts';
import type { Absent, Access, SessionRepository } from '../../ports/session-repository.ts';
import { NearCacheEntries, type NearCacheEntry, toEntry } from './near-cache-entries.ts';
import { NearCacheInvalidations } from './near-cache-invalidations.ts';
import { NearCacheTouches, postponementMs } from './near-cache-touches.ts';
import { forgettingWrites } from './near-cache-writes.ts';
import { RedisSessionRepository } from './redis-session-repository.ts';

/** Which sessions to keep, and how many. */
export interface NearCacheOptions {
  /** A connected client of one server. On a cluster nothing is kept: every call goes to Redis. */
  readonly client: Redis | Cluster;
  /** As the repository has it. Default `session:`. */
  readonly prefix?: string;
  /** Sessions kept at most. Default 10000. */
  readonly maxSessions?: number;
  /** Bytes kept at most, as estimated. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Hears of it when the connection for changes fails or Redis does not track. Default: nobody. */
  readonly onError?: (error: Error) => void;
}

/** Sessions in Redis, those in use kept in this process as well. */
export interface NearCache {
  readonly repository: SessionRepository;
  /** How much is kept, and whether reads may be answered from it now. */
  stats(): { readonly sessions: number; readonly bytes: number; readonly trusted: boolean };
  /** Does the slides that were put off and closes the connection for changes; the client stays open. */
  close(): Promise<void>;
}

/**
 * A repository that answers `read` and `access` from memory while Redis vouches that nothing has changed. A change
 * elsewhere is seen as soon as Redis' word of it arrives, and within two seconds if it does not. Does not wait for the
 * connection: until it stands every call goes to Redis.
 */
export function openNearCache({
  client,
  prefix = 'session:',
  maxSessions = 10_000,
  maxBytes = 64 * 1024 * 1024,
  onError = () => {},
}: NearCacheOptions): NearCache {
  if (client instanceof Cluster) {
    const repository = new RedisSessionRepository({ client, prefix });
    const stats = () => ({ sessions: 0, bytes: 0, trusted: false });
    return { repository, stats, close: async () => {} };
  }
  const records = new WeakMap<Session, readonly string[]>();
  const origin = new RedisSessionRepository({ client, prefix }, undefined, (session, record) => {
    records.set(session, record);
  });
  const entries = new NearCacheEntries(maxSessions, maxBytes);
  /** Reads under way whose answers may be kept: unless their session was forgotten meanwhile. */
  const loads = new Map<SessionId, symbol>();

  function forget(id: SessionId): void {
    entries.delete(id);
    loads.delete(id);
  }
  const invalidations = new NearCacheInvalidations(client, prefix, {
    changed: (key) => forget(key.slice(prefix.length) as SessionId), // another key's rest is no id, and not kept
    lost() {
      entries.clear();
      loads.clear();
    },
    failed: onError,
  });
  const writes = forgettingWrites(origin, forget);
  const touches = new NearCacheTouches(writes, maxSessions);

  function kept({ id, secretHash }: Credential, now: number): NearCacheEntry | undefined {
    if (now >= invalidations.provenUntil) return undefined;
    const entry = entries.get(id);
    return entry?.secretHash === secretHash && now < entry.expiresAt ? entry : undefined;
  }

  async function load(
    { id, secretHash }: Credential,
    ask: () => Promise<Session | Absent>,
  ): Promise<Session | Absent> {
    const askedAt = performance.now();
    const load = Symbol();
    loads.set(id, load);
    try {
      const session = await ask();
      if (typeof session === 'object' && loads.get(id) === load) {
        const entry = toEntry(session, records.get(session) ?? [], secretHash, askedAt);
        if (entry !== undefined && askedAt < invalidations.provenUntil) entries.set(id, entry);
      }
      return session;
    } finally {
      if (loads.get(id) === load) loads.delete(id);
    }
  }

  function read(credential: Credential): Promise<Session | Absent> {
    const now = performance.now();
    const entry = kept(credential, now);
    if (entry !== undefined) return Promise.resolve(asOf(entry, now));
    return load(credential, () => origin.read(credential));
  }

  function access(credential: Credential, access: Access): Promise<Session | Absent> {
    const now = performance.now();
    const entry = kept(credential, now);
    if (entry !== undefined && mayWait(credential, access, entry, now)) {
      return Promise.resolve(asOf(entry, now));
    }
    return entry === undefined && now < invalidations.provenUntil
      ? accessSoon(credential, access, now)
      : slide(credential, access);
  }

  /** Whether the slide is not due yet, or done later without harm. */
  function mayWait(
    credential: Credential,
    { at, refreshAfterMs }: Access,
    { session, slidAt, expiresAt }: NearCacheEntry,
    now: number,
  ): boolean {
    if (now - slidAt < refreshAfterMs) return true;
    const dueAt = slidAt + postponementMs(session.ttl);
    return now < dueAt && touches.add(credential, at, dueAt, expiresAt);
  }

  // A slide is a change, of which Redis tells, and the session is forgotten: one that is used all the time would never
  // be kept. So it is read, and slid at once only if that cannot wait.
  async function accessSoon(
    credential: Credential,
    access: Access,
    now: number,
  ): Promise<Session | Absent> {
    const refreshAfterMs = Math.max(access.refreshAfterMs, postponementMs(Infinity));
    const session = await load(credential, () =>
      origin.access(credential, { at: access.at, refreshAfterMs }),
    );
    if (typeof session !== 'object' || session.remainingMs === session.ttl * 1000) return session;
    const expiresAt = now + session.remainingMs;
    const slidAt = expiresAt - session.ttl * 1000;
    const secretHash = credential.secretHash;
    if (mayWait(credential, access, { session, secretHash, expiresAt, slidAt }, performance.now()))
      return session;
    return slide(credential, access);
  }

  function slide(credential: Credential, access: Access): Promise<Session | Absent> {
    touches.drop(credential.id);
    return writes.access(credential, access);
  }

  return {
    repository: { ...writes, read, access },
    stats: () => ({
      sessions: entries.size,
      bytes: entries.bytes,
      trusted: performance.now() < invalidations.provenUntil,
    }),
    async close() {
      await touches.close();
      invalidations.close();
    },
  };
}

/** The session as it was read, with the time that is left now. */
function asOf({ session, expiresAt }: NearCacheEntry, now: number): Session {
  return {
    id: session.id,
    user: session.user,
    fields: session.fields,
    createdAt: session.createdAt,
    authenticatedAt: session.authenticatedAt,
    lastAccessedAt: session.lastAccessedAt,
    ttl: session.ttl,
    remainingMs: Math.ceil(expiresAt - now),
    endsAt: session.endsAt,
    persistent: session.persistent,
    device: session.device,
  };
}
