import type { Session } from '../../domain/session.ts';
import { decodeSession, reserved } from '../../domain/session-record.ts';
import type { Credential, SessionId } from '../../domain/session-token.ts';
import type {
  Adopted,
  FreezeOptions,
  Frozen,
  MovedEntry,
  Released,
  SessionCopy,
  SessionMoves,
} from '../../ports/session-moves.ts';
import type { Absent } from '../../ports/session-repository.ts';
import { nodeSecrets } from '../node/node-secrets.ts';
import { isTexts, notUnderstood, parsedJson, toInteger } from './answers.ts';
import type { RedisCommands, RedisScript } from './clients/redis-commands.ts';
import { moveScripts } from './move-scripts.ts';

/** Moves sessions between Redis servers or prefixes. */
export class RedisSessionMoves implements SessionMoves {
  readonly #commands: RedisCommands;
  readonly #prefix: string;
  readonly #onKey: (key: string) => void;

  /** @param onKey called with every key that is used */
  constructor(commands: RedisCommands, prefix: string, onKey: (key: string) => void) {
    this.#commands = commands;
    this.#prefix = prefix;
    this.#onKey = onKey;
  }

  async freeze(
    by: Credential | SessionId,
    { resume = false, use }: FreezeOptions = {},
  ): Promise<Frozen | Released | 'open' | Absent> {
    const { id, secretHash } = typeof by === 'string' ? { id: by, secretHash: '' } : by;
    const how = [use?.at ?? '', use?.refreshAfterMs ?? 0, resume ? 1 : 0];
    const args = [secretHash, ...how, nodeSecrets.random(CLAIM_BYTES)];
    const answer = await this.#run(moveScripts.freeze, id, ...args);
    if (answer === 0) return undefined;
    if (answer === 1) return 'open';
    if (answer === 'reused') return answer;
    if (isTexts(answer) && answer[0] !== undefined) return { claim: answer[0] };
    const [remainingMs, record, clock, freeze] = toRecord(answer);
    const now = toInteger(clock);
    if (now === undefined || typeof freeze !== 'string') throw notUnderstood(answer);
    const claim = `${freeze}.${nodeSecrets.random(CLAIM_BYTES)}`;
    return { copy: { id, record: withoutFreeze(record), claim, remainingMs, now } };
  }

  async adopt(copy: SessionCopy): Promise<Adopted | 'open' | 'taken' | undefined> {
    const { id, record, claim, remainingMs, now } = copy;
    const answer = await this.#run(moveScripts.adopt, id, claim, remainingMs, now, ...record);
    if (answer === 0) return undefined;
    if (answer === 1) return 'open';
    if (answer === 'taken') return answer;
    const [leftMs, adopted, by, isNew] = toRecord(answer);
    const session = decodeSession(id, adopted, leftMs) as Session; // `freeze` has checked it
    return { claim: by, session, isNew: isNew === 1 };
  }

  async release(id: SessionId, claim: string): Promise<boolean> {
    return (await this.#run(moveScripts.release, id, claim)) === 1;
  }

  async thaw(id: SessionId, claim: string): Promise<boolean> {
    return (await this.#run(moveScripts.thaw, id, claim)) === 1;
  }

  async unfreeze(id: SessionId, claim: string): Promise<boolean> {
    return (await this.#run(moveScripts.unfreeze, id, claim)) === 1;
  }

  async discard(id: SessionId, claim: string): Promise<void> {
    await this.#run(moveScripts.discard, id, claim);
  }

  async placeOf(user: string, id: SessionId): Promise<number | undefined> {
    const answer = await this.#commands.command('ZSCORE', this.#index(user), [id]);
    if (answer === null) return undefined;
    const place = toInteger(answer);
    if (place === undefined) throw notUnderstood(answer);
    return place;
  }

  async enter({ user, id, place, endsAt }: MovedEntry): Promise<void> {
    const keepUntil = endsAt === undefined ? FOREVER : endsAt + MARGIN_MS;
    await this.#commands.script(moveScripts.enter, this.#index(user), [id, place, keepUntil]);
  }

  async now(): Promise<number> {
    const answer = await this.#commands.script(moveScripts.now, this.#prefix, []);
    const now = toInteger(answer);
    if (now === undefined) throw notUnderstood(answer);
    return now;
  }

  #run(script: RedisScript, id: SessionId, ...args: (string | number)[]): Promise<unknown> {
    const key = this.#prefix + id;
    this.#onKey(key);
    return this.#commands.script(script, key, args);
  }

  #index(user: string): string {
    const key = `${this.#prefix}user:${user}`;
    this.#onKey(key);
    return key;
  }
}

const CLAIM_BYTES = 12;

/** The index outlives its sessions by this long. */
const MARGIN_MS = 60_000;

/** The year 2286, for a session without a lifetime, which may never end. */
const FOREVER = 1e13 - 1;

/** Milliseconds left, the record, and the values after it. */
function toRecord(answer: unknown): [number, readonly string[], string, unknown] {
  const [left, fields, text, more] = Array.isArray(answer) ? answer : [];
  const record = typeof fields === 'string' ? parsedJson(fields) : fields;
  if (typeof left !== 'number' || !isTexts(record) || typeof text !== 'string') {
    throw notUnderstood(answer);
  }
  return [left, record, text, more];
}

/** The name of the freeze stays in its store. */
function withoutFreeze(record: readonly string[]): string[] {
  const at = record.findIndex((name, i) => i % 2 === 0 && name === reserved.freeze);
  return at === -1 ? [...record] : record.toSpliced(at, 2);
}
