/**
 * Sessions for any framework or server that uses `Request` and `Response`. It has no dependencies.
 *
 * Guide: [Frameworks and runtimes](../docs/frameworks.md).
 *
 * @module
 */
export { type CrossSiteOptions, crossSiteCheck } from './http/cross-site.ts';
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
export {
  type FetchSessionOptions,
  sessionHandler,
  type WithSession,
} from './http/session-handler.ts';
export type { SessionHandlerOptions, SessionWarning } from './http/session-lifecycle.ts';
export type { TrustedOrigins } from './http/trusted-origins.ts';
