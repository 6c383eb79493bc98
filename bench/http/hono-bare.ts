import { Hono } from 'hono';
import { greeting, type HttpContender } from './contender.ts';
import { listenHono } from './listen-hono.ts';

/**
 * No session at all; with `middleware` one empty async middleware, the least that any session costs; with `header` it
 * sets `Cache-Control`, which an answer that shows a session must have.
 */
export function honoBare({
  middleware,
  header = false,
}: {
  readonly middleware: boolean;
  readonly header?: boolean;
}): HttpContender {
  return () => {
    const app = new Hono();
    if (middleware) {
      app.use(async (c, next) => {
        await next();
        if (header) c.res.headers.set('Cache-Control', 'no-store');
      });
    }
    app.post('/login', (c) => c.text('', 200, { 'Set-Cookie': 'sid=none; Path=/' }));
    app.get('/', (c) => c.text(greeting('nobody')));
    return listenHono(app);
  };
}
