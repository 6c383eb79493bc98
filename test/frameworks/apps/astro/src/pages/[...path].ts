import type { APIRoute } from 'astro';
import { service } from '../../../sessions.ts';
import { shop } from '../../../shop.ts';

export const ALL: APIRoute = ({ request, locals }) => shop(request, locals.session, service);
