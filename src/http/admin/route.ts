import type { Env, Hono } from 'hono';
import type { Handler } from 'hono/types';

/** One path and the methods that it knows; any other is answered 405. */
export function route<E extends Env>(
  app: Hono<E>,
  path: string,
  methods: { readonly GET?: Handler<E>[]; readonly POST?: Handler<E>[] },
): void {
  const { GET, POST } = methods;
  if (GET !== undefined) app.on('GET', [path], ...GET);
  if (POST !== undefined) app.on('POST', [path], ...POST);
  const allow = [GET && 'GET, HEAD', POST && 'POST'].filter(Boolean).join(', ');
  app.all(path, (c) => c.json({ error: 'Method not allowed' }, 405, { Allow: allow }));
}
