import { exceededLimit } from '../../domain/session-fields.ts';
import type { Session } from '../../domain/session.ts';
import { decodeSession, reserved } from '../../domain/session-record.ts';
import type { Credential, SessionId } from '../../domain/session-token.ts';
import { systemClock } from '../node/system-clock.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  Access,
  FieldChange,
  FieldIncrement,
  FieldRemoval,
  FieldReplacement,
  LimitRefusal,
  NewSession,
  SessionRepository,
  TtlChange,
} from '../../ports/session-repository.ts';

/** A session as it is kept: the same record that Redis would hold, and when it ends by this store's clock. */
interface Entry {
  readonly record: Map<string, string>;
  expiresAt: number;
}

const INTEGER = /^(0|-?[1-9][0-9]*)$/;

/**
 * Sessions in this process: for tests, for embedding and for a server without Redis. It keeps the whole contract, but
 * nothing outlives the process and no other process sees it. Each call runs to its end in one turn of the event loop,
 * which is what makes it atomic.
 */
export class MemorySessionRepository implements SessionRepository {
  readonly #entries = new Map<SessionId, Entry>();
  readonly #clock: Clock;
  #sweepAtSize = 1024;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  async create({ credential, user, fields, ttl, lifetime, at }: NewSession): Promise<Session | undefined> {
    const { id, secretHash } = credential;
    if (this.#alive(id) !== undefined) return undefined;
    this.#sweep();
    const record = new Map<string, string>([
      [reserved.createdAt, at],
      [reserved.lastAccessedAt, at],
      [reserved.ttl, String(ttl)],
      [reserved.secret, secretHash],
    ]);
    if (lifetime !== undefined) {
      record.set(reserved.deadline, String(this.#clock.now() + lifetime * 1000));
    }
    if (user !== undefined) record.set(reserved.user, user);
    for (const [name, value] of fields) record.set(name, value);
    const entry = { record, expiresAt: 0 };
    this.#entries.set(id, entry);
    return this.#slide(id, entry, at);
  }

  async read(credential: Credential): Promise<Session | undefined> {
    const entry = this.#open(credential);
    return entry && this.#session(credential.id, entry);
  }

  async access(credential: Credential, { at, refreshAfterMs }: Access): Promise<Session | undefined> {
    const entry = this.#open(credential);
    if (entry === undefined) return undefined;
    const gainedMs = this.#slideTarget(entry) - entry.expiresAt;
    const due = gainedMs >= refreshAfterMs || this.#endsByLifetime(entry);
    return due ? this.#slide(credential.id, entry, at) : this.#session(credential.id, entry);
  }

  async update(
    credential: Credential,
    { set, unset, limits, at }: FieldChange,
  ): Promise<true | LimitRefusal | undefined> {
    const entry = this.#open(credential);
    if (entry === undefined) return undefined;
    const next = new Map(entry.record);
    for (const name of unset) next.delete(name);
    for (const [name, value] of set) next.set(name, value);
    const exceeded = set.size > 0 ? exceededLimit(next, limits) : undefined;
    if (exceeded !== undefined) return exceeded;
    for (const name of unset) entry.record.delete(name);
    for (const [name, value] of set) entry.record.set(name, value);
    this.#slide(credential.id, entry, at);
    return true;
  }

  async increment(
    credential: Credential,
    { field, by, limits, at }: FieldIncrement,
  ): Promise<number | 'not_an_integer' | 'out_of_range' | LimitRefusal | undefined> {
    const entry = this.#open(credential);
    if (entry === undefined) return undefined;
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
  ): Promise<boolean | LimitRefusal | undefined> {
    const entry = this.#open(credential);
    if (entry === undefined) return undefined;
    if (entry.record.get(field) !== expected) return false;
    const set = new Map(next === undefined ? [] : [[field, next]]);
    const unset = next === undefined ? [field] : [];
    return this.update(credential, { set, unset, limits, at });
  }

  async take(
    credential: Credential,
    { field, at }: FieldRemoval,
  ): Promise<{ readonly value: string | undefined } | undefined> {
    const entry = this.#open(credential);
    if (entry === undefined) return undefined;
    const value = entry.record.get(field);
    entry.record.delete(field);
    this.#slide(credential.id, entry, at);
    return { value };
  }

  async setTtl(credential: Credential, { ttl, at }: TtlChange): Promise<boolean> {
    const entry = this.#open(credential);
    if (entry === undefined) return false;
    entry.record.set(reserved.ttl, String(ttl));
    this.#slide(credential.id, entry, at);
    return true;
  }

  async delete(credential: Credential): Promise<boolean> {
    return this.#open(credential) !== undefined && this.#entries.delete(credential.id);
  }

  #open({ id, secretHash }: Credential): Entry | undefined {
    const entry = this.#alive(id);
    return entry?.record.get(reserved.secret) === secretHash ? entry : undefined;
  }

  #alive(id: SessionId): Entry | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.expiresAt > this.#clock.now()) return entry;
    this.#entries.delete(id);
    return undefined;
  }

  #slide(id: SessionId, entry: Entry, at: string): Session | undefined {
    entry.expiresAt = this.#slideTarget(entry);
    entry.record.set(reserved.lastAccessedAt, at);
    return this.#session(id, entry);
  }

  #slideTarget(entry: Entry): number {
    const idleEnd = this.#clock.now() + Number(entry.record.get(reserved.ttl)) * 1000;
    return Math.min(idleEnd, Number(entry.record.get(reserved.deadline) ?? Infinity));
  }

  // Close to the end of its lifetime a slide gains nothing, so what it would gain cannot tell when the last one was.
  #endsByLifetime(entry: Entry): boolean {
    return this.#slideTarget(entry) === Number(entry.record.get(reserved.deadline));
  }

  #session(id: SessionId, entry: Entry): Session | undefined {
    const record = [...entry.record].flat();
    return decodeSession(id, record, entry.expiresAt - this.#clock.now());
  }

  // Sessions that nobody asks for again would stay for ever; looking at all of them each time the number has doubled
  // costs every create the same small share.
  #sweep(): void {
    if (this.#entries.size < this.#sweepAtSize) return;
    for (const id of [...this.#entries.keys()]) this.#alive(id);
    this.#sweepAtSize = Math.max(1024, this.#entries.size * 2);
  }
}
