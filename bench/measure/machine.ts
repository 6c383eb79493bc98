import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, cpus, release, totalmem, type } from 'node:os';

/** Where, and with what, the figures were measured. */
export function describeMachine(redisVersion: string) {
  const require = createRequire(import.meta.url);
  const version = (name: string) => {
    for (const folder of require.resolve.paths(name) ?? []) {
      try {
        const file = readFileSync(`${folder}/${name}/package.json`, 'utf8');
        return (JSON.parse(file) as { version: string }).version;
      } catch {} // not in this folder; the next one is further up
    }
    return 'not installed';
  };
  const packages = ['ioredis', 'hono', '@hono/node-server', 'redis', 'connect-redis', 'express'];
  packages.push('express-session', 'hono-sessions', 'fastify', '@fastify/session');
  return {
    at: new Date().toISOString(),
    cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
    redis: redisVersion,
    packages: Object.fromEntries(packages.map((name) => [name, version(name)])),
  };
}
