import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { type SessionsEnv, sessions } from 'sojourn/hono';
import { type fields, options, service } from './sessions.ts';
import { shop } from './shop.ts';

const app = new Hono<SessionsEnv<typeof fields>>();
app.use(sessions(options));
app.all('*', (c) => shop(c.req.raw, c.var.session, service));

serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: '127.0.0.1' });
