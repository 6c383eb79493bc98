import { SessionError, StoreUnavailableError } from '../../../domain/errors.ts';
import type { Session } from '../../../domain/session.ts';
import type { Credential, SecretHash, SessionId } from '../../../domain/session-token.ts';
import { isWhole } from '../../../domain/whole-number.ts';
import type { Absent, Access, SessionRepository } from '../../../ports/session-repository.ts';
import { commandsOf, type RedisClient } from '../clients/tell-apart.ts';
import { openForEachPrimary } from '../each-primary.ts';
import { slotOf } from '../key-slot.ts';
import {
  named,
  RedisSessionRepository,
  type RunScript,
  type SessionReading,
  toReading,
  toSession,
} from '../redis-session-repository.ts';
import { NearCacheEntries, type NearCacheEntry, slidAtOf, toEntry } from './entries.ts';
import { LONGEST_PUT_OFF_MS, NearCacheTouches, type PutOff } from './touches.ts';
import { PING_INTERVAL_MS, Tracking, type TrackingEvents, type Trust } from './tracking.ts';
import { forgettingWrites } from './writes.ts';

/** Which sessions to keep, and how many. */
export interface NearCacheOptions {
  /** A client of one server, a Sentinel deployment or a cluster. */
  readonly client: RedisClient;
  /** The repository's prefix. @default 'session:' */
  readonly prefix?: string;
  /** Maximum number of sessions to keep. @default 10000 */
  readonly maxSessions?: number;
  /** Maximum size of the kept sessions in bytes, as estimated. @default 67108864 (64 MiB) */
  readonly maxBytes?: number;
  /**
   * Receives errors when a connection of the near cache fails or Redis does not track. By default errors are ignored.
   */
  readonly onError?: (error: Error) => void;
}

/** Sessions in Redis, with those in use also kept in this process. */
export interface NearCache {
  /** The repository to give to a `SessionService`. */
  readonly repository: SessionRepository;
  /** The current figures; hits and misses are counted since the near cache was opened. */
  stats(): {
    /** Number of sessions in memory. */
    readonly sessions: number;
    /** Estimated size of these sessions, in bytes. */
    readonly bytes: number;
    /** Whether reads may currently be answered from memory; on a cluster, those of every primary. */
    readonly trusted: boolean;
    /** Number of reads answered from memory. */
    readonly hits: number;
    /** Number of reads answered by Redis. */
    readonly misses: number;
  };
  /** Completes the slides that were put off and closes the connections of the near cache. The client stays open. */
  close(): Promise<void>;
}

/** With less time left than this, a slide is not put off. It covers the delay, a slow store and a second attempt. */
const LEAST_LEFT_MS = 5000;

/** How often to wait for another caller's read, if its answer is outdated each time, before sending one's own. */
const MOST_JOINED = 2;

/** Runs a script that reads; `tracked` says whether Redis tracks the read. */
type Question = (run: RunScript, tracked: boolean) => Promise<SessionReading | Absent>;

/**
 * A read under way. Its answer is kept only if the load is still in the map by then; whatever invalidates the session
 * removes it.
 */
interface Load {
  readonly secretHash: SecretHash;
  readonly trust: Trust;
  readonly answer: Promise<SessionReading | Absent>;
}

/**
 * Opens a repository that answers `read` and `access` from memory while Redis confirms that nothing has changed. A
 * change by another process is visible as soon as Redis' invalidation arrives, and within two seconds if it does not
 * arrive. This call does not wait for its connections; until they are open, every call uses the client.
 *
 * @example
 * ```ts
 * const { repository, close } = openNearCache({ client });
 * const service = new SessionService({ repository, rememberTokens: 10_000 });
 * ```
 */
