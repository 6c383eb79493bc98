import { formatInstant } from '../../../domain/session.ts';
import { checkUser } from '../../../domain/session-fields.ts';
import { newRecord, reserved } from '../../../domain/session-record.ts';
import type { Credential, SessionId } from '../../../domain/session-token.ts';
import type {
  FreezeOptions,
  Frozen,
  Released,
  SessionCopy,
  SessionMoves,
} from '../../../ports/session-moves.ts';
import { nodeSecrets } from '../../node/node-secrets.ts';
import { encodeForeign } from '../foreign-session.ts';
import { oldTtl, parseOld } from './old-format.ts';
import type { FrozenText } from './old-keys.ts';
import type { OldRules } from './old-session.ts';

const CLAIM_BYTES = 12;

/** Carries the session of one session id away from the old store. It takes none in. */
export class OldSessionMoves implements SessionMoves {
  readonly #sid: string;
  readonly #credential: Credential;
  readonly #rules: OldRules;

  constructor(sid: string, credential: Credential, rules: OldRules) {
    this.#sid = sid;
    this.#credential = credential;
    this.#rules = rules;
  }

  /** Where nothing can be made of the text it throws, and the session is in use again. */
  async freeze(
    by: Credential | SessionId,
    options: FreezeOptions = {},
  ): Promise<Frozen | Released | 'open' | undefined> {
    const { resume = false, use } = options;
    const { keys } = this.#rules;
    const frozen = await keys.freeze(this.#sid, { resume });
    if (frozen === 'open') return (await this.#standsForNone()) ? undefined : frozen;
    if (frozen === undefined || 'claim' in frozen) return frozen;
    const claim = `${frozen.freeze}.${nodeSecrets.random(CLAIM_BYTES)}`;
    try {
      const copy = await this.#copy(frozen, claim, use !== undefined);
      if (copy === undefined) {
        await keys.unfreeze(this.#sid, claim);
        return undefined;
      }
      // A use is acknowledged before the release: the session must not run out as if there had been none, should this process die.
      if (use === undefined || (await keys.keep(this.#sid, frozen.freeze, copy.remainingMs))) {
        return { copy };
      }
    } catch (error) {
      await keys.unfreeze(this.#sid, claim);
      throw error;
    }
    return this.freeze(by, options); // it was taken back, was released or has ended meanwhile
  }

  async adopt(): Promise<undefined> {
    return undefined;
  }

  release(_id: SessionId, claim: string): Promise<boolean> {
    return this.#rules.keys.release(this.#sid, claim);
  }

  unfreeze(_id: SessionId, claim: string): Promise<boolean> {
    return this.#rules.keys.unfreeze(this.#sid, claim);
  }

  async thaw(): Promise<boolean> {
    return false;
  }

  discard(_id: SessionId, claim: string): Promise<void> {
    return this.#rules.keys.discard(this.#sid, claim);
  }

  /** Nobody knows when it began: it stands where one would that begins now. */
  placeOf(): Promise<number> {
    return this.now();
  }

  async enter(): Promise<void> {}

  now(): Promise<number> {
    return this.#rules.keys.now();
  }

  async #standsForNone(): Promise<boolean> {
    const { keys, format } = this.#rules;
    const found = await keys.read(this.#sid);
    return found !== undefined && (await parseOld(found.text, format)) === undefined;
  }

  /** `undefined` for a text that stands for no session. */
  async #copy(
    { text, remainingMs, now }: FrozenText,
    claim: string,
    isUse: boolean,
  ): Promise<SessionCopy | undefined> {
    const { format, clock, userOf, lifetime } = this.#rules;
    const data = await parseOld(text, format);
    if (data === undefined) return undefined;
    const user = userOf(data as unknown as Parameters<typeof userOf>[0]);
    const ttl = oldTtl(data, format, clock.now());
    const record = newRecord({
      ...{ credential: this.#credential, fields: encodeForeign(data), ttl, lifetime },
      user: user === undefined ? undefined : checkUser(user),
      ...{ device: {}, persistent: false, at: formatInstant(clock.now()) },
    });
    if (lifetime !== undefined) record.push(reserved.deadline, String(now + lifetime * 1000));
    const restMs = isUse ? ttl * 1000 : (remainingMs ?? ttl * 1000);
    const mostMs = (lifetime ?? Infinity) * 1000;
    const { id } = this.#credential;
    return { id, record, claim, now, remainingMs: Math.min(restMs, mostMs) };
  }
}
