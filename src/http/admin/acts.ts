import { reasonOf, StoreUnavailableError } from '../../domain/errors.ts';
import type { Session } from '../../domain/session.ts';
import type { SessionId } from '../../domain/session-token.ts';
import type { OperatorAct, OperatorConsoleOptions } from './options.ts';

/** The state of ending all sessions. */
export interface EndingAll {
  readonly by: string;
  /** Number of sessions ended so far. */
  readonly ended: number;
  readonly state: 'under way' | 'done' | 'failed';
}

type Act = Omit<OperatorAct, 'by' | 'outcome'>;

/** How the audit and the journal name the operator. */
export function actorOf(operator: string): string {
  return `console ${operator}`;
}

/** Everything that an operator can do. Each act is audited, whether it succeeds, fails or is refused. */
export class OperatorActs {
  readonly #options: Pick<OperatorConsoleOptions, 'service' | 'endAll' | 'audit' | 'onError'>;
  #endingAll: EndingAll | undefined;

  constructor(options: Pick<OperatorConsoleOptions, 'service' | 'endAll' | 'audit' | 'onError'>) {
    this.#options = options;
  }

  /** The last time that all sessions were ended from the console; `undefined` if never. */
  get endingAll(): EndingAll | undefined {
    return this.#endingAll;
  }

  /** Returns whether there was such a session. */
  async endSession(operator: string, sessionId: SessionId): Promise<boolean> {
    const { service } = this.#options;
    return this.#audited(operator, { did: 'end session', sessionId }, async () => {
      const ended = await service.end(sessionId, { by: actorOf(operator) });
      return { answer: ended, ended: Number(ended) };
    });
  }

  /** Returns how many sessions there were. */
  async endUser(operator: string, user: string): Promise<number> {
    const { service } = this.#options;
    return this.#audited(operator, { did: 'end user', user }, async () => {
      const ended = await service.deleteAll(user, { by: actorOf(operator) });
      return { answer: ended, ended };
    });
  }

  /**
   * Starts to end all sessions, unless that is under way. It continues in the background; `endingAll` shows the
   * progress.
   */
  endAll(operator: string): void {
    const { endAll } = this.#options;
    if (endAll === undefined) return;
    if (this.#endingAll?.state === 'under way') {
      this.refuse(operator, 'end all', `already under way, started by ${this.#endingAll.by}`);
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

  /** Call it before values of the application's fields are shown. */
  showValues(operator: string, { id, user }: Session): void {
    this.#tell(operator, { did: 'show values', sessionId: id, user }, 'done');
  }

  /** Call it for an act that is refused without being tried. */
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
