import type { Config } from '../config.ts';
import { isLoopback } from '../http/host-names.ts';
import { SessionCookie } from '../http/session-cookie.ts';

/** A setting of a running server, and what determined it: a flag, a variable or a default. */
export interface Decision {
  readonly value: string;
  readonly because: string;
}

const places = [
  ...(['redis-url', 'redis-host', 'redis-port'] as const),
  ...(['redis-cluster', 'redis-sentinel'] as const),
];

/** The settings of a server at its start and why it has them, for later questions. Without passwords. */
export function decisions(
  config: Config,
  store: { readonly kind: 'redis' | 'memory'; readonly label: string },
): Readonly<Record<string, Decision>> {
  const { saidBy } = config;
  const cookie = new SessionCookie({ secure: config.secureCookie });
  const secondsOf = (setting: 'ttl' | 'lifetime', seconds: number | undefined) => ({
    value: seconds === undefined ? 'none' : `${seconds} s`,
    because: saidBy(setting) ?? 'default',
  });
  return {
    store: { value: store.label, because: whyStore(config, store.kind) },
    prefix: { value: config.prefix, because: saidBy('prefix') ?? 'default' },
    ttl: secondsOf('ttl', config.policy.ttl),
    lifetime: secondsOf('lifetime', config.policy.lifetime),
    nearCache: nearCache(config, store.kind),
    cookie: {
      value: `${cookie.name}, ${cookie.secure ? 'Secure: HTTPS only' : 'not Secure: HTTP as well'}`,
      because: saidBy('secure-cookie') ?? 'default',
    },
    proxy: {
      value: config.trustProxy ? 'X-Forwarded-* are trusted' : 'X-Forwarded-* are ignored',
      because: saidBy('trust-proxy') ?? 'default',
    },
    hosts: hosts(config),
    origins: {
      value: ['its own', ...config.trustedOrigins].join(', '),
      because: saidBy('trusted-origins') ?? 'default',
    },
  };
}

function whyStore({ store, redis, saidBy }: Config, kind: 'redis' | 'memory'): string {
  if (store === 'memory') return saidBy('store') ?? 'default';
  if (redis !== undefined) return places.flatMap((name) => saidBy(name) ?? []).join(', ');
  if (store === 'redis') return `${saidBy('store')}, at the default address`;
  return kind === 'redis'
    ? 'default: no Redis is configured, and this one answers'
    : 'default: no Redis is configured, none answers at the default address, and NODE_ENV is not production';
}

function nearCache({ nearCache, saidBy }: Config, kind: 'redis' | 'memory'): Decision {
  const because = saidBy('near-cache') ?? 'default';
  if (!nearCache || kind === 'redis') return { value: nearCache ? 'on' : 'off', because };
  return { value: 'off', because: `the embedded store is in memory itself, despite ${because}` };
}

function hosts({ host, allowedHosts, saidBy }: Config): Decision {
  if (allowedHosts !== undefined) {
    const value = ['loopback names', ...allowedHosts].join(', ');
    return { value, because: saidBy('allowed-hosts') ?? 'default' };
  }
  const listening = `${saidBy('host') ?? 'default'}: listening on ${host}`;
  return { value: isLoopback(host) ? 'loopback names' : 'any', because: listening };
}
