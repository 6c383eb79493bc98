import { batchesOf, Pace, type PaceOptions } from './pace.ts';
import type { SessionService } from './session-service.ts';
import type { EndSessionOptions } from './session-service-options.ts';
import type { SessionId } from './session-token.ts';

/**
 * Ends the sessions of those ids, some at a time and with rests in between, and tells after each batch how many it
 * ended. Rejects where the store fails, once it has told what the batch did; what has ended stays so, and doing it again
 * goes on. A session that begins meanwhile may be left. `by` says who
 * ends them, for events and the journal.
 *
 * @example
 * let ended = 0;
 * for await (const some of endAll(service, scanSessions({ client }))) ended += some;
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
        await service.journalWritten(); // so that a batch of entries is all that waits
        return ending;
      });
      yield answers.filter((answer) => answer.status === 'fulfilled' && answer.value).length;
      const failed = answers.find((answer) => answer.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    }
  }
}
