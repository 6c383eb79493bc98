import { summedUp } from '../http/summed-up.ts';

/** Scanners try names all day. Each request has a line of its own at level info. */
const TOLD_EVERY_MS = 600_000;

const SHOWN_CHARACTERS = 100;

/**
 * Returns the same check, which logs a warning for the first host that it refuses, and a summary of further ones at
 * most every ten minutes. `whoAllows` says what allows a host.
 */
export function toldHosts(
  allowsHost: (name: string) => boolean,
  log: { advises(text: string): void },
  whoAllows: string,
): (name: string) => boolean {
  let last = '';
  const refused = summedUp(TOLD_EVERY_MS, (times) => {
    const requests = times === 1 ? 'a request' : `${times} requests, the last one`;
    log.advises(`refused ${requests} for the host ${last}; ${whoAllows}`);
  });
  return function allows(name) {
    const isAllowed = allowsHost(name);
    if (isAllowed) return true;
    last = name.slice(0, SHOWN_CHARACTERS);
    refused();
    return false;
  };
}
