import { service, withSession } from './sessions.ts';
import { shop } from './shop.ts';

Deno.serve({ port: Number(process.env.PORT), hostname: '127.0.0.1' }, (request) =>
  withSession(request, (session) => shop(request, session, service)),
);
