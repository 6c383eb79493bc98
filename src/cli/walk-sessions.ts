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
 * Sessions that are asked for at once: enough to keep Redis busy, few enough for its other clients to be served in
 * between, and for large sessions to come over a slow line before a command times out.
 */
const READ_AT_ONCE = 100;

/** All sessions, some at a time, as they are found. One that ends before it is read is left out. */
export async function* walkSessions({
  repository,
  inspection,
}: {
  readonly repository: Pick<SessionRepository, 'find'>;
  readonly inspection: Pick<RedisInspection, 'sessions'>;
}): AsyncGenerator<Session[]> {
  for await (const ids of walkIds(inspection)) yield* readSessions(repository, ids);
}

/** The sessions of those ids that are there. */
export async function* readSessions(
  repository: Pick<SessionRepository, 'find'>,
  ids: readonly SessionId[],
): AsyncGenerator<Session[]> {
  for (let i = 0; i < ids.length; i += READ_AT_ONCE) {
    const some = ids.slice(i, i + READ_AT_ONCE);
    const sessions = await Promise.all(some.map((id) => repository.find(id)));
    yield sessions.filter((session) => session !== undefined);
  }
}
