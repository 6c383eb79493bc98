import { SessionError } from '../domain/errors.ts';
import { parseOrigin } from './request-origin.ts';

/**
 * Origins whose pages may also send unsafe requests, such as `https://shop.example`: a list, or a function that gets
 * each origin in the form in which browsers send it and returns `true` for trusted ones. In the list,
 * `https://*.shop.example` matches every host below `shop.example`, at any depth, but not `shop.example` itself.
 */
export type TrustedOrigins = readonly string[] | ((origin: string) => boolean);

const WILDCARD = '*.';

/**
 * Returns a function that recognises trusted origins, in the form of `parseOrigin`. Throws a `SessionError`
 * (`invalid_option`) for an entry that is not an origin and would never match.
 */
export function trustedOrigins(trusted: TrustedOrigins): (origin: string) => boolean {
  if (typeof trusted === 'function') return (origin) => trusted(origin) === true; // a promise does not count as true
  if (!Array.isArray(trusted)) throw notAnOrigin(trusted);
  const exact = new Set<string>();
  const suffixes: { readonly scheme: string; readonly end: string }[] = [];
  for (const entry of trusted) {
    const [scheme = '', rest = ''] = String(entry).split('://', 2);
    const wildcard = rest.startsWith(WILDCARD);
    const origin = parseOrigin(
      wildcard ? `${scheme}://${rest.slice(WILDCARD.length)}` : `${entry}`,
    );
    if (origin === undefined || origin.includes('*')) throw notAnOrigin(entry);
    const start = origin.indexOf('://') + 3;
    if (!wildcard) exact.add(origin);
    else suffixes.push({ scheme: origin.slice(0, start), end: `.${origin.slice(start)}` });
  }
  return (origin) =>
    exact.has(origin) ||
    suffixes.some(({ scheme, end }) => origin.startsWith(scheme) && origin.endsWith(end));
}

function notAnOrigin(entry: unknown): SessionError {
  return new SessionError(
    'invalid_option',
    `trustedOrigins: ${JSON.stringify(entry)} is not an origin. Write scheme and host, such as https://app.example, ` +
      'https://app.example:8443 or https://*.app.example; for other patterns pass a function.',
  );
}
