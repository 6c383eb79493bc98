import { service, withSession } from './sessions.ts';
import { shop } from './shop.ts';

Bun.serve({
  port: Number(process.env.PORT),
  hostname: '127.0.0.1',
  fetch: (request) => withSession(request, (session) => shop(request, session, service)),
});
