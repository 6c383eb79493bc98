import { node } from '@elysiajs/node';
import { Elysia } from 'elysia';
import { service, withSession } from './sessions.ts';
import { shop } from './shop.ts';

new Elysia({ adapter: node() })
  .all('/*', ({ request }) => withSession(request, (session) => shop(request, session, service)), {
    parse: 'none', // the shop reads the body itself
  })
  .listen({ port: Number(process.env.PORT), hostname: '127.0.0.1' });
