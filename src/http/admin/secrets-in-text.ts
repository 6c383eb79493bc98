/** A session's token anywhere in a text: in a cookie, a header, a log line. */
const TOKEN = /([\w-]{22})(?:\.|%2e)[\w-]{43}/i;

/** At least 32 random bytes in base64 or base64url. User names do not look like this. */
const SECRET = /[\w+/-]{43}/;

/** The part of the first token in the text that may be a session's id; `undefined` if the text contains no token. */
export function idOfTokenIn(text: string): string | undefined {
  return TOKEN.exec(text)?.[1];
}

/** True if the text may contain a secret: a session's token, or the admin token if that is long enough. */
export function maySecretBeIn(text: string): boolean {
  return SECRET.test(text);
}
