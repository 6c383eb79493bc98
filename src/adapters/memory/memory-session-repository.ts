import type { Session } from '../../domain/session.ts';
import {
  accessStep,
  createStep,
  deleteStep,
  endStep,
  findStep,
  incrementStep,
  readStep,
  replaceStep,
  rotateStep,
  type Step,
  setTtlStep,
  takeStep,
  updateStep,
} from '../../domain/session-steps.ts';
import type { Credential, SessionId } from '../../domain/session-token.ts';
import { alive, type StoredSession } from '../../domain/stored-session.ts';
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
import { type MemoryEntries, MemorySessionMoves } from './memory-session-moves.ts';
import { MemoryUserIndex } from './memory-user-index.ts';

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
  readonly #entries = new Map<SessionId, StoredSession>();
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
    };
    this.moves = new MemorySessionMoves(entries, users, clock);
  }

  /** The number of live sessions. Checks every session. */
  async count(): Promise<number> {
    const now = this.#clock.now();
    let living = 0;
    for (const { expiresAt } of this.#entries.values()) if (expiresAt > now) living += 1;
    return living;
  }

  /** The ids of the live sessions. Checks every session. */
  ids(): SessionId[] {
    const now = this.#clock.now();
    return [...this.#entries].filter(([, { expiresAt }]) => expiresAt > now).map(([id]) => id);
  }

  async create(session: NewSession): Promise<Session | 'evicted' | undefined> {
    this.#sweep();
    const { id } = session.credential;
    return this.#step(id, (stored, now) => createStep(stored, now, session));
  }

  async read(credential: Credential): Promise<Session | Absent> {
    return this.#step(credential.id, (stored, now) => readStep(stored, now, credential));
  }

  async access(credential: Credential, access: Access): Promise<Session | Absent> {
    return this.#step(credential.id, (stored, now) => accessStep(stored, now, credential, access));
  }

  async update(credential: Credential, change: FieldChange): Promise<true | LimitRefusal | Absent> {
    return this.#step(credential.id, (stored, now) => updateStep(stored, now, credential, change));
  }

  async increment(
    credential: Credential,
    change: FieldIncrement,
  ): Promise<number | IncrementRefusal | LimitRefusal | Absent> {
    return this.#step(credential.id, (stored, now) =>
      incrementStep(stored, now, credential, change),
    );
  }

  async replace(
    credential: Credential,
    change: FieldReplacement,
  ): Promise<boolean | LimitRefusal | Absent> {
    return this.#step(credential.id, (stored, now) => replaceStep(stored, now, credential, change));
  }

  async take(
    credential: Credential,
    field: FieldRemoval,
  ): Promise<{ readonly value: string | undefined } | Absent> {
    return this.#step(credential.id, (stored, now) => takeStep(stored, now, credential, field));
  }

  async setTtl(credential: Credential, change: TtlChange): Promise<true | Absent> {
    return this.#step(credential.id, (stored, now) => setTtlStep(stored, now, credential, change));
  }

  async rotate(credential: Credential, rotation: Rotation): Promise<Rotated | false | Absent> {
    return this.#step(credential.id, (stored, now) =>
      rotateStep(stored, now, credential, rotation),
    );
  }

  async delete(credential: Credential): Promise<Ended | Absent> {
    return this.#step(credential.id, (stored, now) => deleteStep(stored, now, credential));
  }

  async find(id: SessionId): Promise<Session | undefined> {
    return this.#step(id, (stored, now) => findStep(stored, now, id));
  }

  async end(id: SessionId, options: EndOptions): Promise<Ended | undefined> {
    return this.#step(id, (stored, now) => endStep(stored, now, options));
  }

  /** Never durable, because no other process has the data. */
  async durably<T>(
    _durability: Durability,
    act: (repository: MovableRepository) => Promise<T>,
  ): Promise<Durable<T>> {
    return { answer: await act(this), durable: false };
  }

  #step<Answer>(
    id: SessionId,
    work: (stored: StoredSession | undefined, now: number) => Step<Answer>,
  ): Answer {
    const stored = this.#alive(id);
    const { answer, next } = work(stored, this.#clock.now());
    if (next === undefined) this.#entries.delete(id);
    else if (next !== stored) this.#entries.set(id, next);
    return answer;
  }

  #alive(id: SessionId): StoredSession | undefined {
    const stored = alive(this.#entries.get(id), this.#clock.now());
    if (stored === undefined) this.#entries.delete(id);
    return stored;
  }

  // Sessions that nobody asks for again would stay for ever. Checking all of them each time their number has doubled
  // adds a small constant cost to each `create`.
  #sweep(): void {
    if (this.#entries.size < this.#sweepAtSize) return;
    for (const id of [...this.#entries.keys()]) this.#alive(id);
    this.#sweepAtSize = Math.max(1024, this.#entries.size * 2);
  }
}
