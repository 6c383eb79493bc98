import { serve } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Env } from 'hono/types';
import { closeServer, type OpenServer } from './contender.ts';

/** Serves it as Sojourn's own server does. */
export function listenHono<E extends Env>(
  app: Hono<E>,
  disconnect: () => Promise<unknown> = async () => {},
): Promise<OpenServer> {
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) =>
      resolve({
        port,
        async close() {
          await closeServer(server);
          await disconnect();
        },
      }),
    );
  });
}
