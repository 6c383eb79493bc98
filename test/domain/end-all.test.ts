import { expect, it } from 'vitest';
import { endAll } from '../../src/admin.ts';
import { StoreUnavailableError } from '../../src/domain/errors.ts';
import type { SessionId } from '../../src/domain/session-token.ts';
import { SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

async function* pages<T>(...all: T[]) {
  yield* all;
}

async function withSessions(count: number) {
  const repository = new MemorySessionRepository();
  const service = new SessionService({ repository });
  for (let i = 0; i < count; i++) await service.create({}, { user: `user ${i % 7}` });
  return { repository, service, ids: repository.ids() };
}

async function collect(batches: AsyncIterable<number>): Promise<number[]> {
  const all: number[] = [];
  for await (const ended of batches) all.push(ended);
  return all;
}

it('ends a batch at a time, however long a page of ids is, and tells how many there were', async () => {
  const { repository, service, ids } = await withSessions(230);
  let atOnce = 0;
  let most = 0;
  const counting = {
    journalWritten: () => service.journalWritten(),
    async end(id: string) {
      most = Math.max(most, ++atOnce);
      await new Promise(setImmediate);
      atOnce -= 1;
      return service.end(id);
    },
  };
  const batches = await collect(endAll(counting, pages(ids.slice(0, 200), ids.slice(200))));
  expect(batches.reduce((sum, ended) => sum + ended, 0)).toBe(230);
  expect(most).toBeLessThanOrEqual(100);
  expect(batches.length).toBeGreaterThan(2);
  expect(repository.ids()).toEqual([]);
  expect(await service.list('user 3')).toEqual([]);
});

it('counts an id that comes twice, or has ended, as nothing', async () => {
  const { service, ids } = await withSessions(3);
  await service.end(ids[0] ?? '');
  expect(await collect(endAll(service, pages(ids, ids)))).toEqual([2, 0]);
});

it('tells what ended before it fails with what the store failed with', async () => {
  const { service, ids } = await withSessions(3);
  const failing = {
    journalWritten: () => service.journalWritten(),
    end: (id: string) =>
      id === ids[1] ? Promise.reject(new StoreUnavailableError('unknown')) : service.end(id),
  };
  const told: number[] = [];
  const work = async () => {
    for await (const ended of endAll(failing, pages(ids, ids as SessionId[]))) told.push(ended);
  };
  await expect(work()).rejects.toThrow(StoreUnavailableError);
  expect(told).toEqual([2]);
});
