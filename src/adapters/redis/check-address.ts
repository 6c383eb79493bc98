import { SessionError } from '../../domain/errors.ts';
import { isWhole } from '../../domain/whole-number.ts';
import { type HostAndPort, MAX_DATABASE, type RedisAddress } from './redis-address.ts';

const MAX_PORT = 65_535;

/**
 * Checks what environment variables and programs without types get wrong, before a client is made of it.
 *
 * @throws `SessionError` (`invalid_option`), which never repeats the address, because it may contain a password.
 */
export function checkAddress(address: RedisAddress): void {
  switch (address?.kind) {
    case 'url':
      if (typeof address.url !== 'string') throw invalid('url must be text, as in redis://h:6379');
      break;
    case 'server':
      checkServer(address);
      break;
    case 'socket':
      if (!isName(address.path)) throw invalid('path must be the path of a socket');
      break;
    case 'sentinel':
      if (!isName(address.master)) throw invalid('master must be the name of a master');
      checkServers('sentinels', address.sentinels);
      break;
    case 'cluster':
      checkServers('nodes', address.nodes);
      return;
    default:
      throw invalid(
        "must be an object whose kind is 'url', 'server', 'socket', 'sentinel' or 'cluster', " +
          "as in { kind: 'url', url: 'redis://redis.internal:6379' }",
      );
  }
  checkDatabase(address.db);
}

function checkDatabase(db: number | undefined): void {
  if (db === undefined || isWhole(db, 0, MAX_DATABASE)) return;
  throw invalid('db must be the number of a database');
}

function checkServers(name: string, servers: readonly HostAndPort[]): void {
  if (!Array.isArray(servers) || servers.length === 0)
    throw invalid(`${name} must be a list of at least one server`);
  for (const server of servers) checkServer(server);
}

function checkServer(server: HostAndPort): void {
  if (!isName(server?.host)) throw invalid('host must be a name or an address');
  if (!isWhole(server.port, 1, MAX_PORT)) {
    throw invalid(`port must be a whole number from 1 to ${MAX_PORT}`);
  }
}

function isName(text: unknown): boolean {
  return typeof text === 'string' && text !== '';
}

function invalid(what: string): SessionError {
  return new SessionError('invalid_option', `The address of Redis: ${what}.`);
}
