import { type MiddlewareFunction, Outlet } from 'react-router';
import { withSession } from '../../sessions.ts';
import { sessionContext } from './session-context.ts';

export const middleware: MiddlewareFunction<Response>[] = [
  ({ request, context }, next) =>
    withSession(request, (session) => {
      context.set(sessionContext, session);
      return next();
    }),
];

export default function Root() {
  return <Outlet />;
}
