import type { Session } from '../../domain/session.ts';
import { decodeSession, newRecord, reserved } from '../../domain/session-record.ts';
import type { Credential, SessionId } from '../../domain/session-token.ts';
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
import { isTexts, notUnderstood, parsedJson, toInteger, toOptionalText } from './answers.ts';
import type { RedisCommands, RedisScript } from './clients/redis-commands.ts';
import { clientOf, commandsOf, type RedisClient } from './clients/tell-apart.ts';
import { openOwnConnection } from './own-connection.ts';
import { RedisSessionMoves } from './redis-session-moves.ts';
import { RedisUserIndex } from './redis-user-index.ts';
import { scripts } from './scripts.ts';

type ScriptName = keyof typeof scripts;

/** The scripts in the form that clients take. */
export const named = Object.fromEntries(
  Object.entries(scripts).map(([name, lua]) => [name, { name, lua }]),
) as Readonly<Record<ScriptName, RedisScript>>;

/** Like `RedisCommands.script`. */
export type RunScript = RedisCommands['script'];

/** A session as a script returned it. */
export interface SessionReading {
  readonly session: Session;
  /** The record that it was decoded from, with hashes of secrets. */
  readonly record: readonly string[];
  /** True if it was slid by this call. */
  readonly slid: boolean;
}

/** The scripts' answer if there is no session to act on. */
const ABSENT = 0;

/** The first value in the answer of `end` for a session that was frozen. */
const FROZEN = 1;

/** Which Redis, and which keys. */
export interface RedisSessionRepositoryOptions {
  /**
   * A client of ioredis, iovalkey or node-redis, for a single server, a Sentinel deployment or a cluster. Its options
   * decide what happens when Redis is down: use `connectRedis`, or see docs/redis-clients.md for the options that keep
   * a command from running twice or late. It may connect later; the repository neither connects nor closes it.
   */
  readonly client: RedisClient;
  /** The prefix of all keys. Applications that share a Redis need different prefixes. @default 'session:' */
  readonly prefix?: string;
}

/**
 * Sessions in Redis: one hash per session at `<prefix><id>`, which Redis itself expires. Each operation is one script
 * on that key. Several processes may share a Redis, and their clocks may differ: Redis' clock decides when a session
 * ends.
 *
 * @example
 * ```ts
 * const { client } = await connectRedis({ kind: 'url', url: 'redis://localhost:6379' });
 * const service = new SessionService({ repository: new RedisSessionRepository({ client, prefix: 'session:shop:' }) });
 * ```
 */
export class RedisSessionRepository implements MovableRepository {
  /** The index of each user's sessions. */
  readonly users: UserIndex;
  /** The steps with which sessions move to and from this repository. */
  readonly moves: SessionMoves;
  readonly #commands: RedisCommands;
  readonly #prefix: string;
  readonly #onKey: (key: string) => void;

