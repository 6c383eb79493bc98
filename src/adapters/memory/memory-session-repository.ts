import { wasReplaced, withReplaced } from '../../domain/replaced-secrets.ts';
import type { Session } from '../../domain/session.ts';
import { exceededLimit } from '../../domain/session-fields.ts';
import { decodeSession, newRecord, reserved } from '../../domain/session-record.ts';
import type { Credential, SessionId } from '../../domain/session-token.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MovableRepository, SessionMoves } from '../../ports/session-moves.ts';
import type {
  Absent,
  Access,
  Durability,
  Durable,
  Ended,
  EndOptions,
  FieldChange,
  FieldIncrement,
  FieldRemoval,
  FieldReplacement,
  IncrementRefusal,
  LimitRefusal,
  NewSession,
  Rotated,
  Rotation,
  TtlChange,
} from '../../ports/session-repository.ts';
import type { UserIndex } from '../../ports/user-index.ts';
import { systemClock } from '../node/system-clock.ts';
import {
  isSession,
  type MemoryEntries,
  type MemoryEntry,
  MemorySessionMoves,
} from './memory-session-moves.ts';
import { MemoryUserIndex } from './memory-user-index.ts';

/** The same record that Redis would hold, and when the session ends by this store's clock. */
type Entry = MemoryEntry;

const INTEGER = /^(0|-?[1-9][0-9]*)$/;

/**
 * Sessions in the memory of this process, for tests, for embedding and for a server without Redis. It keeps the whole
 * contract, but sessions are lost when the process ends and are not visible to other processes. Each call is atomic,
 * because it runs within one turn of the event loop.
 */
