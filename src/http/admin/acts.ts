import { reasonOf, StoreUnavailableError } from '../../domain/errors.ts';
import type { Session } from '../../domain/session.ts';
import type { SessionId } from '../../domain/session-token.ts';
import type { OperatorAct, OperatorConsoleOptions } from './options.ts';

/** What has become of ending all sessions. */
export interface EndingAll {
  readonly by: string;
  /** So far. */
  readonly ended: number;
  readonly state: 'under way' | 'done' | 'failed';
}

type Act = Omit<OperatorAct, 'by' | 'outcome'>;

/** How the audit and the journal name who did it. */
export function actorOf(operator: string): string {
  return `console ${operator}`;
}

/** All that an operator can do. Each act is audited, whether it succeeds, fails or is refused. */
export class OperatorActs {
  readonly #options: Pick<OperatorConsoleOptions, 'service' | 'endAll' | 'audit' | 'onError'>;
  #endingAll: EndingAll | undefined;

  constructor(options: Pick<OperatorConsoleOptions, 'service' | 'endAll' | 'audit' | 'onError'>) {
    this.#options = options;
  }

  /** The last time that all sessions were ended from here, if any. */
  get endingAll(): EndingAll | undefined {
    return this.#endingAll;
  }

  /** Whether there was one. */
  async endSession(operator: string, sessionId: SessionId): Promise<boolean> {
    const { service } = this.#options;
    return this.#audited(operator, { did: 'end session', sessionId }, async () => {
      const ended = await service.end(sessionId, { by: actorOf(operator) });
      return { answer: ended, ended: Number(ended) };
    });
  }

  /** Answers how many there were. */
  async endUser(operator: string, user: string): Promise<number> {
    const { service } = this.#options;
    return this.#audited(operator, { did: 'end user', user }, async () => {
      const ended = await service.deleteAll(user, { by: actorOf(operator) });
      return { answer: ended, ended };
    });
  }

  /** Begins to end all sessions, unless that is under way. It goes on by itself: `endingAll` tells how far it is. */
  endAll(operator: string): void {
    const { endAll } = this.#options;
    if (endAll === undefined) return;
    if (this.#endingAll?.state === 'under way') {
      this.refuse(operator, 'end all', `under way already, by ${this.#endingAll.by}`);
      return;
    }
    const by = actorOf(operator);
    let ended = 0;
    const tell = (state: EndingAll['state']) => {
      this.#endingAll = { by, ended, state };
    };
    tell('under way');
    this.#tell(operator, { did: 'end all' }, 'begun');
    const work = async () => {
      for await (const some of endAll(by)) {
        ended += some;
        tell('under way');
      }
    };
    void work().then(
      () => {
        tell('done');
        this.#tell(operator, { did: 'end all', ended }, 'done');
      },
      (error: unknown) => {
        tell('failed');
        this.#tell(operator, { did: 'end all', ended, reason: reason(error) }, 'failed');
        if (!(error instanceof StoreUnavailableError)) this.#options.onError?.(error);
      },
    );
  }

  /** To be called before anything of the application's data is shown. */
  showValues(operator: string, { id, user }: Session): void {
    this.#tell(operator, { did: 'show values', sessionId: id, user }, 'done');
  }

  /** To be called for what was asked for and is not tried. */
  refuse(operator: string, did: OperatorAct['did'], reason: string): void {
    this.#tell(operator, { did, reason }, 'refused');
  }

  async #audited<T>(
    operator: string,
    act: Act,
    work: () => Promise<{ readonly answer: T; readonly ended: number }>,
  ): Promise<T> {
    try {
      const { answer, ended } = await work();
      this.#tell(operator, { ...act, ended }, 'done');
      return answer;
    } catch (error) {
      const ended = error instanceof StoreUnavailableError ? error.ended : undefined;
      this.#tell(operator, { ...act, ended, reason: reason(error) }, 'failed');
      throw error;
    }
  }

  #tell(operator: string, act: Act, outcome: OperatorAct['outcome']): void {
    this.#options.audit({ by: actorOf(operator), ...act, outcome });
  }
}

function reason(error: unknown): string {
  if (error instanceof StoreUnavailableError) return reasonOf(error);
  return error instanceof Error ? error.message : 'unknown';
}
