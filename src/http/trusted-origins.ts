import { SessionError } from '../domain/errors.ts';
import { parseOrigin } from './request-origin.ts';

/**
 * Origins, such as `https://shop.example`, whose pages may send unsafe requests as well: a list, or a function that is
 * given each origin in the form in which browsers send it and answers `true` for those. In the list
 * `https://*.shop.example` stands for every host below `shop.example`, at any depth, but not for `shop.example` itself.
 */
export type TrustedOrigins = readonly string[] | ((origin: string) => boolean);

const WILDCARD = '*.';

/**
 * What tells trusted origins, as `parseOrigin` answers them, from others. Throws a `SessionError` (`invalid_option`) for
 * an entry that is no origin and would never match.
 */
export function trustedOrigins(trusted: TrustedOrigins): (origin: string) => boolean {
  if (typeof trusted === 'function') return (origin) => trusted(origin) === true; // a promise is no answer
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
    `trustedOrigins: ${JSON.stringify(entry)} is no origin. Write scheme and host, such as https://app.example, ` +
      'https://app.example:8443 or https://*.app.example; for other patterns give a function.',
  );
}
