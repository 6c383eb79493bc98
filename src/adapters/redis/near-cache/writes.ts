import type { SessionId } from '../../../domain/session-token.ts';
import type { SessionRepository } from '../../../ports/session-repository.ts';

/**
 * The repository, but with every call that may change a session forgetting its id: at once, and again after the answer,
 * because a read that began meanwhile may have seen the old state. Also if the call fails, because it may have been
 * applied.
 */
export function forgettingWrites(
  repository: SessionRepository,
  forget: (id: SessionId) => void,
): SessionRepository {
  async function forgetting<T>(id: SessionId, write: () => Promise<T>): Promise<T> {
    forget(id);
    try {
      return await write();
    } finally {
      forget(id);
    }
  }
  return {
    users: repository.users,
    read: (credential) => repository.read(credential),
    find: (id) => repository.find(id),
    create: (session) => forgetting(session.credential.id, () => repository.create(session)),
    access: (by, access) => forgetting(by.id, () => repository.access(by, access)),
    update: (by, change) => forgetting(by.id, () => repository.update(by, change)),
    increment: (by, change) => forgetting(by.id, () => repository.increment(by, change)),
    replace: (by, change) => forgetting(by.id, () => repository.replace(by, change)),
    take: (by, field) => forgetting(by.id, () => repository.take(by, field)),
    setTtl: (by, change) => forgetting(by.id, () => repository.setTtl(by, change)),
    rotate: (by, rotation) => forgetting(by.id, () => repository.rotate(by, rotation)),
    delete: (by) => forgetting(by.id, () => repository.delete(by)),
    end: (id, options) => forgetting(id, () => repository.end(id, options)),
    durably: (durability, act) =>
      repository.durably(durability, (own) => act(forgettingWrites(own, forget))),
  };
}
