import type { PaceOptions } from '../../../domain/pace.ts';
import type { Credential } from '../../../domain/session-token.ts';
import type { MovableRepository } from '../../../ports/session-moves.ts';
import type { SessionRepository } from '../../../ports/session-repository.ts';
import { carriedSession } from './carried-session.ts';
import type { OldFormat } from './old-format.ts';
import type { OldKeys } from './old-keys.ts';
import { type OldRules, OldSession } from './old-session.ts';

/** The sessions of another store, for a `SojournStore` to carry over. */
export class OldSessions {
  readonly #keys: OldKeys;
  readonly #format: OldFormat;
  readonly #phase: 'prepare' | 'move';

  /** @internal */
  constructor(keys: OldKeys, format: OldFormat, phase: 'prepare' | 'move') {
    this.#keys = keys;
    this.#format = format;
    this.#phase = phase;
  }

  /** @internal The same, on their way to that repository. */
  onTheWayTo(to: MovableRepository, rules: Omit<OldRules, 'keys' | 'format'>): SessionsOnTheirWay {
    const known = { ...rules, keys: this.#keys, format: this.#format };
    const phase = this.#phase;
    return {
      ...{ phase, to },
      of(sid, credential) {
        const from = new OldSession(sid, credential, known);
        return { from, repository: carriedSession({ from, to, phase }) };
      },
      sids: (pace) => this.#keys.scan(pace),
    };
  }
}

/** Sessions that may be in an old place and in a new one. */
export interface SessionsOnTheirWay {
  readonly phase: 'prepare' | 'move';
  readonly to: MovableRepository;
  /** The session of that session id: in the old place, and in both. */
  of(
    sid: string,
    credential: Credential,
  ): { readonly from: MovableRepository; readonly repository: SessionRepository };
  /** All session ids in the old place, in pages; an id may come twice, and one may be of something else. */
  sids(pace?: PaceOptions): AsyncIterable<readonly string[]>;
}
