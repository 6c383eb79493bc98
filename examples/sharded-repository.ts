import { createHash } from 'node:crypto';
import type {
  Credential,
  Durability,
  Durable,
  IndexPage,
  NewIndexEntry,
  SessionId,
  SessionRepository,
  UserIndex,
} from 'sojourn';

/**
 * A store of our own: sessions spread over several stores, for more than one Redis can hold without a cluster. A session
 * lives where its id says, a user's index where the user's name says; so each call is still one atomic step in one store.
 * The number of shards must not change while sessions live.
 */
export class ShardedRepository implements SessionRepository {
  readonly users: UserIndex;
  readonly #shards: readonly SessionRepository[];

  constructor(shards: readonly SessionRepository[]) {
    if (shards.length === 0) throw new RangeError('A sharded repository needs a shard.');
    this.#shards = shards;
    this.users = new ShardedUserIndex((user) => this.#shard(user).users);
  }

  create: SessionRepository['create'] = (session) => this.#of(session.credential).create(session);
  read: SessionRepository['read'] = (credential) => this.#of(credential).read(credential);
  access: SessionRepository['access'] = (credential, access) =>
    this.#of(credential).access(credential, access);
  update: SessionRepository['update'] = (credential, change) =>
    this.#of(credential).update(credential, change);
  increment: SessionRepository['increment'] = (credential, change) =>
    this.#of(credential).increment(credential, change);
  replace: SessionRepository['replace'] = (credential, change) =>
    this.#of(credential).replace(credential, change);
  take: SessionRepository['take'] = (credential, field) =>
    this.#of(credential).take(credential, field);
  setTtl: SessionRepository['setTtl'] = (credential, change) =>
    this.#of(credential).setTtl(credential, change);
  rotate: SessionRepository['rotate'] = (credential, rotation) =>
    this.#of(credential).rotate(credential, rotation);
  delete: SessionRepository['delete'] = (credential) => this.#of(credential).delete(credential);
  find: SessionRepository['find'] = (id) => this.#shard(id).find(id);
  end: SessionRepository['end'] = (id, options) => this.#shard(id).end(id, options);

  /** One shard within the other; durable is what every one of them says is durable. */
  durably<T>(
    durability: Durability,
    act: (repository: SessionRepository) => Promise<T>,
  ): Promise<Durable<T>> {
    const enter = async (own: readonly SessionRepository[]): Promise<Durable<T>> => {
      const next = this.#shards[own.length];
      if (next === undefined) {
        return { answer: await act(new ShardedRepository(own)), durable: true };
      }
      const { answer, durable } = await next.durably(durability, (one) => enter([...own, one]));
      return { answer: answer.answer, durable: answer.durable && durable };
    };
    return enter([]);
  }

  #of({ id }: Credential): SessionRepository {
    return this.#shard(id);
  }

  // Ids are random, but users' names are not: hashed, both spread evenly.
  #shard(name: string): SessionRepository {
    const number = createHash('sha256').update(name).digest().readUInt32BE();
    return this.#shards[number % this.#shards.length] as SessionRepository; // there is one
  }
}

class ShardedUserIndex implements UserIndex {
  readonly #of: (user: string) => UserIndex;

  constructor(of: (user: string) => UserIndex) {
    this.#of = of;
  }

  add(entry: NewIndexEntry) {
    return this.#of(entry.user).add(entry);
  }

  list(user: string, page: IndexPage) {
    return this.#of(user).list(user, page);
  }

  remove(user: string, ids: readonly SessionId[]) {
    return this.#of(user).remove(user, ids);
  }
}