  /**
   * @param onKey for internal use: called with every key that is used
   * @throws `TypeError` for an unsupported client.
   */
  constructor(
    { client, prefix = 'session:' }: RedisSessionRepositoryOptions,
    onKey: (key: string) => void = () => {},
  ) {
    this.#commands = commandsOf(client);
    this.#prefix = prefix;
    this.#onKey = onKey;
    this.users = new RedisUserIndex(this.#commands, prefix, onKey);
    this.moves = new RedisSessionMoves(this.#commands, prefix, onKey);
  }

  async create(session: NewSession): Promise<Session | 'evicted' | undefined> {
    const { credential, ttl, lifetime } = session;
    const record = newRecord(session);
    const answer = await this.#run('sojournCreate', credential.id, ttl, lifetime ?? '', ...record);
    if (answer === ABSENT) return undefined;
    if (answer === 'evicted') return answer;
    const [left, deadline] = isTexts(answer) ? answer : [];
    const remainingMs = toInteger(left);
    if (remainingMs === undefined || deadline === undefined) throw notUnderstood(answer);
    if (deadline !== '') record.push(reserved.deadline, deadline);
    return decodeSession(credential.id, record, remainingMs);
  }

  async read(credential: Credential): Promise<Session | Absent> {
    return toSession(toReading(credential.id, await this.#open('sojournRead', credential, '')));
  }

  async access(credential: Credential, { at, refreshAfterMs }: Access): Promise<Session | Absent> {
    const answer = await this.#open('sojournAccess', credential, at, refreshAfterMs);
    return toSession(toReading(credential.id, answer));
  }

  async update(
    credential: Credential,
    { set, unset, limits, at }: FieldChange,
  ): Promise<true | LimitRefusal | Absent> {
    const { maxFields, maxTotalBytes } = limits;
    const fields = [...set].flat();
    const args = [maxFields, maxTotalBytes, fields.length, ...fields, ...unset];
    return toTrue(await this.#open('sojournUpdate', credential, at, ...args), limitRefusals);
  }

  async increment(
    credential: Credential,
    { field, by, limits, at }: FieldIncrement,
  ): Promise<number | IncrementRefusal | LimitRefusal | Absent> {
    const args = [limits.maxFields, limits.maxTotalBytes, field, by];
    const answer = await this.#open('sojournIncrement', credential, at, ...args);
    const sum = toOptionalText(answer);
    if (sum === undefined) return toRefusal(answer, incrementRefusals);
    const number = toInteger(sum.text);
    if (number === undefined) throw notUnderstood(answer);
    return number;
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
    return answer === -1 ? false : toTrue(answer, limitRefusals);
  }

  async take(
    credential: Credential,
    { field, at }: FieldRemoval,
  ): Promise<{ readonly value: string | undefined } | Absent> {
    const answer = await this.#open('sojournTake', credential, at, field);
    const taken = toOptionalText(answer);
    return taken === undefined ? toRefusal(answer, []) : { value: taken.text };
  }

  async setTtl(credential: Credential, { ttl, at }: TtlChange): Promise<true | Absent> {
    return toTrue(await this.#open('sojournSetTtl', credential, at, ttl), []);
  }

  async rotate(
    credential: Credential,
    { next, graceMs, reauthenticated, at }: Rotation,
  ): Promise<Rotated | false | Absent> {
    const anew = reauthenticated === undefined ? [0, ''] : [1, reauthenticated.lifetime ?? ''];
    const answer = await this.#open('sojournRotate', credential, at, next, graceMs, ...anew);
    if (answer === -1) return false;
    const rotated = toOptionalText(answer);
    return rotated === undefined ? toRefusal(answer, []) : { user: rotated.text };
  }

  async delete(credential: Credential): Promise<Ended | Absent> {
    const answer = await this.#open('sojournDelete', credential, '');
    const ended = toOptionalText(answer);
    return ended === undefined ? toRefusal(answer, []) : { user: ended.text };
  }

  async find(id: SessionId): Promise<Session | undefined> {
    const answer = await this.#run('sojournFind', id);
    return answer === ABSENT ? undefined : decode(id, answer)?.session;
  }

  async end(
    id: SessionId,
    { unbornMs, unbornAs = 'revoked' }: EndOptions,
  ): Promise<Ended | undefined> {
    const answer = await this.#run('sojournEnd', id, unbornMs, unbornAs);
    if (answer === ABSENT) return undefined;
    const frozen = Array.isArray(answer) && answer[0] === FROZEN;
    const ended = toOptionalText(frozen ? answer.slice(1) : answer);
    if (ended === undefined) throw notUnderstood(answer);
    return { user: ended.text, ...(frozen && { frozen }) };
  }

  /** Opens a connection of its own for `act`, so that other commands do not queue behind the wait. */
  async durably<T>(
    durability: Durability,
    act: (repository: MovableRepository) => Promise<T>,
  ): Promise<Durable<T>> {
    const own = await openOwnConnection(this.#commands, durability);
    try {
      const keys = new Set<string>();
      const options = { client: clientOf(own.commands), prefix: this.#prefix };
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
    return this.#commands.script(named[script], key, args);
  }
}

/** Decodes the answer of the scripts `read` and `access`. */
export function toReading(id: SessionId, answer: unknown): SessionReading | Absent {
  return Array.isArray(answer) ? decode(id, answer) : toRefusal(answer, []);
}

export function toSession(reading: SessionReading | Absent): Session | Absent {
  return typeof reading === 'object' ? reading.session : reading;
}

function decode(id: SessionId, answer: unknown): SessionReading | undefined {
  const [remainingMs, fields, slid] = Array.isArray(answer) ? answer : [];
  const record = typeof fields === 'string' ? parsedJson(fields) : fields;
  if (typeof remainingMs !== 'number' || !isTexts(record)) throw notUnderstood(answer);
  const session = decodeSession(id, record, remainingMs);
  return session && { session, record, slid: slid === 1 };
}

const limitRefusals = ['too_many_fields', 'too_large'] as const satisfies LimitRefusal[];
const incrementRefusals = ['not_an_integer', 'out_of_range', ...limitRefusals] as const;

function toTrue<Refusal extends string>(
  answer: unknown,
  refusals: readonly Refusal[],
): true | Refusal | Absent {
  return answer === 1 || toRefusal(answer, refusals);
}

/** A string is the port's code of a refusal, or `reused`. */
function toRefusal<Refusal extends string>(
  answer: unknown,
  refusals: readonly Refusal[],
): Refusal | Absent {
  if (answer === ABSENT) return undefined;
  if (answer === 'reused') return answer;
  const refusal = refusals.find((code) => code === answer);
  if (refusal === undefined) throw notUnderstood(answer);
  return refusal;
}
