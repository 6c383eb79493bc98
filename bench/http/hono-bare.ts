import { Hono } from 'hono';
import { greeting, type HttpContender } from './contender.ts';
import { listenHono } from './listen-hono.ts';

/** No session at all; with `middleware` one empty async middleware, the least that any session costs. */
export function honoBare({ middleware }: { readonly middleware: boolean }): HttpContender {
  return () => {
    const app = new Hono();
    if (middleware) {
      app.use(async (_c, next) => {
        await next();
      });
    }
    app.post('/login', (c) => c.text('', 200, { 'Set-Cookie': 'sid=none; Path=/' }));
    app.get('/', (c) => c.text(greeting('nobody')));
    return listenHono(app);
  };
}
