import { deviceLabel, type SessionService } from 'sojourn';
import type { RequestSession } from 'sojourn/fetch';
import type { fields } from './sessions.ts';

/** What the application does with a session: the same in every framework. */
export async function shop(
  request: Request,
  session: RequestSession<typeof fields>,
  service: SessionService,
): Promise<Response> {
  const form = new URLSearchParams(request.method === 'POST' ? await request.text() : '');
  const value = form.get('value') ?? '';
  switch (`${request.method} ${new URL(request.url).pathname}`) {
    case 'GET /': {
      const { user = null, lost } = session;
      const [theme, cart, visits] = [
        session.get('theme'),
        session.get('cart'),
        session.get('visits'),
      ];
      return Response.json({ user, lost, theme, cart, visits });
    }
    case 'POST /login': {
      const label = deviceLabel(request.headers.get('User-Agent') ?? '');
      await session.start(value, { theme: 'light' }, { device: { label } }); // here the password would be checked
      return new Response(null, { status: 303, headers: { Location: '/' } });
    }
    case 'POST /theme':
      session.required().set('theme', value);
      return Response.json({ theme: value });
    case 'POST /cart':
      session.required().set('cart', value);
      return Response.json({ cart: value });
    case 'POST /visit':
      return Response.json({ visits: await session.required().increment('visits') });
    case 'POST /flash':
      session.required().flash('notice', value);
      return Response.json({});
    case 'GET /flash':
      return Response.json({ notice: (await session.required().takeFlash('notice')) ?? null });
    case 'POST /rotate':
      return Response.json({ rotated: await session.required().rotate() });
    case 'GET /devices': {
      const { id, user } = session.requiredUser();
      const list = await service.list(user);
      return Response.json(
        list.map((it) => ({ id: it.id, label: it.device.label, here: it.id === id })),
      );
    }
    case 'POST /devices/end': {
      const { user } = session.requiredUser();
      const own = (await service.list(user)).find(({ id }) => id === value);
      return Response.json({ ended: own !== undefined && (await service.end(own.id)) });
    }
    case 'POST /logout':
      return Response.json({ ended: await session.end() });
    default:
      return new Response('Not here.', { status: 404 });
  }
}
