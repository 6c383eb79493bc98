import { serve } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Env } from 'hono/types';

/** Serves it as Sojourn's own server does; answers the port. */
export function listenHono<E extends Env>(app: Hono<E>): Promise<number> {
  return new Promise((resolve) => {
    serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => resolve(port));
  });
}
