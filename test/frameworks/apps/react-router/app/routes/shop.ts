import type { ActionFunctionArgs, LoaderFunctionArgs } from 'react-router';
import { service } from '../../../sessions.ts';
import { shop } from '../../../shop.ts';
import { sessionContext } from '../session-context.ts';

const respond = ({ request, context }: ActionFunctionArgs | LoaderFunctionArgs) =>
  shop(request, context.get(sessionContext), service);

export { respond as action, respond as loader };
