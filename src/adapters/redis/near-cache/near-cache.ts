import type { Session } from '../../../domain/session.ts';
import type { Credential, SecretHash, SessionId } from '../../../domain/session-token.ts';
import type { Absent, Access, SessionRepository } from '../../../ports/session-repository.ts';
import { commandsOf, type RedisClient } from '../clients/tell-apart.ts';
import { RedisSessionRepository } from '../redis-session-repository.ts';
import { NearCacheEntries, type NearCacheEntry, toEntry } from './entries.ts';
import { NearCacheInvalidations } from './invalidations.ts';
import { LONGEST_PUT_OFF_MS, NearCacheTouches, type PutOff } from './touches.ts';
import { forgettingWrites } from './writes.ts';

/** Which sessions to keep, and how many. */
export interface NearCacheOptions {
  /** A client of one server. On a cluster nothing is kept: every call goes to Redis. */
  readonly client: RedisClient;
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
  /** How much is kept, whether reads may be answered from it now, and how many were so far, or not. */
  stats(): {
    readonly sessions: number;
    readonly bytes: number;
    readonly trusted: boolean;
    readonly hits: number;
    readonly misses: number;
  };
  /** Does the slides that were put off and closes the connection for changes; the client stays open. */
  close(): Promise<void>;
}

/** Less time left than this is no time to wait for a slide: it covers what is put off, a store that is slow, and a second try. */
const LEAST_LEFT_MS = 5000;

/** For how long a session that is being read again is served as it was: with Redis' word of a change it stays within the bound. */
const REREAD_MS = 100;

/** How often to wait for what others asked, in vain where each answer is outdated at once, before asking oneself. */
const MOST_JOINED = 2;

interface Reading {
  readonly record: readonly string[];
  readonly slid: boolean;
}

interface Load {
  readonly secretHash: SecretHash;
  readonly answer: Promise<Session | Absent>;
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
  const commands = commandsOf(client);
  if (commands.isCluster) {
    const repository = new RedisSessionRepository({ client, prefix });
    const stats = () => ({ sessions: 0, bytes: 0, trusted: false, hits: 0, misses: 0 });
    return { repository, stats, close: async () => {} };
  }
  const readings = new WeakMap<Session, Reading>();
  const origin = new RedisSessionRepository(
    { client, prefix },
    undefined,
    (session, record, slid) => {
      readings.set(session, { record, slid });
    },
  );
  const entries = new NearCacheEntries(maxSessions, maxBytes);
  /** Questions under way whose answers may be kept: unless Redis tells of a change meanwhile. */
  const loads = new Map<SessionId, Load>();
  /** Sessions that this process slid: a change of which Redis will tell as of any other. */
  const slid = new Set<SessionId>();

  let hits = 0;
  let misses = 0;

  function forget(id: SessionId): void {
    entries.delete(id);
    loads.delete(id);
    slid.delete(id);
  }

  // A slide of our own changes nothing that we do not know, but another's change may hide behind it: the session is
  // read again, and what is kept is good for the moment that this takes.
  function changed(id: SessionId): void {
    const entry = entries.get(id);
    const secretHash = entry?.secretHash ?? loads.get(id)?.secretHash;
    if (secretHash === undefined || !slid.delete(id)) {
      forget(id);
      return;
    }
    if (entry !== undefined) {
      const keptUntil = Math.min(entry.keptUntil, performance.now() + REREAD_MS);
      entries.set(id, { ...entry, keptUntil });
    }
    load({ id, secretHash }, () => origin.read({ id, secretHash })).catch(() => {}); // then it is kept no longer
  }

  const invalidations = new NearCacheInvalidations(commands, prefix, {
    changed: (key) => changed(key.slice(prefix.length) as SessionId), // another key's rest is no id, and not kept
    lost() {
      entries.clear();
      loads.clear();
      slid.clear();
    },
    failed: onError,
  });
  const writes = forgettingWrites(origin, forget);
  const touches = new NearCacheTouches(slide, maxSessions);

  function kept({ id, secretHash }: Credential, now: number): NearCacheEntry | undefined {
    if (now >= invalidations.provenUntil) return undefined;
    const entry = entries.get(id);
    return entry?.secretHash === secretHash && now < entry.keptUntil ? entry : undefined;
  }

  /** One whose session is kept under another secret: until Redis tells of a rotation nothing is learned from it. */
  function isOther({ id, secretHash }: Credential): boolean {
    const entry = entries.get(id);
    return (
      entry !== undefined && entry.secretHash !== secretHash && performance.now() < entry.keptUntil
    );
  }

