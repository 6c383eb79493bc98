import type { Cluster, Redis } from 'ioredis';
import type { Session } from '../../domain/session.ts';
import { decodeSession, reserved } from '../../domain/session-record.ts';
import type { Credential, SessionId } from '../../domain/session-token.ts';
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
import { storeUnavailable } from './redis-errors.ts';
import { scripts } from './scripts.ts';

type ScriptName = keyof typeof scripts;
type Script = (key: string, ...args: readonly (string | number)[]) => Promise<unknown>;
type ScriptedClient = Record<ScriptName, Script>;

/** What a script answers where there is no session to act on. */
const ABSENT = 0;

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
  readonly #client: ScriptedClient;
  readonly #prefix: string;

  constructor({ client, prefix = 'session:' }: RedisSessionRepositoryOptions) {
    for (const [name, lua] of Object.entries(scripts)) {
      client.defineCommand(name, { numberOfKeys: 1, lua });
    }
    this.#client = client as unknown as ScriptedClient; // defineCommand added these methods
    this.#prefix = prefix;
  }

  async create({ credential, user, fields, ttl, lifetime, at }: NewSession): Promise<Session | undefined> {
    const record = [
      [reserved.createdAt, at],
      [reserved.lastAccessedAt, at],
      [reserved.ttl, String(ttl)],
      [reserved.secret, credential.secretHash],
      ...(user === undefined ? [] : [[reserved.user, user]]),
      ...fields,
    ].flat();
    const answer = await this.#run('sojournCreate', credential.id, ttl, lifetime ?? '', ...record);
    if (answer === ABSENT) return undefined;
    const [remainingMs, deadline] = answer as [string, string];
    if (deadline !== '') record.push(reserved.deadline, deadline);
    return decodeSession(credential.id, record, Number(remainingMs));
  }

  async read(credential: Credential): Promise<Session | undefined> {
    return toSession(credential.id, await this.#open('sojournRead', credential, ''));
  }

  async access(credential: Credential, { at, refreshAfterMs }: Access): Promise<Session | undefined> {
    const answer = await this.#open('sojournAccess', credential, at, refreshAfterMs);
    return toSession(credential.id, answer);
  }

  async update(
    credential: Credential,
    { set, unset, limits, at }: FieldChange,
  ): Promise<true | LimitRefusal | undefined> {
    const { maxFields, maxTotalBytes } = limits;
    const fields = [...set].flat();
    const args = [maxFields, maxTotalBytes, fields.length, ...fields, ...unset];
    const answer = await this.#open('sojournUpdate', credential, at, ...args);
    return answer === ABSENT ? undefined : answer === 1 || (answer as LimitRefusal);
  }

  async increment(
    credential: Credential,
    { field, by, limits, at }: FieldIncrement,
  ): Promise<number | 'not_an_integer' | 'out_of_range' | LimitRefusal | undefined> {
    const args = [limits.maxFields, limits.maxTotalBytes, field, by];
    const answer = await this.#open('sojournIncrement', credential, at, ...args);
    if (answer === ABSENT) return undefined;
    return Array.isArray(answer)
      ? Number(answer[0])
      : (answer as 'not_an_integer' | 'out_of_range' | LimitRefusal);
  }

  async replace(
    credential: Credential,
    { field, expected, next, limits, at }: FieldReplacement,
  ): Promise<boolean | LimitRefusal | undefined> {
    const args = [
      ...[limits.maxFields, limits.maxTotalBytes, field],
      ...[expected === undefined ? 0 : 1, expected ?? ''],
      ...[next === undefined ? 0 : 1, next ?? ''],
    ];
    const answer = await this.#open('sojournReplace', credential, at, ...args);
    if (answer === ABSENT) return undefined;
    return typeof answer === 'string' ? (answer as LimitRefusal) : answer === 1;
  }

  async take(
    credential: Credential,
    { field, at }: FieldRemoval,
  ): Promise<{ readonly value: string | undefined } | undefined> {
    const answer = await this.#open('sojournTake', credential, at, field);
    return answer === ABSENT ? undefined : { value: (answer as string[])[0] };
  }

  async setTtl(credential: Credential, { ttl, at }: TtlChange): Promise<boolean> {
    return (await this.#open('sojournSetTtl', credential, at, ttl)) === 1;
  }

  async delete(credential: Credential): Promise<boolean> {
    return (await this.#open('sojournDelete', credential, '')) === 1;
  }

  #open(
    script: ScriptName,
    { id, secretHash }: Credential,
    at: string,
    ...args: readonly (string | number)[]
  ): Promise<unknown> {
    return this.#run(script, id, secretHash, at, ...args);
  }

  async #run(
    script: ScriptName,
    id: SessionId,
    ...args: readonly (string | number)[]
  ): Promise<unknown> {
    try {
      return await this.#client[script](this.#prefix + id, ...args);
    } catch (error) {
      throw storeUnavailable(error);
    }
  }
}

function toSession(id: SessionId, answer: unknown): Session | undefined {
  if (answer === ABSENT) return undefined;
  const [remainingMs, record] = answer as [string, string[]];
  return decodeSession(id, record, Number(remainingMs));
}
