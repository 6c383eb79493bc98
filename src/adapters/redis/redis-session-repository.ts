import type { Cluster, Redis } from 'ioredis';
import type { Session } from '../../domain/session.ts';
import { decodeSession, newRecord, reserved } from '../../domain/session-record.ts';
import type { Credential, SessionId } from '../../domain/session-token.ts';
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
  Rotation,
  SessionRepository,
  TtlChange,
} from '../../ports/session-repository.ts';
import type { UserIndex } from '../../ports/user-index.ts';
import { openOwnConnection } from './own-connection.ts';
import { storeUnavailable } from './redis-errors.ts';
import { RedisUserIndex } from './redis-user-index.ts';
import { scripts } from './scripts.ts';

type ScriptName = keyof typeof scripts;
type Script = (key: string, ...args: readonly (string | number)[]) => Promise<unknown>;
type ScriptedClient = Record<ScriptName, Script>;

/** Hears of a session, of the record that it was decoded from, secrets' hashes included, and whether it was slid just now. */
export type OnRecord = (session: Session, record: readonly string[], slid: boolean) => void;

/** What a script answers where there is no session to act on. */
const ABSENT = 0;

/** Which Redis, and which of its keys. */
export interface RedisSessionRepositoryOptions {
  /**
   * A connected client, of one server or of a cluster. Its options decide what happens when Redis is away: take
   * `connectRedis`, or read there which ones keep a command from running twice. The repository never closes it.
   */
  readonly client: Redis | Cluster;
  /** What every key begins with. Applications that share a Redis each take their own. Default `session:`. */
  readonly prefix?: string;
}

/**
 * Sessions in Redis: one hash at `<prefix><id>`, expired by Redis itself. Each operation is one script on that key.
 * Several processes may use one Redis, and their clocks may differ: the server's clock decides when a session ends.
 */
export class RedisSessionRepository implements SessionRepository {
  readonly users: UserIndex;
  readonly #shared: Redis | Cluster;
  readonly #client: ScriptedClient;
  readonly #prefix: string;
  readonly #onKey: (key: string) => void;
  readonly #onRecord: OnRecord;

  /** `onKey` hears of every key that is asked about, `onRecord` of every session that a token read or accessed. */
  constructor(
    { client, prefix = 'session:' }: RedisSessionRepositoryOptions,
    onKey: (key: string) => void = () => {},
    onRecord: OnRecord = () => {},
  ) {
    for (const [name, lua] of Object.entries(scripts)) {
      client.defineCommand(name, { numberOfKeys: 1, lua });
    }
    this.#client = client as unknown as ScriptedClient; // defineCommand added these methods
    this.#shared = client;
    this.#prefix = prefix;
    this.#onKey = onKey;
    this.#onRecord = onRecord;
    this.users = new RedisUserIndex(client, prefix, onKey);
  }

  async create(session: NewSession): Promise<Session | 'evicted' | undefined> {
    const { credential, ttl, lifetime } = session;
    const record = newRecord(session);
    const answer = await this.#run('sojournCreate', credential.id, ttl, lifetime ?? '', ...record);
    if (answer === ABSENT) return undefined;
    if (answer === 'evicted') return answer;
    const [remainingMs, deadline] = answer as [string, string];
    if (deadline !== '') record.push(reserved.deadline, deadline);
    return decodeSession(credential.id, record, Number(remainingMs));
  }

  async read(credential: Credential): Promise<Session | Absent> {
    return toSession(
      credential.id,
      await this.#open('sojournRead', credential, ''),
      this.#onRecord,
    );
  }

