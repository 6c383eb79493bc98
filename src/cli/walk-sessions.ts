import type { RedisInspection } from '../adapters/redis/inspection.ts';
import type { Session } from '../domain/session.ts';
import type { SessionId } from '../domain/session-token.ts';
import type { SessionRepository } from '../ports/session-repository.ts';
import { Distinct } from './distinct.ts';

/** The ids of all sessions, page by page: a scan may find an id twice, this tells it once. */
export async function* walkIds(
  inspection: Pick<RedisInspection, 'sessions'>,
): AsyncGenerator<SessionId[]> {
  const met = new Distinct();
  for await (const page of inspection.sessions()) yield page.filter((id) => met.add(id));
}

/**
 * All sessions, page by page, as they are found. A page is read at once: enough to keep Redis busy, few enough for
 * others to be served in between. A session that ends before it is read is left out.
 */
export async function* walkSessions({
  repository,
  inspection,
}: {
  readonly repository: Pick<SessionRepository, 'find'>;
  readonly inspection: Pick<RedisInspection, 'sessions'>;
}): AsyncGenerator<Session[]> {
  for await (const ids of walkIds(inspection)) {
    const sessions = await Promise.all(ids.map((id) => repository.find(id)));
    yield sessions.filter((session) => session !== undefined);
  }
}
