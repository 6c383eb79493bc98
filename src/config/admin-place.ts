import { ConfigError } from './config-error.ts';
import { tokenFile, withoutLineEnd } from './files.ts';
import type { Given } from './given.ts';
import { portNumber } from './values.ts';

/** Where the second listener is, and the token that it requires. */
export interface AdminPlace {
  readonly host: string;
  readonly port: number;
  /** `undefined`: no token is required. */
  readonly token: string | undefined;
}

/** The second listener, if a port for it is set. Throws a `ConfigError`. */
export function adminPlace(given: Given, publicPort: number): AdminPlace | undefined {
  const port = given.read(
    'admin-port',
    (value) => portNumber(value, 0),
    'a port from 0 to 65535, 0 for a free one',
  );
  if (port === undefined) {
    for (const name of ['admin-host', 'admin-token-file'] as const) {
      if (!given.byFlag(name)) continue;
      throw new ConfigError(`--${name} needs ${given.source('admin-port')}`);
    }
    return undefined;
  }
  if (port !== 0 && port === publicPort) {
    throw new ConfigError(
      `${given.source('admin-port')} and ${given.source('port')} are both ${port}: the admin listener needs another port`,
    );
  }
  return { host: given.text('admin-host') ?? '127.0.0.1', port, token: tokenOf(given) };
}

/** The characters that fit into an `Authorization` header. */
const TOKEN = /^[\x21-\x7e]+$/;

function tokenOf(given: Given): string | undefined {
  const [plain, file] = ['admin-token', 'admin-token-file'] as const;
  if (given.has(plain) && given.has(file) && !given.byFlag(file)) {
    throw new ConfigError(
      `${given.source(plain)} and ${given.source(file)} are both set: set only one of them`,
    );
  }
  const name = given.has(file) ? file : plain;
  const token = given.has(file)
    ? given.read(file, (path) => tokenFile(path, given.source(file)), 'a file')
    : given.read(plain, withoutLineEnd, 'a token');
  if (token === undefined || TOKEN.test(token)) return token;
  throw new ConfigError(
    `${given.source(name)} must be one line of printable ASCII without spaces; create one with openssl rand -base64 32`,
  );
}