export function openNearCache({
  client,
  prefix = 'session:',
  maxSessions = 10_000,
  maxBytes = 64 * 1024 * 1024,
  onError = () => {},
}: NearCacheOptions): NearCache {
  for (const [name, most] of Object.entries({ maxSessions, maxBytes })) {
    if (isWhole(most, 1)) continue;
    throw new SessionError('invalid_option', `${name} must be a whole number of at least 1.`);
  }
  const commands = commandsOf(client);
  const origin = new RedisSessionRepository({ client, prefix });
  const byClient: RunScript = (script, key, args) => commands.script(script, key, args);
  const entries = new NearCacheEntries(maxSessions, maxBytes);
  const loads = new Map<SessionId, Load>();
  const touches = new NearCacheTouches(slide, maxSessions);
  let hits = 0;
  let misses = 0;

  function forget(id: SessionId): void {
    entries.delete(id);
    loads.delete(id);
  }

  const events: TrackingEvents = {
    changed: (key) => forget(key.slice(prefix.length) as SessionId),
    lost(trust) {
      entries.deleteOf(trust);
      for (const [id, load] of loads) if (load.trust === trust) loads.delete(id);
    },
    failed: onError,
  };
  const trackings = openForEachPrimary(
    commands,
    (primary) => new Tracking(primary, commands.isCluster, events),
  );
  const beating = setInterval(() => {
    for (const tracking of trackings.all()) tracking.beat();
    void trackings.follow();
  }, PING_INTERVAL_MS).unref();
  const writes = forgettingWrites(origin, forget);

  /** The connections that can be relied on now for keys in that slot. */
  function trusted(slot: number, now: number): Trust | undefined {
    const trust = trackings.of(slot)?.trust;
    return trust !== undefined && now < trust.until ? trust : undefined;
  }

  function slotFor(id: SessionId): number {
    return commands.isCluster ? slotOf(prefix + id) : 0;
  }

  function kept({ id, secretHash }: Credential, now: number): NearCacheEntry | undefined {
    const entry = entries.get(id);
    if (entry?.secretHash !== secretHash || now >= entry.expiresAt) return undefined;
    return trusted(entry.slot, now) === entry.trust ? entry : undefined;
  }

  /**
   * True if the session is kept under another secret. Until Redis reports a rotation, a read with this secret is not
   * kept.
   */
  function isOther({ id, secretHash }: Credential, now: number): boolean {
    const entry = entries.get(id);
    return entry !== undefined && entry.secretHash !== secretHash && now < entry.expiresAt;
  }

  function ask({ id, secretHash }: Credential): Question {
    return async (run) =>
      toReading(id, await run(named.sojournRead, prefix + id, [secretHash, '']));
  }

  function askAndSlide({ id, secretHash }: Credential, { at, refreshAfterMs }: Access): Question {
    return async (run, tracked) => {
      const args = [secretHash, at, refreshAfterMs, ...(tracked ? ['tracked'] : [])];
      return toReading(id, await run(named.sojournAccess, prefix + id, args));
    };
  }

  /** Asks Redis, and keeps the answer if that is allowed. */
  async function load(credential: Credential, ask: Question): Promise<SessionReading | Absent> {
    const { id } = credential;
    const askedAt = performance.now();
    const slot = slotFor(id);
    const trust = isOther(credential, askedAt) ? undefined : trusted(slot, askedAt);
    const reading = await (trust === undefined
      ? ask(byClient, false)
      : loadTracked(credential, ask, { trust, slot }, askedAt));
    if (typeof reading !== 'object') return reading;
    if (reading.slid && trust === undefined) forget(id);
    const { session, slid } = reading;
    touches.done(id, session.ttl, slid ? askedAt : slidAtOf(session, askedAt));
    return reading;
  }

  async function loadTracked(
    { id, secretHash }: Credential,
    ask: Question,
    from: { readonly trust: Trust; readonly slot: number },
    askedAt: number,
  ): Promise<SessionReading | Absent> {
    const { trust } = from;
    const load: Load = { secretHash, trust, answer: askTracked() };
    loads.set(id, load); // before an answer or an invalidation can arrive
    try {
      const reading = await load.answer;
      if (loads.get(id) !== load) return reading;
      const entry =
        typeof reading === 'object' ? toEntry(reading, secretHash, from, askedAt) : undefined;
      if (entry !== undefined) entries.set(id, entry);
      else if (entries.get(id)?.secretHash === secretHash) entries.delete(id);
      return reading;
    } finally {
      if (loads.get(id) === load) loads.delete(id);
    }

    async function askTracked(): Promise<SessionReading | Absent> {
      try {
        return await ask(trust.run, true);
      } catch (error) {
        const failure = error instanceof StoreUnavailableError ? error.failure : undefined;
        if (failure === 'timeout' || failure === 'connection') trust.until = 0; // until the next proof
        if (failure === undefined || failure === 'timeout') throw error;
        forget(id); // reads by the client are not tracked
        return ask(byClient, false); // a second slide does no harm
      }
    }
  }

  /**
   * A read of this session that is already under way, so that many concurrent callers ask Redis once. The first caller
   * keeps the answer.
   */
  function underWay({ id, secretHash }: Credential): Promise<unknown> | undefined {
    const load = loads.get(id);
    return load?.secretHash === secretHash ? load.answer : undefined;
  }

  function readKept(credential: Credential): Session | undefined {
    const now = performance.now();
    const entry = kept(credential, now);
    if (entry === undefined) return undefined;
    return asOf(entry.session, entry.expiresAt, touches.get(credential, entry.session.ttl), now);
  }

  async function read(credential: Credential): Promise<Session | Absent> {
    for (let joined = 0; ; joined += 1) {
      const session = readKept(credential);
      if (session !== undefined) {
        hits += 1;
        return session;
      }
      const asked = joined < MOST_JOINED ? underWay(credential) : undefined;
      if (asked === undefined) break;
      await asked;
    }
    misses += 1;
    const reading = await load(credential, ask(credential));
    if (typeof reading !== 'object') return reading;
    const { session } = reading;
    const now = performance.now();
    return asOf(session, now + session.remainingMs, touches.get(credential, session.ttl), now);
  }

  function accessKept(credential: Credential, access: Access): Session | undefined {
    const now = performance.now();
    const entry = kept(credential, now);
    return entry && use(entry, credential, access, now);
  }

  async function access(credential: Credential, access: Access): Promise<Session | Absent> {
    for (let joined = 0; ; joined += 1) {
      const session = accessKept(credential, access);
      if (session !== undefined) {
        hits += 1;
        return session;
      }
      const asked = joined < MOST_JOINED ? underWay(credential) : undefined;
      if (asked === undefined) break;
      await asked;
    }
    misses += 1;
    const now = performance.now();
    const cannotWait = kept(credential, now) !== undefined;
    if (cannotWait || trusted(slotFor(credential.id), now) === undefined)
      return toSession(await slide(credential, access));
    // A session that was slid a moment ago, by this or another process, is only read.
    const refreshAfterMs = Math.max(access.refreshAfterMs, LONGEST_PUT_OFF_MS);
    const reading = await slide(credential, { at: access.at, refreshAfterMs });
    if (typeof reading !== 'object' || reading.slid) return toSession(reading);
    return accessKept(credential, access) ?? toSession(await slide(credential, access));
  }

  /** The session after a use whose slide is put off; `undefined` if putting it off could do harm. */
  function use(
    { session, expiresAt, slidAt, maybeCutFrom }: NearCacheEntry,
    credential: Credential,
    { at, refreshAfterMs }: Access,
    now: number,
  ): Session | undefined {
    if (now - slidAt < Math.min(refreshAfterMs, session.ttl * 500))
      return asOf(session, expiresAt, touches.get(credential, session.ttl), now);
    if (expiresAt - now < LEAST_LEFT_MS || now >= maybeCutFrom) return undefined;
    const putOff = touches.add(credential, session.ttl, at, now);
    return putOff && asOf(session, expiresAt, putOff, now);
  }

  function slide(credential: Credential, access: Access): Promise<SessionReading | Absent> {
    return load(credential, askAndSlide(credential, access));
  }

  function isTrusted(): boolean {
    const now = performance.now();
    const all = trackings.all();
    return all.length > 0 && all.every(({ trust }) => trust !== undefined && now < trust.until);
  }

  return {
    repository: { ...writes, read, access },
    stats: () => ({
      sessions: entries.size,
      bytes: entries.bytes,
      trusted: isTrusted(),
      hits,
      misses,
    }),
    async close() {
      clearInterval(beating);
      trackings.close(); // first, so that no further slide is put off
      await touches.close();
    },
  };
}

/** The session as it was read, with the time that is left now, or as it will be after the slide that was put off. */
function asOf(
  session: Session,
  expiresAt: number,
  putOff: PutOff | undefined,
  now: number,
): Session {
  const leftMs =
    putOff === undefined ? expiresAt - now : session.ttl * 1000 - (now - putOff.usedAt);
  return {
    id: session.id,
    user: session.user,
    fields: session.fields,
    createdAt: session.createdAt,
    authenticatedAt: session.authenticatedAt,
    lastAccessedAt: putOff === undefined ? session.lastAccessedAt : putOff.at,
    ttl: session.ttl,
    // Not rounded up: sums of instants are inexact in the last bit, and 60 seconds would be shown as 61.
    remainingMs: Math.max(1, Math.round(leftMs)),
    endsAt: session.endsAt,
    persistent: session.persistent,
    device: session.device,
  };
}
