import type { Env, Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { Handler } from 'hono/types';

/** Registers one path with its methods. Any other method is an `HTTPException`: 405, with `Allow` set. */
export function route<E extends Env>(
  app: Hono<E>,
  path: string,
  methods: { readonly GET?: Handler[]; readonly POST?: Handler[] },
): void {
  const { GET, POST } = methods;
  if (GET !== undefined) app.on('GET', [path], ...GET);
  if (POST !== undefined) app.on('POST', [path], ...POST);
  const allow = [GET && 'GET, HEAD', POST && 'POST'].filter(Boolean).join(', ');
  app.all(path, (c) => {
    c.header('Allow', allow);
    throw new HTTPException(405, { message: 'Method not allowed' });
  });
}
