/** A session's token wherever it stands in a text: a cookie, a header, a line of a log. */
const TOKEN = /([\w-]{22})(?:\.|%2e)[\w-]{43}/i;

/** What 32 random bytes or more look like in base64 or base64url. Nobody is called that. */
const SECRET = /[\w+/-]{43}/;

/** Of the first token in the text what may be the session's id; `undefined` where no token is in it. */
export function idOfTokenIn(text: string): string | undefined {
  return TOKEN.exec(text)?.[1];
}

/** Whether the text holds what may be a secret: a token of a session, or the admin token, if that is long enough. */
export function maySecretBeIn(text: string): boolean {
  return SECRET.test(text);
}
