import type { SessionObserver, StoreAnswer, StoreOperation } from '../ports/session-observer.ts';
import type { SessionRepository } from '../ports/session-repository.ts';
import type { UserIndex } from '../ports/user-index.ts';

type StoreAsked = NonNullable<SessionObserver['storeAsked']>;

/** A repository that reports each call to the observer. If the observer does not want that, the repository itself. */
export function observedRepository(
  repository: SessionRepository,
  observer: SessionObserver | undefined,
): SessionRepository {
  if (observer?.storeAsked === undefined) return repository;
  return observed(repository, (operation) => observer.storeAsked?.(operation) ?? (() => {}));
}

function observed(repository: SessionRepository, storeAsked: StoreAsked): SessionRepository {
  const ask = asking(storeAsked);
  return {
    users: observedIndex(repository.users, storeAsked),
    create: (session) =>
      ask('create', session.credential.id, () => repository.create(session), refusedUnlessDone),
    read: (by) => ask('read', by.id, () => repository.read(by)),
    access: (by, access) => ask('access', by.id, () => repository.access(by, access)),
    update: (by, change) => ask('update', by.id, () => repository.update(by, change)),
    increment: (by, change) => ask('increment', by.id, () => repository.increment(by, change)),
    replace: (by, change) => ask('replace', by.id, () => repository.replace(by, change)),
    take: (by, field) => ask('take', by.id, () => repository.take(by, field)),
    setTtl: (by, change) => ask('setTtl', by.id, () => repository.setTtl(by, change)),
    rotate: (by, rotation) => ask('rotate', by.id, () => repository.rotate(by, rotation)),
    delete: (by) => ask('delete', by.id, () => repository.delete(by)),
    find: (id) => ask('find', id, () => repository.find(id)),
    end: (id, options) => ask('end', id, () => repository.end(id, options)),
    durably: (durability, act) =>
      ask(
        'durably',
        undefined,
        () => repository.durably(durability, (own) => act(observed(own, storeAsked))),
        ({ durable }) => (durable ? done : { outcome: 'undurable' }),
      ),
  };
}

function observedIndex(users: UserIndex, storeAsked: StoreAsked): UserIndex {
  const ask = asking(storeAsked);
  return {
    add: (entry) => ask('users.add', entry.id, () => users.add(entry), refusedUnlessDone),
    list: (user, page) => ask('users.list', undefined, () => users.list(user, page)),
    remove: (user, ids) =>
      ask(
        'users.remove',
        ids.length === 1 ? ids[0] : undefined,
        () => users.remove(user, ids),
        () => done,
      ),
  };
}

const done: StoreAnswer = { outcome: 'ok' };

function asking(storeAsked: StoreAsked) {
  return async function ask<T>(
    name: StoreOperation['name'],
    id: StoreOperation['id'],
    call: () => Promise<T>,
    told: (answer: T) => StoreAnswer = answerOf,
  ): Promise<T> {
    const answered = storeAsked({ name, id });
    let answer: T;
    try {
      answer = await call();
    } catch (error) {
      answered({ outcome: 'failed', error });
      throw error;
    }
    answered(told(answer));
    return answer;
  };
}

function refusedUnlessDone(answer: unknown): StoreAnswer {
  return typeof answer === 'object' ? done : { outcome: 'refused', code: undefined };
}

function answerOf(answer: unknown): StoreAnswer {
  switch (answer) {
    case undefined:
      return { outcome: 'absent' };
    case false:
      return { outcome: 'conflict' };
    case 'reused':
      return { outcome: 'reused' };
    case 'too_many_fields':
    case 'too_large':
    case 'not_an_integer':
    case 'out_of_range':
      return { outcome: 'refused', code: answer };
    default:
      return done;
  }
}
