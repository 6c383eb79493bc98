import type { RedisInspection } from '../adapters/redis/inspect/inspection.ts';
import { batchesOf, Pace, type PaceOptions } from '../domain/pace.ts';
import type { Session } from '../domain/session.ts';
import type { SessionService } from '../domain/session-service.ts';
import type { SessionId } from '../domain/session-token.ts';
import type { SessionRepository } from '../ports/session-repository.ts';
import { Distinct } from './distinct.ts';

/** The ids of all sessions, page by page. A scan may find an id twice; this yields it once. */
export async function* walkIds(
  inspection: Pick<RedisInspection, 'sessions'>,
  options?: PaceOptions,
): AsyncGenerator<SessionId[]> {
  const met = new Distinct();
  for await (const page of inspection.sessions(options)) yield page.filter((id) => met.add(id));
}

/** All sessions, in batches, as they are found. One that ends before it is read is left out. */
export async function* walkSessions(
  {
    repository,
    inspection,
  }: {
    readonly repository: Pick<SessionRepository, 'find'>;
    readonly inspection: Pick<RedisInspection, 'sessions'>;
  },
  options?: PaceOptions,
): AsyncGenerator<Session[]> {
  const pace = new Pace(options);
  for await (const ids of walkIds(inspection, options)) yield* readSessions(repository, ids, pace);
}

/** Large enough for the pauses, which are taken within a page. */
const PAGE = 1000;

/** A user's sessions, oldest first, page by page. */
export async function* pagesOfUser(
  service: Pick<SessionService, 'list'>,
  user: string,
  limit = Infinity,
): AsyncGenerator<Session[]> {
  let after: string | undefined;
  do {
    const page = await service.list(user, { limit: Math.min(limit, PAGE), after });
    yield page.sessions;
    after = page.next;
  } while (after !== undefined);
}

/** The sessions with these ids that exist. */
export async function* readSessions(
  repository: Pick<SessionRepository, 'find'>,
  ids: readonly SessionId[],
  pace: Pace,
): AsyncGenerator<Session[]> {
  for (const some of batchesOf(ids)) {
    const sessions = await pace.work(() => Promise.all(some.map((id) => repository.find(id))));
    yield sessions.filter((session) => session !== undefined);
  }
}
