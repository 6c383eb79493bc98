import { describe, expect, it } from 'vitest';
import {
  observers,
  type SessionEvent,
  type SessionObserver,
  SessionService,
  type StoreAnswer,
  type StoreOperation,
} from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

/** Remembers what it is told. */
class Witness implements SessionObserver {
  readonly events: SessionEvent[] = [];
  readonly work: [operation: StoreOperation, answer: StoreAnswer][] = [];

  notify(event: SessionEvent): void {
    this.events.push(event);
  }

  storeAsked(operation: StoreOperation): (answer: StoreAnswer) => void {
    return (answer) => this.work.push([operation, answer]);
  }

  get outcomes(): string[] {
    return this.work.map(([{ name }, { outcome }]) => `${name} ${outcome}`);
  }
}

describe('an observer of the store', () => {
  it('is told of every call, whose session it was about, and how it was answered', async () => {
    const witness = new Witness();
    const repository = new MemorySessionRepository();
    const service = new SessionService({ repository, observer: witness });
    const { token, session } = await service.create({ word: 'x' }, { user: 'ada' });
    await service.get(token);
    await service.replace(token, 'word', 'another', 'y');
    await service.increment(token, 'word').catch(() => {});
    await service.rotate(token);
    await service.peek(token);
    await service.durably((sessions) => sessions.list('ada'));
    await service.end(session.id);
    await service.delete(token);
    expect(witness.outcomes).toEqual([
      'users.add ok',
      'create ok',
      'access ok',
      'replace conflict',
      'increment refused',
      'rotate ok',
      'read reused',
      'users.list ok',
      'find ok',
      'durably undurable',
      'end ok',
      'users.remove ok',
      'delete absent',
    ]);
    expect(witness.work[4]?.[1]).toEqual({ outcome: 'refused', code: 'not_an_integer' });
    const about = new Set(witness.work.map(([{ id }]) => id));
    expect(about).toEqual(new Set([session.id, undefined]));
    expect(JSON.stringify(witness.work)).not.toContain(token.split('.')[1]);
  });

  it('is told of a creation that the store refused, for whatever reason', async () => {
    for (const unbornAs of ['revoked', 'evicted'] as const) {
      const witness = new Witness();
      const repository = new MemorySessionRepository();
      const create = repository.create.bind(repository);
      repository.create = async (session) => {
        await repository.end(session.credential.id, { unbornMs: 1000, unbornAs });
        return create(session);
      };
      const service = new SessionService({ repository, observer: witness });
      await service.create({}, { user: 'ada' }).catch(() => {});
      const [, created] = witness.work;
      expect(created).toEqual([
        { name: 'create', id: expect.any(String) },
        { outcome: 'refused', code: undefined },
      ]);
    }
  });

  it('is told of a store that fails, which the caller is told of as well', async () => {
    const witness = new Witness();
    const repository = new MemorySessionRepository();
    const error = new Error('away');
    repository.access = async () => {
      throw error;
    };
    const service = new SessionService({ repository, observer: witness });
    const { token } = await service.create();
    await expect(service.get(token)).rejects.toBe(error);
    expect(witness.work.at(-1)?.[1]).toEqual({ outcome: 'failed', error });
  });
});

describe('several observers', () => {
  it('each hear of everything, also beside one that throws, which is told once', async () => {
    const broken: SessionObserver = {
      notify() {
        throw new Error('notify');
      },
      storeAsked() {
        return () => {
          throw new Error('answered');
        };
      },
    };
    const eventsOnly: SessionObserver = { notify: (event) => heard.push(event) };
    const heard: SessionEvent[] = [];
    const [first, last] = [new Witness(), new Witness()];
    const errors: unknown[] = [];
    const observer = observers([first, broken, eventsOnly, last], (error) => errors.push(error));
    const service = new SessionService({ repository: new MemorySessionRepository(), observer });
    const { token } = await service.create();
    expect(await service.delete(token)).toBe(true);
    expect(first.outcomes).toEqual(['create ok', 'delete ok']);
    expect(first.events.map(({ type }) => type)).toEqual(['created', 'ended']);
    expect(last).toEqual(first);
    expect(heard).toEqual(first.events);
    expect(errors).toEqual([new Error('answered')]);
  });

  it('are not affected by one whose methods are async and reject, which is told once', async () => {
    const broken: SessionObserver = {
      async notify() {
        throw new Error('notify');
      },
      storeAsked: () => async () => {
        throw new Error('answered');
      },
    };
    const last = new Witness();
    const errors: unknown[] = [];
    const observer = observers([broken, last], (error) => errors.push(error));
    const service = new SessionService({ repository: new MemorySessionRepository(), observer });
    const { token } = await service.create();
    expect(await service.delete(token)).toBe(true);
    expect(last.events.map(({ type }) => type)).toEqual(['created', 'ended']);
    expect(errors).toHaveLength(1); // one that nobody catches would end this run
  });

  it('ask for nothing of the store if none of them wants to know', () => {
    expect(observers([{ notify() {} }]).storeAsked).toBeUndefined();
  });
});
