import { randomBytes } from 'node:crypto';

/** An id as express-session and @fastify/session make it: 24 random bytes. */
export function randomSessionId(): string {
  return randomBytes(24).toString('base64url');
}
