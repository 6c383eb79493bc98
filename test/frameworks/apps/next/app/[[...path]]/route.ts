import { shop } from '../../../shop.ts';

const respond = async (request: Request) => {
  const { service, withSession } = await import('../../../sessions.ts'); // not above: the build imports this file
  return withSession(request, (session) => shop(request, session, service));
};

export { respond as GET, respond as POST };