export class MemorySessionRepository implements MovableRepository {
  /** The index of each user's sessions. */
  readonly users: UserIndex;
  /** The steps with which sessions move to and from this repository. */
  readonly moves: SessionMoves;
  readonly #entries = new Map<SessionId, Entry>();
  readonly #clock: Clock;
  #sweepAtSize = 1024;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    const users = new MemoryUserIndex(clock);
    this.users = users;
    const entries: MemoryEntries = {
      alive: (id) => this.#alive(id),
      put: (id, entry) => this.#entries.set(id, entry),
      remove: (id) => this.#entries.delete(id),
      opens: (record, secretHash) => this.#opens(record, secretHash),
      slide: (entry, use) => this.#slideIfDue(entry, use),
    };
    this.moves = new MemorySessionMoves(entries, users, clock);
  }

  /** The number of live sessions. Checks every session. */
  async count(): Promise<number> {
    const now = this.#clock.now();
    let alive = 0;
    for (const { expiresAt } of this.#entries.values()) if (expiresAt > now) alive += 1;
    return alive;
  }

  /** The ids of the live sessions. Checks every session. */
  ids(): SessionId[] {
    const now = this.#clock.now();
    return [...this.#entries].filter(([, { expiresAt }]) => expiresAt > now).map(([id]) => id);
  }

  async create(session: NewSession): Promise<Session | 'evicted' | undefined> {
    const { credential, lifetime, at } = session;
    const taken = this.#alive(credential.id);
    if (taken !== undefined) {
      return taken.record.get(reserved.ended) === 'evicted' ? 'evicted' : undefined;
    }
    this.#sweep();
    const entry: Entry = { record: toMap(newRecord(session)), expiresAt: 0 };
    if (lifetime !== undefined) this.#endAfter(entry, lifetime);
    this.#entries.set(credential.id, entry);
    this.#slide(entry, at);
    return this.#session(credential.id, entry);
  }

  async read(credential: Credential): Promise<Session | Absent> {
    const entry = this.#open(credential);
    return isAbsent(entry) ? entry : this.#session(credential.id, entry);
  }

  async access(credential: Credential, access: Access): Promise<Session | Absent> {
    const entry = this.#open(credential);
    if (isAbsent(entry)) return entry;
    this.#slideIfDue(entry, access);
    return this.#session(credential.id, entry);
  }

  async update(
    credential: Credential,
    { set, unset, limits, at }: FieldChange,
  ): Promise<true | LimitRefusal | Absent> {
    const entry = this.#open(credential);
    if (isAbsent(entry)) return entry;
    const record = new Map(entry.record);
    for (const name of unset) record.delete(name);
    for (const [name, value] of set) record.set(name, value);
    const exceeded = set.size > 0 ? exceededLimit(record, limits) : undefined;
    if (exceeded !== undefined) return exceeded;
    entry.record = record;
    this.#slide(entry, at);
    return true;
  }

  async increment(
    credential: Credential,
    { field, by, limits, at }: FieldIncrement,
  ): Promise<number | IncrementRefusal | LimitRefusal | Absent> {
    const entry = this.#open(credential);
    if (isAbsent(entry)) return entry;
    const current = entry.record.get(field) ?? '0';
    if (!INTEGER.test(current)) return 'not_an_integer';
    const sum = Number(current) + by;
    if (!Number.isSafeInteger(Number(current)) || !Number.isSafeInteger(sum)) return 'out_of_range';
    const set = new Map([[field, String(sum)]]);
    const answer = await this.update(credential, { set, unset: [], limits, at });
    return answer === true ? sum : answer;
  }

  async replace(
    credential: Credential,
    { field, expected, next, limits, at }: FieldReplacement,
  ): Promise<boolean | LimitRefusal | Absent> {
    const entry = this.#open(credential);
    if (isAbsent(entry)) return entry;
    if (entry.record.get(field) !== expected) return false;
    const set = new Map(next === undefined ? [] : [[field, next]]);
    const unset = next === undefined ? [field] : [];
    return this.update(credential, { set, unset, limits, at });
  }

  async take(
    credential: Credential,
    { field, at }: FieldRemoval,
  ): Promise<{ readonly value: string | undefined } | Absent> {
    const entry = this.#open(credential);
    if (isAbsent(entry)) return entry;
    const value = entry.record.get(field);
    entry.record.delete(field);
    this.#slide(entry, at);
    return { value };
  }

  async setTtl(credential: Credential, { ttl, at }: TtlChange): Promise<true | Absent> {
    const entry = this.#open(credential);
    if (isAbsent(entry)) return entry;
    entry.record.set(reserved.ttl, String(ttl));
    this.#slide(entry, at);
    return true;
  }

  async rotate(
    credential: Credential,
    { next, graceMs, reauthenticated, at }: Rotation,
  ): Promise<Rotated | false | Absent> {
    const entry = this.#open(credential);
    if (isAbsent(entry)) return entry;
    const { record } = entry;
    if (record.get(reserved.secret) !== credential.secretHash) return false;
    this.#keepReplaced(record);
    record.set(reserved.secret, next);
    record.set(reserved.previousSecret, credential.secretHash);
    record.set(reserved.previousUntil, String(graceMs > 0 ? this.#clock.now() + graceMs : 0));
    if (reauthenticated !== undefined) {
      record.set(reserved.authenticatedAt, at);
      record.delete(reserved.deadline);
      if (reauthenticated.lifetime !== undefined) this.#endAfter(entry, reauthenticated.lifetime);
    }
    this.#slide(entry, at);
    return { user: record.get(reserved.user) };
  }

  async delete(credential: Credential): Promise<Ended | Absent> {
    const entry = this.#open(credential);
    return isAbsent(entry) ? entry : this.#remove(credential.id, entry);
  }

  async find(id: SessionId): Promise<Session | undefined> {
    const entry = this.#alive(id);
    return entry && this.#session(id, entry);
  }

  async end(
    id: SessionId,
    { unbornMs, unbornAs = 'revoked' }: EndOptions,
  ): Promise<Ended | undefined> {
    const entry = this.#alive(id);
    if (entry !== undefined && isSession(entry.record)) {
      const frozen = entry.record.has(reserved.frozenSecret);
      return { ...this.#remove(id, entry), ...(frozen && { frozen }) };
    }
    if (entry?.record.has(reserved.released)) this.#entries.delete(id);
    if (unbornMs === 0) return undefined;
    // This record lacks the fields of a session, so it counts as none, and `create` finds the id taken.
    const why = entry?.record.get(reserved.ended) === 'revoked' ? 'revoked' : unbornAs;
    const record = new Map([[reserved.ended, why]]);
    this.#entries.set(id, { record, expiresAt: this.#clock.now() + unbornMs });
    return undefined;
  }

  /** Never durable, because no other process has the data. */
  async durably<T>(
    _durability: Durability,
    act: (repository: MovableRepository) => Promise<T>,
  ): Promise<Durable<T>> {
    return { answer: await act(this), durable: false };
  }

  #keepReplaced(record: Map<string, string>): void {
    const previous = record.get(reserved.previousSecret);
    if (previous === undefined) return;
    record.set(reserved.replaced, withReplaced(record.get(reserved.replaced) ?? '', previous));
    const until = Number(record.get(reserved.previousUntil));
    if (until > Number(record.get(reserved.replacedUntil) ?? this.#clock.now())) {
      record.set(reserved.replacedUntil, String(until));
    }
  }

  #remove(id: SessionId, entry: Entry): Ended {
    this.#entries.delete(id);
    return { user: entry.record.get(reserved.user) };
  }

  #open({ id, secretHash }: Credential): Entry | Absent {
    const entry = this.#alive(id);
    if (entry === undefined) return undefined;
    const opens = this.#opens(entry.record, secretHash);
    return opens === true ? entry : opens;
  }

  #opens(record: ReadonlyMap<string, string>, secretHash: string): true | Absent {
    if (record.get(reserved.secret) === secretHash) return true;
    if (record.get(reserved.previousSecret) === secretHash) {
      return this.#isAhead(record.get(reserved.previousUntil)) ? true : 'reused';
    }
    if (!wasReplaced(record.get(reserved.replaced) ?? '', secretHash)) return undefined;
    return this.#isAhead(record.get(reserved.replacedUntil)) ? undefined : 'reused';
  }

  #isAhead(instant = '0'): boolean {
    return this.#clock.now() < Number(instant);
  }

  #alive(id: SessionId): Entry | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.expiresAt > this.#clock.now()) return entry;
    this.#entries.delete(id);
    return undefined;
  }

  #slideIfDue(entry: Entry, { at, refreshAfterMs }: Access): void {
    // At least the time since the last slide: after a slide that was limited by the lifetime, less than the ttl was
    // left.
    const ttlMs = Number(entry.record.get(reserved.ttl)) * 1000;
    const gainMs = ttlMs - (entry.expiresAt - this.#clock.now());
    if (gainMs >= Math.min(refreshAfterMs, ttlMs / 2)) this.#slide(entry, at);
  }

  #slide(entry: Entry, at: string): void {
    entry.expiresAt = this.#slideTarget(entry);
    entry.record.set(reserved.lastAccessedAt, at);
  }

  #endAfter(entry: Entry, lifetime: number): void {
    entry.record.set(reserved.deadline, String(this.#clock.now() + lifetime * 1000));
  }

  #slideTarget(entry: Entry): number {
    const idleEnd = this.#clock.now() + Number(entry.record.get(reserved.ttl)) * 1000;
    return Math.min(idleEnd, Number(entry.record.get(reserved.deadline) ?? Infinity));
  }

  #session(id: SessionId, entry: Entry): Session | undefined {
    const record = [...entry.record].flat();
    return decodeSession(id, record, entry.expiresAt - this.#clock.now());
  }

  // Sessions that nobody asks for again would stay for ever. Checking all of them each time their number has doubled
  // adds a small constant cost to each `create`.
  #sweep(): void {
    if (this.#entries.size < this.#sweepAtSize) return;
    for (const id of [...this.#entries.keys()]) this.#alive(id);
    this.#sweepAtSize = Math.max(1024, this.#entries.size * 2);
  }
}

function isAbsent(entry: Entry | Absent): entry is Absent {
  return entry === undefined || entry === 'reused';
}

function toMap(record: readonly string[]): Map<string, string> {
  const map = new Map<string, string>();
  for (let i = 0; i + 1 < record.length; i += 2)
    map.set(record[i] as string, record[i + 1] as string);
  return map;
}