  async access(credential: Credential, { at, refreshAfterMs }: Access): Promise<Session | Absent> {
    const answer = await this.#open('sojournAccess', credential, at, refreshAfterMs);
    return toSession(credential.id, answer, this.#onRecord);
  }

  async update(
    credential: Credential,
    { set, unset, limits, at }: FieldChange,
  ): Promise<true | LimitRefusal | Absent> {
    const { maxFields, maxTotalBytes } = limits;
    const fields = [...set].flat();
    const args = [maxFields, maxTotalBytes, fields.length, ...fields, ...unset];
    return toTrue<LimitRefusal>(await this.#open('sojournUpdate', credential, at, ...args));
  }

  async increment(
    credential: Credential,
    { field, by, limits, at }: FieldIncrement,
  ): Promise<number | IncrementRefusal | LimitRefusal | Absent> {
    const args = [limits.maxFields, limits.maxTotalBytes, field, by];
    const answer = await this.#open('sojournIncrement', credential, at, ...args);
    if (Array.isArray(answer)) return Number(answer[0]);
    return answer === ABSENT ? undefined : (answer as IncrementRefusal | LimitRefusal | Absent);
  }

  async replace(
    credential: Credential,
    { field, expected, next, limits, at }: FieldReplacement,
  ): Promise<boolean | LimitRefusal | Absent> {
    const args = [
      ...[limits.maxFields, limits.maxTotalBytes, field],
      ...[expected === undefined ? 0 : 1, expected ?? ''],
      ...[next === undefined ? 0 : 1, next ?? ''],
    ];
    const answer = await this.#open('sojournReplace', credential, at, ...args);
    return answer === -1 ? false : toTrue<LimitRefusal>(answer);
  }

  async take(
    credential: Credential,
    { field, at }: FieldRemoval,
  ): Promise<{ readonly value: string | undefined } | Absent> {
    const answer = await this.#open('sojournTake', credential, at, field);
    if (Array.isArray(answer)) return { value: answer[0] };
    return answer === ABSENT ? undefined : (answer as Absent);
  }

  async setTtl(credential: Credential, { ttl, at }: TtlChange): Promise<true | Absent> {
    return toTrue<never>(await this.#open('sojournSetTtl', credential, at, ttl));
  }

  async rotate(
    credential: Credential,
    { next, graceMs, reauthenticated, at }: Rotation,
  ): Promise<boolean | Absent> {
    const anew = reauthenticated === undefined ? [0, ''] : [1, reauthenticated.lifetime ?? ''];
    const answer = await this.#open('sojournRotate', credential, at, next, graceMs, ...anew);
    return answer === -1 ? false : toTrue<never>(answer);
  }

  async delete(credential: Credential): Promise<Ended | Absent> {
    const answer = await this.#open('sojournDelete', credential, '');
    if (Array.isArray(answer)) return { user: answer[0] };
    return answer === ABSENT ? undefined : (answer as Absent);
  }

  async find(id: SessionId): Promise<Session | undefined> {
    const answer = await this.#run('sojournFind', id);
    return answer === ABSENT ? undefined : (toSession(id, answer) as Session | undefined); // no secret, no reuse
  }

  async end(
    id: SessionId,
    { unbornMs, unbornAs = 'revoked' }: EndOptions,
  ): Promise<Ended | undefined> {
    const answer = await this.#run('sojournEnd', id, unbornMs, unbornAs);
    return Array.isArray(answer) ? { user: answer[0] } : undefined;
  }

  /** Opens a connection of its own for `act`, so that nobody else's commands queue behind the wait. */
  async durably<T>(
    durability: Durability,
    act: (repository: SessionRepository) => Promise<T>,
  ): Promise<Durable<T>> {
    const own = await openOwnConnection(this.#shared, durability);
    try {
      const keys = new Set<string>();
      const options = { client: own.client, prefix: this.#prefix };
      const answer = await act(new RedisSessionRepository(options, (key) => keys.add(key)));
      return { answer, durable: await own.reached(keys, durability) };
    } finally {
      own.close();
    }
  }

  #open(
    script: ScriptName,
    { id, secretHash }: Credential,
    at: string,
    ...args: readonly (string | number)[]
  ): Promise<unknown> {
    return this.#run(script, id, secretHash, at, ...args);
  }

  #run(script: ScriptName, id: SessionId, ...args: readonly (string | number)[]): Promise<unknown> {
    const key = this.#prefix + id;
    this.#onKey(key);
    return this.#client[script](key, ...args).catch(throwUnavailable);
  }
}

function throwUnavailable(error: unknown): never {
  throw storeUnavailable(error);
}

function toSession(id: SessionId, answer: unknown, onRecord?: OnRecord): Session | Absent {
  if (!Array.isArray(answer)) return answer === ABSENT ? undefined : (answer as Absent);
  const [remainingMs, fields, slid] = answer as [number, string | string[], 1?];
  const record: string[] = typeof fields === 'string' ? JSON.parse(fields) : fields;
  const session = decodeSession(id, record, remainingMs);
  if (session !== undefined) onRecord?.(session, record, slid === 1);
  return session;
}

/** 1 is `true`; a text is a refusal that the script names by the port's own code, or `reused`. */
function toTrue<Refusal extends string>(answer: unknown): true | Refusal | Absent {
  if (answer === 1) return true;
  return answer === ABSENT ? undefined : (answer as Refusal | Absent);
}
