import { recognize } from './device-label.ts';
import { byteLength, cutText } from './text-bytes.ts';

/** Details that say nothing, or nothing that the rest does not say. */
const NOISE = /^(?:X11|U|K|Linux|Macintosh|compatible|KHTML, like Gecko)?$/;
/** Products that nearly every browser lists. */
const EVERYWHERE = /^(?:Mozilla|AppleWebKit|Gecko|Safari|Build)\//;

/**
 * Shortens a User-Agent to at most `maxBytes` bytes (60 or more) and keeps what tells browsers apart: the product with
 * its major version, the platform, and other details as far as they fit: `Chrome/126 (Android 14; Pixel 8) Mobile`. One
 * that fits stays unchanged, and one in which nothing is recognised is cut.
 *
 * `deviceLabel` gives the same result for both forms: the shortened one begins with what was recognised, and the rest
 * are whole words of the original that `deviceLabel` does not prefer to it.
 */
export function shortUserAgent(userAgent: string, maxBytes: number): string {
  const { product, system } = recognize(userAgent);
  const known = product !== undefined || system !== undefined;
  if (!known || byteLength(userAgent) <= maxBytes) return cutText(userAgent, maxBytes);

  const lead = product === undefined ? '' : product.token;
  const { comment, words } = parts(userAgent);
  let details = system === undefined ? [] : [system.token];
  for (const detail of comment) {
    if (lead !== '' && detail.startsWith(lead)) continue; // bots name themselves in a comment
    if (details.some((known) => known.includes(detail))) continue;
    // `Linux x86_64` takes the place of `Linux`.
    const others = details.filter((known) => !detail.includes(known));
    if (fits([...others, detail], [])) details = [...others, detail];
  }
  const more: string[] = [];
  for (const word of words) {
    if (word !== lead && !more.includes(word) && fits(details, [...more, word])) more.push(word);
  }
  return join(details, more);

  function join(details: readonly string[], more: readonly string[]): string {
    const comment = details.length === 0 ? '' : `(${details.join('; ')})`;
    return [lead, comment, ...more]
      .filter((part) => part !== '')
      .join(' ')
      .toWellFormed();
  }

  function fits(details: readonly string[], more: readonly string[]): boolean {
    return byteLength(join(details, more)) <= maxBytes;
  }
}

/** The details of the first comment, and the products outside of it. */
function parts(userAgent: string): { comment: string[]; words: string[] } {
  const text = userAgent.slice(0, 1024);
  const start = text.indexOf('(');
  const end = text.indexOf(')', start);
  const comment = start === -1 || end === -1 ? '' : text.slice(start + 1, end);
  const rest = comment === '' ? text : `${text.slice(0, start)} ${text.slice(end + 1)}`;
  return {
    comment: comment
      .split(';')
      .map(plain)
      .filter((detail) => !NOISE.test(detail)),
    words: rest.split(/\s+/).flatMap(productOf),
  };
}

/** `Intel Mac OS X 10_15_7` or `Pixel 8 Build/UQ1A` without the parts that say nothing. */
function plain(detail: string): string {
  return detail.replace(/^\s*(?:CPU (?:iPhone )?)?|(?: like Mac OS X| Build\/.*)?\s*$/g, '');
}

/** The product with its major version, unless it says nothing. */
function productOf(word: string): string[] {
  const [product] = /^(?:Mobile|[A-Za-z][\w.-]{0,23}\/\d{1,4})/.exec(word) ?? [];
  return product === undefined || EVERYWHERE.test(product)
    ? []
    : [product.replace(/^Mobile\/.*/, 'Mobile')];
}
