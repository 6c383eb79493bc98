import type { Certificate } from './certificate.ts';
import { redisBinary } from './live-redis.ts';
import { type RedisServer, startRedisServer } from './redis-server.ts';

export interface TlsRedisServer extends RedisServer {
  /** Where it speaks TLS; at `port` it speaks plainly, for the tests themselves. */
  readonly tlsPort: number;
}

/** A Redis, or a sentinel, that speaks TLS with that certificate, and asks clients for none. */
export async function startTlsRedis(
  { cert, key }: Certificate,
  args: readonly string[] = [],
): Promise<TlsRedisServer> {
  const probe = await startRedisServer({ binary: redisBinary() });
  const { port: tlsPort } = probe;
  await probe.stop();
  const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert];
  const server = await startRedisServer({
    binary: redisBinary(),
    args: [...args, '--tls-port', String(tlsPort), ...files, '--tls-auth-clients', 'no'],
  });
  return Object.assign(server, { tlsPort });
}