  /** Asks Redis, and keeps the answer. */
  async function load(
    { id, secretHash }: Credential,
    ask: () => Promise<Session | Absent>,
  ): Promise<Session | Absent> {
    const askedAt = performance.now();
    const load = { secretHash, answer: ask() };
    loads.set(id, load);
    try {
      const session = await load.answer;
      const before = entries.get(id);
      if (typeof session !== 'object') {
        if (before?.secretHash === secretHash) entries.delete(id);
        return session;
      }
      const entry = toEntry(session, readings.get(session)?.record ?? [], secretHash, askedAt);
      if (loads.get(id) === load) {
        if (entry !== undefined && askedAt < invalidations.provenUntil) entries.set(id, entry);
        else entries.delete(id);
      } else if (entry !== undefined && before?.secretHash === secretHash) {
        // It is being read again, and served meanwhile: as the newer of the two, and no longer than was said.
        entries.set(id, { ...entry, keptUntil: Math.min(entry.keptUntil, before.keptUntil) });
      }
      if (entry !== undefined) touches.done(id, entry.slidAt);
      return session;
    } finally {
      if (loads.get(id) === load) loads.delete(id);
    }
  }

  /** The question that somebody asks already: many who ask at once ask Redis once. Whoever asked first has kept the answer. */
  function underWay({ id, secretHash }: Credential): Promise<unknown> | undefined {
    const load = loads.get(id);
    return load?.secretHash === secretHash ? load.answer : undefined;
  }

  function readKept(credential: Credential): Session | undefined {
    const now = performance.now();
    const entry = kept(credential, now);
    if (entry === undefined) return undefined;
    hits += 1;
    return asOf(entry.session, entry.expiresAt, touches.get(credential, entry.session.ttl), now);
  }

  function accessKept(credential: Credential, { at, refreshAfterMs }: Access): Session | undefined {
    const now = performance.now();
    const entry = kept(credential, now);
    if (entry === undefined) return undefined;
    const { session, expiresAt, slidAt } = entry;
    const due = now - slidAt >= Math.min(refreshAfterMs, session.ttl * 500);
    const putOff = due
      ? putOffSlide(credential, at, entry, now)
      : touches.get(credential, session.ttl);
    if (due && putOff === undefined) return undefined;
    hits += 1;
    return asOf(session, expiresAt, putOff, now);
  }

  async function read(credential: Credential): Promise<Session | Absent> {
    for (let joined = 0; ; joined += 1) {
      const session = readKept(credential);
      if (session !== undefined) return session;
      const asked = joined < MOST_JOINED ? underWay(credential) : undefined;
      if (asked === undefined) break;
      await asked;
    }
    misses += 1;
    const ask = () => origin.read(credential);
    const session = await (isOther(credential) ? ask() : load(credential, ask));
    if (typeof session !== 'object') return session;
    const now = performance.now();
    return asOf(session, now + session.remainingMs, touches.get(credential, session.ttl), now);
  }

  async function access(credential: Credential, access: Access): Promise<Session | Absent> {
    for (let joined = 0; ; joined += 1) {
      const session = accessKept(credential, access);
      if (session !== undefined) return session;
      const asked = joined < MOST_JOINED ? underWay(credential) : undefined;
      if (asked === undefined) break;
      await asked;
    }
    misses += 1;
    const now = performance.now();
    if (now >= invalidations.provenUntil) return writes.access(credential, access);
    if (kept(credential, now) !== undefined) return slide(credential, access); // it cannot wait
    // One that was slid a moment ago is only read: of a slide Redis tells as of any change, and it is read again.
    const { at, refreshAfterMs } = access;
    const answer = await slide(credential, {
      at,
      refreshAfterMs: Math.max(refreshAfterMs, LONGEST_PUT_OFF_MS),
    });
    if (typeof answer !== 'object' || wasSlid(answer)) return answer;
    return accessKept(credential, access) ?? slide(credential, access);
  }

  /** The slide is done later, unless that could do harm. */
  function putOffSlide(
    credential: Credential,
    at: string,
    { session, expiresAt, maybeCutFrom }: NearCacheEntry,
    now: number,
  ): PutOff | undefined {
    if (expiresAt - now < LEAST_LEFT_MS || now >= maybeCutFrom) return undefined;
    return touches.add(credential, session.ttl, at, now);
  }

  async function slide(credential: Credential, access: Access): Promise<Session | Absent> {
    const ask = () => origin.access(credential, access);
    if (isOther(credential)) return ask();
    const { id } = credential;
    const askedAt = performance.now();
    slid.add(id);
    const session = await load(credential, ask).catch((error) => {
      forget(id); // it may have arrived, and hidden the change of another
      throw error;
    });
    if (typeof session === 'object' && wasSlid(session)) touches.done(id, askedAt);
    else slid.delete(id); // nothing was changed, and nothing will be told
    return session;
  }

  function wasSlid(session: Session): boolean {
    return readings.get(session)?.slid === true;
  }

  return {
    repository: { ...writes, read, access },
    stats: () => ({
      sessions: entries.size,
      bytes: entries.bytes,
      trusted: performance.now() < invalidations.provenUntil,
      hits,
      misses,
    }),
    async close() {
      invalidations.close(); // first: from then on no slide is put off
      await touches.close();
    },
  };
}

/** The session as it was read, with the time that is left now, or as the slide that was put off will leave it. */
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
    // Not rounded up: sums of instants are off by the last bit, and 60 seconds would be 61 for who counts in seconds.
    remainingMs: Math.max(1, Math.round(leftMs)),
    endsAt: session.endsAt,
    persistent: session.persistent,
    device: session.device,
  };
}
