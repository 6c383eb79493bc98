import type { SessionPolicy } from '../../domain/session-policy.ts';

/** What can be said about a form that was not done as asked. A redirect carries the key, so that no URL puts words on the page. */
export type Notice = 'ttl' | 'max-ttl' | 'username' | 'expired' | 'no-session' | 'no-such-session';

/** Every notice as people read it. */
export function notices({ maxTtl }: SessionPolicy): Record<Notice, string> {
  return {
    ttl: 'TTL must be a whole number greater than 0.',
    'max-ttl': `TTL must be at most ${maxTtl} seconds.`,
    username: 'The name must be at most 64 characters long.',
    expired: 'Session expired',
    'no-session': 'No active session',
    'no-such-session': 'You have no such session.',
  };
}

/** The field whose value was refused. */
export const refusedField: Readonly<Partial<Record<Notice, 'ttl' | 'username'>>> = {
  ttl: 'ttl',
  'max-ttl': 'ttl',
  username: 'username',
};

const keys: ReadonlySet<string> = new Set<Notice>([
  'ttl',
  'max-ttl',
  'username',
  'expired',
  'no-session',
  'no-such-session',
]);

export function noticeOf(key: string | undefined): Notice | undefined {
  return key !== undefined && keys.has(key) ? (key as Notice) : undefined;
}
