import type { Secrets } from '../ports/secrets.ts';

declare const brand: unique symbol;

/** Names a session: 128 random bits as 22 characters of base64url. It may be shown, logged and put in a URL. */
export type SessionId = string & { readonly [brand]: 'SessionId' };

/** Opens a session: `<id>.<secret>`, the cookie's value. Only the browser keeps it; never log, show or store it. */
export type SessionToken = string & { readonly [brand]: 'SessionToken' };

/** The SHA-256 of a secret. A store never learns more about the secret than this. */
export type SecretHash = string & { readonly [brand]: 'SecretHash' };

/** What a caller presents to a store to open a session: the id, and the proof that it may. */
export interface Credential {
  readonly id: SessionId;
  /** Hash of the secret that the caller presented. */
  readonly secretHash: SecretHash;
}

const ID_BYTES = 16;
const SECRET_BYTES = 32;
const ID_LENGTH = 22;
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const ID_LAST = 'AQgw';

// Unpadded base64url (RFC 4648, section 5) of 16 and 32 bytes. The last character carries 2 and 4 bits, so only some
// characters are possible there: each value has exactly one spelling.
const ID = /^[A-Za-z0-9_-]{21}[AQgw]$/;
const TOKEN = /^[A-Za-z0-9_-]{21}[AQgw]\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** Returns the text as an id if it has exactly the shape of one, otherwise `undefined`. */
export function parseSessionId(text: string): SessionId | undefined {
  return typeof text === 'string' && ID.test(text) ? (text as SessionId) : undefined;
}

/** Whether the text has exactly the shape of a token; only a store knows whether it opens anything. */
export function isSessionToken(text: string): text is SessionToken {
  return typeof text === 'string' && TOKEN.test(text);
}

/**
 * Returns the id and the secret's hash if the text has exactly the shape of a token. Anything else opens nothing, and
 * the store need not be asked.
 */
export function parseSessionToken(text: string, secrets: Secrets): Credential | undefined {
  if (!isSessionToken(text)) return undefined;
  return {
    id: text.slice(0, ID_LENGTH) as SessionId,
    secretHash: secrets.sha256(text.slice(ID_LENGTH + 1)) as SecretHash,
  };
}

/** A new random token, and the credential that a store keeps for it. */
export function mintSession(secrets: Secrets): { token: SessionToken; credential: Credential } {
  return mintSecret(secrets.random(ID_BYTES) as SessionId, secrets);
}

/**
 * Derives a credential from a bearer secret that another library created and keeps in its cookie. The same secret
 * always gives the same credential. The secret itself is never stored, and the id reveals nothing about it.
 */
export function deriveCredential(foreignSecret: string, secrets: Secrets): Credential {
  const digest = secrets.sha256(`id:${foreignSecret}`);
  const last = ID_LAST.charAt(BASE64URL.indexOf(digest.charAt(ID_LENGTH - 1)) >> 4);
  return {
    id: `${digest.slice(0, ID_LENGTH - 1)}${last}` as SessionId,
    secretHash: secrets.sha256(`secret:${foreignSecret}`) as SecretHash,
  };
}

/** A new secret for the session of that id. */
export function mintSecret(
  id: SessionId,
  secrets: Secrets,
): { token: SessionToken; credential: Credential } {
  const secret = secrets.random(SECRET_BYTES);
  return {
    token: `${id}.${secret}` as SessionToken,
    credential: { id, secretHash: secrets.sha256(secret) as SecretHash },
  };
}
