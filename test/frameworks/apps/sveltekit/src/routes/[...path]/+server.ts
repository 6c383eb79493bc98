import type { RequestHandler } from '@sveltejs/kit';
import { shop } from '../../../../shop.ts';

export const fallback: RequestHandler = async ({ request, locals }) => {
  const { service } = await import('../../../../sessions.ts');
  return shop(request, locals.session, service);
};
