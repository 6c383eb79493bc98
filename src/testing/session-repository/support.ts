import assert from 'node:assert/strict';
import { nodeSecrets } from '../../adapters/node/node-secrets.ts';
import type { Session } from '../../domain/session.ts';
import { type Credential, mintSession, type SessionId } from '../../domain/session-token.ts';
import type {
  Absent,
  NewSession,
  Rotation,
  SessionRepository,
} from '../../ports/session-repository.ts';
import type { IndexPage, NewIndexEntry, UserIndex } from '../../ports/user-index.ts';

export const FIRST = '2026-04-02T12:34:56+00:00';
export const LATER = '2026-04-02T12:40:00+00:00';
/** The answer of `rotate` for a session without a user. */
export const NOBODYS = { user: undefined };
export const limits = { maxFields: 4, maxTotalBytes: 64 };
export const use = { at: LATER };
export const always = { at: LATER, refreshAfterMs: 0 };

export function newCredential(): Credential {
  return mintSession(nodeSecrets).credential;
}

export function newSession(session: Partial<NewSession>): NewSession {
  return {
    credential: newCredential(),
    user: undefined,
    fields: new Map(),
    ttl: 60,
    lifetime: undefined,
    device: {},
    persistent: false,
    at: FIRST,
    ...session,
  };
}

export async function stored(
  repository: SessionRepository,
  { fields = {}, ...session }: { fields?: Record<string, string>; ttl?: number; lifetime?: number },
): Promise<Credential> {
  const credential = newCredential();
  await repository.create(
    newSession({ credential, fields: new Map(Object.entries(fields)), ...session }),
  );
  return credential;
}

/** Creates a session; its id has not been ended in advance. */
export async function create(
  repository: SessionRepository,
  session: NewSession,
): Promise<Session | undefined> {
  const answer = await repository.create(session);
  assert.notEqual(answer, 'evicted');
  return answer as Session | undefined;
}

/** Reads a session; the tests that use this never expect `reused`. */
export async function read(
  repository: SessionRepository,
  credential: Credential,
): Promise<Session | undefined> {
  const answer = await repository.read(credential);
  assert.notEqual(answer, 'reused');
  return answer as Session | undefined;
}

export async function access(
  repository: SessionRepository,
  credential: Credential,
  how = always,
): Promise<Session | undefined> {
  const answer = await repository.access(credential, how);
  assert.notEqual(answer, 'reused');
  return answer as Session | undefined;
}

export function taken(answer: { readonly value: string | undefined } | Absent): string | undefined {
  return typeof answer === 'object' ? answer.value : undefined;
}

export async function idsOf(
  users: UserIndex,
  user: string,
  page: IndexPage = { from: 'oldest', limit: 1000 },
): Promise<SessionId[]> {
  return (await users.list(user, page)).map(({ id }) => id);
}

export function entry(entry: Partial<NewIndexEntry> & { readonly user: string }): NewIndexEntry {
  return { id: newCredential().id, keepMs: 60_000, max: undefined, ...entry };
}

export function rotation(rotation: Partial<Rotation>): Rotation {
  const next = newCredential().secretHash;
  return { next, graceMs: 0, reauthenticated: undefined, ...use, ...rotation };
}

export async function assertAbsent(
  repository: SessionRepository,
  credential: Credential,
  absent: Absent = undefined,
): Promise<void> {
  const set = new Map([['n', '1']]);
  assert.equal(await repository.read(credential), absent);
  assert.equal(await repository.access(credential, always), absent);
  assert.equal(await repository.update(credential, { set, unset: [], limits, ...use }), absent);
  assert.equal(
    await repository.increment(credential, { field: 'n', by: 1, limits, ...use }),
    absent,
  );
  const change = { field: 'n', expected: '1', next: '2', limits, ...use };
  assert.equal(await repository.replace(credential, change), absent);
  assert.equal(await repository.take(credential, { field: 'n', ...use }), absent);
  assert.equal(await repository.setTtl(credential, { ttl: 60, ...use }), absent);
  assert.equal(await repository.rotate(credential, rotation({})), absent);
  assert.equal(await repository.delete(credential), absent);
  assert.equal(await repository.read(credential), absent);
}

/** Compares two reads of a session, except for the time that passed in between. */
export function assertSame(actual: object | undefined, expected: object | undefined): void {
  assert.deepEqual({ ...actual, remainingMs: 0 }, { ...expected, remainingMs: 0 });
}

export function assertBetween(actual: number | undefined, least: number, most: number): void {
  assert.ok(
    actual !== undefined && actual >= least && actual <= most,
    `${actual} is not between ${least} and ${most}`,
  );
}
