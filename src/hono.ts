/**
 * Session middleware for Hono.
 *
 * Guide: [The Hono middleware](../docs/hono.md).
 *
 * @module
 */
export { type CrossSiteOptions, crossSiteCheck } from './http/cross-site.ts';
export { type SessionsEnv, type SessionsOptions, sessions } from './http/hono/sessions.ts';
export type { RequestHead } from './http/request-origin.ts';
export type {
  ActiveSession,
  FieldData,
  RequestSession,
  StartOptions,
  UserSession,
} from './http/request-session.ts';
export {
  type PresentedToken,
  SessionCookie,
  type SessionCookieOptions,
} from './http/session-cookie.ts';
export type { SessionHandlerOptions, SessionWarning } from './http/session-lifecycle.ts';
export type { TrustedOrigins } from './http/trusted-origins.ts';
