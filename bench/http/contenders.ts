import { betterAuth } from './better-auth.ts';
import type { HttpContender } from './contender.ts';
import { expressSession } from './express-session.ts';
import { fastifySession } from './fastify-session.ts';
import { honoBare } from './hono-bare.ts';
import { honoSessions } from './hono-sessions.ts';
import { sojourn } from './sojourn.ts';
import { sojournLogins } from './sojourn-logins.ts';

/** By the name in the table. The first is what the others are measured against. */
export const httpContenders = {
  'Hono, no session': honoBare({ middleware: false }),
  'Hono, one empty async middleware': honoBare({ middleware: true }),
  'Hono, one middleware that sets a header': honoBare({ middleware: true, header: true }),
  Sojourn: sojourn({}),
  'Sojourn, refreshAfter': sojourn({ refreshAfter: 60 }),
  'Sojourn, near cache': sojourn({ nearCache: true }),
  'hono-sessions': honoSessions,
  '@fastify/session + connect-redis': fastifySession,
  'express-session + connect-redis': expressSession,
  'better-auth, updateAge 60': betterAuth,
  'Sojourn, each request a login': sojournLogins({ journal: false }),
  'Sojourn, each request a login, with a journal': sojournLogins({ journal: true }),
} satisfies Readonly<Record<string, HttpContender>>;

export type HttpContenderName = keyof typeof httpContenders;
