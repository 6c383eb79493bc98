import { Pace, type PaceOptions } from '../../../domain/pace.ts';
import { nodeSecrets } from '../../node/node-secrets.ts';
import { isTexts, notUnderstood, toInteger } from '../../redis/answers.ts';
import type { RedisCommands, RedisScript } from '../../redis/clients/redis-commands.ts';
import { scan } from '../../redis/inspect/scan-sessions.ts';
import { oldKeyScripts } from './old-key-scripts.ts';
import type { FrozenText, OldKeys, OldText } from './old-keys.ts';

const PAGE = 1000;
const FREEZE_BYTES = 12;

/** What tools are told of a session. */
export interface OldKeyLook {
  /** `undefined` for one that does not end by itself. */
  readonly remainingMs: number | undefined;
  /** `undefined` where Redis does not tell: it is frozen, or `maxmemory-policy` is of the LFU kind. */
  readonly unusedSeconds: number | undefined;
}

/** Keys that connect-redis has written, each `<prefix><session id>`. */
export class RedisOldKeys implements OldKeys {
  readonly #commands: RedisCommands;
  readonly #prefix: string;

  constructor(commands: RedisCommands, prefix: string) {
    this.#commands = commands;
    this.#prefix = prefix;
  }

  async read(sid: string): Promise<OldText | undefined> {
    const answer = await this.#run(oldKeyScripts.read, sid);
    if (answer === 0) return undefined;
    const [text, left, frozen] = Array.isArray(answer) ? answer : [];
    return { text: toText(text, answer), remainingMs: toRest(left, answer), frozen: frozen === 1 };
  }

  /**
   * For tools: when it ends, and since when nobody has used it. `released` where a move has got so far and left its mark,
   * `undefined` where there is no session.
   */
  async look(sid: string): Promise<OldKeyLook | 'released' | undefined> {
    const answer = await this.#run(oldKeyScripts.look, sid);
    if (answer === 0) return undefined;
    if (answer === 1) return 'released';
    const [left, idle] = Array.isArray(answer) ? answer : [];
    if (typeof idle !== 'number') throw notUnderstood(answer);
    return { remainingMs: toRest(left, answer), unusedSeconds: idle < 0 ? undefined : idle };
  }

  async create(sid: string, text: string, endsInMs: number | undefined): Promise<boolean> {
    return (await this.#run(oldKeyScripts.create, sid, text, endsInMs ?? '')) === 1;
  }

  async replace(
    sid: string,
    expected: string,
    text: string,
    endsInMs: number | undefined,
  ): Promise<true | 'changed' | undefined> {
    const answer = await this.#run(oldKeyScripts.replace, sid, expected, text, endsInMs ?? '');
    if (answer === 0) return undefined;
    return answer === 1 ? true : 'changed';
  }

  async expire(sid: string, endsInMs: number): Promise<boolean> {
    return (await this.#run(oldKeyScripts.expire, sid, endsInMs)) === 1;
  }

  async remove(sid: string): Promise<'open' | 'frozen' | undefined> {
    const answer = await this.#run(oldKeyScripts.remove, sid);
    if (answer === 0) return undefined;
    return answer === 1 ? 'open' : 'frozen';
  }

  async freeze(
    sid: string,
    { resume }: { readonly resume: boolean },
  ): Promise<FrozenText | { readonly claim: string } | 'open' | undefined> {
    const name = nodeSecrets.random(FREEZE_BYTES);
    const answer = await this.#run(oldKeyScripts.freeze, sid, resume ? 1 : 0, name);
    if (answer === 0) return undefined;
    if (answer === 1) return 'open';
    if (isTexts(answer) && answer.length === 1) return { claim: toText(answer[0], answer) };
    const [text, left, clock, freeze] = Array.isArray(answer) ? answer : [];
    const now = toInteger(clock);
    if (now === undefined) throw notUnderstood(answer);
    const remainingMs = toRest(left, answer);
    return { text: toText(text, answer), remainingMs, now, freeze: toText(freeze, answer) };
  }

  async keep(sid: string, freeze: string, ms: number): Promise<boolean> {
    return (await this.#run(oldKeyScripts.keep, sid, freeze, ms)) === 1;
  }

  async release(sid: string, claim: string): Promise<boolean> {
    return (await this.#run(oldKeyScripts.release, sid, claim)) === 1;
  }

  async unfreeze(sid: string, claim: string): Promise<boolean> {
    return (await this.#run(oldKeyScripts.unfreeze, sid, claim)) === 1;
  }

  async discard(sid: string, claim: string): Promise<void> {
    await this.#run(oldKeyScripts.discard, sid, claim);
  }

  async now(): Promise<number> {
    const answer = await this.#commands.script(oldKeyScripts.now, this.#prefix, []);
    const now = toInteger(answer);
    if (now === undefined) throw notUnderstood(answer);
    return now;
  }

  scan(pace?: PaceOptions): AsyncIterable<readonly string[]> {
    return scan(this.#commands, this.#prefix, undefined, PAGE, new Pace(pace));
  }

  #run(script: RedisScript, sid: string, ...args: readonly (string | number)[]): Promise<unknown> {
    return this.#commands.script(script, this.#prefix + sid, args);
  }
}

function toText(text: unknown, answer: unknown): string {
  if (typeof text !== 'string') throw notUnderstood(answer);
  return text;
}

/** What PTTL answers; `undefined` for a key that does not expire. */
function toRest(left: unknown, answer: unknown): number | undefined {
  if (typeof left !== 'number') throw notUnderstood(answer);
  return left < 0 ? undefined : Math.max(1, left);
}
