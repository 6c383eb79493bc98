import { batchesOf, Pace, type PaceOptions } from './pace.ts';
import type { SessionService } from './session-service.ts';
import type { EndSessionOptions } from './session-service-options.ts';
import type { SessionId } from './session-token.ts';

/**
 * Ends the sessions with these ids, a batch at a time with pauses in between, and yields after each batch how many it
 * ended. A session that is started meanwhile may be missed. `by` says who ends the sessions, for events and the
 * journal.
 *
 * @throws `StoreUnavailableError` if the store fails, after the number for that batch has been yielded. Sessions that
 * have ended stay ended, and calling again continues.
 *
 * @example
 * ```ts
 * let ended = 0;
 * for await (const some of endAll(service, scanSessions({ client }))) ended += some;
 * ```
 */
export async function* endAll(
  service: Pick<SessionService, 'end' | 'journalWritten'>,
  ids: AsyncIterable<readonly SessionId[]>,
  { by, ...options }: Pick<EndSessionOptions, 'by'> & PaceOptions = {},
): AsyncGenerator<number> {
  const pace = new Pace(options);
  for await (const page of ids) {
    for (const batch of batchesOf(page)) {
      const answers = await pace.work(async () => {
        const ending = await Promise.allSettled(batch.map((id) => service.end(id, { by })));
        await service.journalWritten(); // so that at most one batch of entries waits in memory
        return ending;
      });
      yield answers.filter((answer) => answer.status === 'fulfilled' && answer.value).length;
      const failed = answers.find((answer) => answer.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    }
  }
}
