import { service, withSession } from '../../../sessions.ts';
import { shop } from '../../../shop.ts';

export default defineEventHandler((event) => {
  const request = toWebRequest(event);
  return withSession(request, (session) => shop(request, session, service));
});
