/** A session's token wherever it stands in a text: a cookie, a header, a line of a log. */
const TOKEN = /([\w-]{22})(?:\.|%2e)[\w-]{43}/i;

/** Of the first token in the text what may be the session's id; `undefined` where no token is in it. */
export function idOfTokenIn(text: string): string | undefined {
  return TOKEN.exec(text)?.[1];
}
