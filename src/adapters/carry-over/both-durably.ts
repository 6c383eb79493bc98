import { StoreUnavailableError } from '../../domain/errors.ts';
import type { MovableRepository } from '../../ports/session-moves.ts';
import type { Durability, Durable } from '../../ports/session-repository.ts';

interface Two {
  readonly from: MovableRepository;
  readonly to: MovableRepository;
}

/**
 * `durably` on two stores. Each is only opened when it is needed, so that one that is away fails nobody who does
 * without it; durable is what each of those says is durable.
 */
export async function bothDurably<T>(
  { from, to, durability }: Two & { readonly durability: Durability },
  act: (own: Two) => Promise<T>,
): Promise<Durable<T>> {
  const old = openWhenAsked(from, durability);
  const own = openWhenAsked(to, durability);
  try {
    const answer = await act({ from: old.repository, to: own.repository });
    const durable = await Promise.all([old.close(), own.close()]);
    return { answer, durable: durable.every(Boolean) };
  } finally {
    await Promise.allSettled([old.close(), own.close()]);
  }
}

function openWhenAsked(repository: MovableRepository, durability: Durability) {
  let opened: Promise<MovableRepository> | undefined;
  let outcome: Promise<boolean> = Promise.resolve(true);
  let finish = () => {};
  let closed = false;

  async function open(): Promise<MovableRepository> {
    if (closed && opened === undefined) throw new StoreUnavailableError('refused');
    opened ??= new Promise((resolve, reject) => {
      const durably = repository.durably(durability, (own) => {
        resolve(own);
        return new Promise<void>((done) => {
          finish = done;
        });
      });
      outcome = durably.then(({ durable }) => durable);
      outcome.catch(reject);
    });
    return opened;
  }

  return {
    repository: askedLater(open),
    close(): Promise<boolean> {
      closed = true;
      finish();
      return outcome;
    },
  };
}

/** The repository that `open` answers, which is asked for at the first call. */
function askedLater(open: () => Promise<MovableRepository>): MovableRepository {
  return {
    create: async (session) => (await open()).create(session),
    read: async (by) => (await open()).read(by),
    access: async (by, access) => (await open()).access(by, access),
    update: async (by, change) => (await open()).update(by, change),
    increment: async (by, change) => (await open()).increment(by, change),
    replace: async (by, change) => (await open()).replace(by, change),
    take: async (by, field) => (await open()).take(by, field),
    setTtl: async (by, change) => (await open()).setTtl(by, change),
    rotate: async (by, rotation) => (await open()).rotate(by, rotation),
    delete: async (by) => (await open()).delete(by),
    find: async (id) => (await open()).find(id),
    end: async (id, options) => (await open()).end(id, options),
    durably: async (durability, act) => (await open()).durably(durability, act),
    users: {
      add: async (entry) => (await open()).users.add(entry),
      list: async (user, page) => (await open()).users.list(user, page),
      remove: async (user, ids) => (await open()).users.remove(user, ids),
    },
    moves: {
      freeze: async (by, options) => (await open()).moves.freeze(by, options),
      adopt: async (copy) => (await open()).moves.adopt(copy),
      release: async (id, claim) => (await open()).moves.release(id, claim),
      unfreeze: async (id, claim) => (await open()).moves.unfreeze(id, claim),
      thaw: async (id, claim) => (await open()).moves.thaw(id, claim),
      discard: async (id, claim) => (await open()).moves.discard(id, claim),
      placeOf: async (user, id) => (await open()).moves.placeOf(user, id),
      enter: async (entry) => (await open()).moves.enter(entry),
      now: async () => (await open()).moves.now(),
    },
  };
}
