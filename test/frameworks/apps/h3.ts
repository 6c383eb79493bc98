import { H3, serve } from 'h3';
import { service, withSession } from './sessions.ts';
import { shop } from './shop.ts';

const app = new H3();
app.all('/**', ({ req }) => withSession(req, (session) => shop(req, session, service)));

serve(app, { port: Number(process.env.PORT), hostname: '127.0.0.1' });
