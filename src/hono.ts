/**
 * Sessions for applications on Hono.
 *
 * @module
 */
export type {
  ActiveSession,
  FieldData,
  RequestSession,
  StartOptions,
} from './http/request-session.ts';
export type { SessionCookieOptions } from './http/session-cookie.ts';
export { type SessionsEnv, type SessionsOptions, sessions } from './http/sessions.ts';
