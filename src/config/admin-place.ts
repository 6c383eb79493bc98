import { ConfigError } from './config-error.ts';
import { tokenFile, withoutLineEnd } from './files.ts';
import type { Given } from './given.ts';
import { portNumber } from './values.ts';

/** Where the second listener is, and what it asks of whoever comes. */
export interface AdminPlace {
  readonly host: string;
  readonly port: number;
  /** `undefined`: whoever reaches it may use it. */
  readonly token: string | undefined;
}

/** The second listener, if a port for it is given. Throws a `ConfigError`. */
export function adminPlace(given: Given, publicPort: number): AdminPlace | undefined {
  const port = given.read(
    'admin-port',
    (value) => portNumber(value, 0),
    'a port from 0 to 65535, 0 for a free one',
  );
  if (port === undefined) {
    for (const name of ['admin-host', 'admin-token-file'] as const) {
      if (!given.byFlag(name)) continue;
      throw new ConfigError(`--${name} goes together with ${given.source('admin-port')}`);
    }
    return undefined;
  }
  if (port !== 0 && port === publicPort) {
    throw new ConfigError(
      `${given.source('admin-port')} and ${given.source('port')} are both ${port}: the console has a port of its own`,
    );
  }
  return { host: given.text('admin-host') ?? '127.0.0.1', port, token: tokenOf(given) };
}

/** As it fits into an `Authorization` header. */
const TOKEN = /^[\x21-\x7e]+$/;

function tokenOf(given: Given): string | undefined {
  const [plain, file] = ['admin-token', 'admin-token-file'] as const;
  if (given.has(plain) && given.has(file) && !given.byFlag(file)) {
    throw new ConfigError(`${given.source(plain)} and ${given.source(file)}: set one of them`);
  }
  const name = given.has(file) ? file : plain;
  const token = given.has(file)
    ? given.read(file, (path) => tokenFile(path, given.source(file)), 'a file')
    : given.read(plain, withoutLineEnd, 'a token');
  if (token === undefined || TOKEN.test(token)) return token;
  throw new ConfigError(
    `${given.source(name)} must hold one line of printable ASCII without spaces: openssl rand -base64 32 makes such a token`,
  );
}
