import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { service, withSession } from './sessions.ts';
import { shop } from './shop.ts';

const answer = (request: Request) =>
  withSession(request, (session) => shop(request, session, service));

createServer(getRequestListener(answer)).listen(Number(process.env.PORT), '127.0.0.1');
