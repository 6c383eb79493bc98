import type { Session } from '../domain/session.ts';
import { Distinct } from './distinct.ts';
import type { OpenedRedis } from './with-redis.ts';

/**
 * All sessions, as they are found, page by page and no session twice. One page is read at once: enough to keep Redis busy,
 * few enough that its other clients hardly notice. Who ends before it is read is left out.
 */
export async function* walkSessions({
  repository,
  inspection,
}: Pick<OpenedRedis, 'repository' | 'inspection'>): AsyncGenerator<Session[]> {
  const met = new Distinct();
  for await (const page of inspection.sessions()) {
    const ids = page.filter((id) => met.add(id));
    const sessions = await Promise.all(ids.map((id) => repository.find(id)));
    yield sessions.filter((session) => session !== undefined);
  }
}
