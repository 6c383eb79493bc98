import { beforeEach, describe, expect, it } from 'vitest';
import { SessionEndings, type SessionId, SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

const NOBODY = 'A'.repeat(22) as SessionId;

describe('the endings of sessions', () => {
  let told: string[];
  let errors: unknown[];
  let endings: SessionEndings;
  let service: SessionService;

  beforeEach(() => {
    told = [];
    errors = [];
    endings = new SessionEndings({ onError: (error) => void errors.push(error) });
    service = new SessionService({
      repository: new MemorySessionRepository(),
      observer: endings,
      policy: { maxSessions: 2, endOnReuse: true },
    });
  });

  function listen(id: SessionId, name = 'told'): () => void {
    return endings.onEnded(id, () => told.push(name));
  }

  it.each<[string, (id: SessionId, token: string) => Promise<unknown>]>([
    ['logs out', (_, token) => service.delete(token)],
    ['is ended by its id', (id) => service.end(id)],
    ['ends with all of its user’s', () => service.deleteAll('ada')],
    [
      'is evicted',
      async () => {
        await service.create({}, { user: 'ada' });
        await service.create({}, { user: 'ada' });
      },
    ],
    [
      'is ended by a stolen token',
      async (_, token) => {
        await service.rotate(token);
        await service.get(token);
      },
    ],
  ])('are told once, and of no other session, where one %s', async (_, end) => {
    const other = await service.create({}, { user: 'grace' });
    const { token, session } = await service.create({}, { user: 'ada' });
    listen(session.id);
    listen(other.session.id, 'another');
    await service.update(token, { set: { a: '1' } });
    expect(told).toEqual([]);
    await end(session.id, token);
    expect(told).toEqual(['told']);
    endings.notify({ type: 'gone', id: session.id });
    expect(told).toEqual(['told']);
  });

  it('are told as soon as the first word of them comes, whichever that is', () => {
    for (const event of [{ type: 'gone' }, { type: 'ended', why: 'expired' }] as const) {
      listen(NOBODY, event.type);
      endings.notify({ ...event, id: NOBODY });
      endings.notify({ type: 'ended', id: NOBODY, why: 'logout' });
    }
    expect(told).toEqual(['gone', 'ended']);
  });

  it('are not what else happens to a session', () => {
    listen(NOBODY);
    endings.notify({ type: 'created', id: NOBODY, user: undefined });
    endings.notify({ type: 'rotated', id: NOBODY });
    endings.notify({ type: 'reused', id: NOBODY });
    endings.notify({ type: 'refused', id: NOBODY });
    expect(told).toEqual([]);
  });

  it('are told to each who listens, and to nobody who has stopped', () => {
    const shared = () => told.push('shared');
    const stops = [endings.onEnded(NOBODY, shared), endings.onEnded(NOBODY, shared)];
    const stop = listen(NOBODY, 'stopped');
    stop();
    stop();
    stops[0]?.();
    stops[0]?.();
    endings.notify({ type: 'gone', id: NOBODY });
    expect(told).toEqual(['shared']);
    listen(NOBODY, 'later');
    stop();
    stops[1]?.();
    endings.notify({ type: 'gone', id: NOBODY });
    expect(told).toEqual(['shared', 'later']);
  });

  it('may be listened to, and stopped, by a listener', () => {
    const stop = endings.onEnded(NOBODY, () => {
      stop();
      listen(NOBODY, 'again');
    });
    endings.notify({ type: 'gone', id: NOBODY });
    expect(told).toEqual([]);
    endings.notify({ type: 'gone', id: NOBODY });
    expect(told).toEqual(['again']);
  });

  it('leave nothing behind of sessions that nobody listens for any more', async () => {
    for (let i = 0; i < 1000; i += 1) {
      const { token, session } = await service.create();
      const stops = [listen(session.id), listen(session.id)];
      if (i % 2 === 0) await service.delete(token);
      for (const stop of stops) stop();
    }
    expect(endings.listening).toBe(0);
  });

  it('are told to all although a listener throws or rejects, and fail nothing', async () => {
    const { token, session } = await service.create();
    endings.onEnded(session.id, () => {
      throw new Error('thrown');
    });
    endings.onEnded(session.id, async () => {
      throw new Error('rejected');
    });
    listen(session.id);
    expect(await service.delete(token)).toBe(true);
    expect(told).toEqual(['told']);
    await expect
      .poll(() => errors.map((error) => (error as Error).message))
      .toEqual(['thrown', 'rejected']);
  });
});
