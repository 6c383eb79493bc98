import { BlockList, isIP } from 'node:net';
import { ConfigError } from '../config.ts';
import type { Session } from '../domain/session.ts';
import type { CommandLine, Flag } from './command.ts';
import { readDuration } from './moments.ts';
import { secondsSince } from './session-view.ts';

export const filterFlags: Readonly<Record<string, Flag>> = {
  'older-than': { hint: 'TIME', help: 'only sessions at least this old: 2h, 7d' },
  idle: { hint: 'TIME', help: 'only sessions unused for at least this long' },
  address: { hint: 'ADDRESS', help: 'only sessions from there: 192.0.2.1, 192.0.2.0/24' },
  device: { hint: 'TEXT', help: 'only sessions whose device or User-Agent contains this' },
};

type Filter = (session: Session, now: number) => boolean;

/** A filter for sessions that meet all of these flags; `undefined` if none is given. Throws a `ConfigError`. */
export function readFilter(flags: CommandLine['flags']): Filter | undefined {
  const filters = [
    since('older-than', flags, ({ createdAt }) => createdAt),
    since('idle', flags, ({ lastAccessedAt }) => lastAccessedAt),
    address(flags),
    device(flags),
  ].filter((filter) => filter !== undefined);
  if (filters.length === 0) return undefined;
  return (session, now) => filters.every((filter) => filter(session, now));
}

function since(
  name: string,
  flags: CommandLine['flags'],
  instantOf: (session: Session) => string,
): Filter | undefined {
  const least = readDuration(name, flags);
  if (least === undefined) return undefined;
  return (session, now) => (secondsSince(instantOf(session), now) ?? -1) >= least;
}

function address({ address: wanted }: CommandLine['flags']): Filter | undefined {
  if (wanted === undefined) return undefined;
  const text = String(wanted);
  if (isIP(text) === 0 && !text.includes('/')) return ({ device }) => device.address === text;
  const list = addressList(text);
  return ({ device: { address = '' } }) => {
    const version = isIP(address);
    return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
  };
}

function addressList(text: string): BlockList {
  const [net = '', bits, ...rest] = text.split('/');
  const family = isIP(net) === 4 ? 'ipv4' : 'ipv6';
  const most = family === 'ipv4' ? 32 : 128;
  const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Infinity;
  if (isIP(net) === 0 || prefix > most || rest.length > 0) {
    throw new ConfigError(
      `--address must be an address or a network such as 192.0.2.0/24, not ${JSON.stringify(text)}`,
    );
  }
  const list = new BlockList();
  list.addSubnet(net, prefix, family);
  return list;
}

function device({ device: wanted }: CommandLine['flags']): Filter | undefined {
  if (wanted === undefined) return undefined;
  const text = String(wanted).toLowerCase();
  return ({ device: { label = '', userAgent = '' } }) =>
    label.toLowerCase().includes(text) || userAgent.toLowerCase().includes(text);
}
