import { Hono } from 'hono';
import { expect, it, vi } from 'vitest';
import { type SessionsEnv, type SessionsOptions, sessions } from '../../src/hono.ts';
import { SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

function application(options: Partial<SessionsOptions> = {}) {
  const service = new SessionService({ repository: new MemorySessionRepository() });
  const app = new Hono<SessionsEnv>();
  app.use(sessions({ service, cookie: { secure: false }, ...options }));
  app.post('/login', async (c) => {
    await c.var.session.start('ada', { a: '1' });
    return c.text('');
  });
  const login = async (headers: Record<string, string> = {}) => {
    const response = await app.request('/login', { method: 'POST', headers });
    return response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  };
  return { app, service, login };
}

it.each([undefined, null, 1])(
  'a field that is set to %j is an error, and stays as it was',
  async (value) => {
    const { app, login } = application();
    const thrown: unknown[] = [];
    app.get('/', (c) => {
      const session = c.var.session.required();
      for (const act of [
        () => session.set('a', value as never),
        () => session.flash('a', value as never),
      ]) {
        try {
          act();
        } catch (error) {
          thrown.push(error);
        }
      }
      return c.text(session.get('a') ?? '');
    });
    const answer = await app.request('/', { headers: { Cookie: await login() } });
    expect(await answer.text()).toBe('1');
    const invalid = expect.objectContaining({ code: 'invalid_value' });
    expect(thrown).toEqual([invalid, invalid]);
  },
);

it.each<[string, () => unknown]>([
  [
    'throws',
    () => {
      throw new Error('no log');
    },
  ],
  ['rejects', () => Promise.reject(new Error('no log'))],
])(
  'a warning that nobody gets, because onWarning %s, costs nobody a login',
  async (_, onWarning) => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    try {
      const { service, login } = application({
        onWarning,
        trustedOrigins: ['https://app.example'],
      });
      const cookie = await login({
        Origin: 'https://app.example',
        'Sec-Fetch-Site': 'cross-site',
        'Sec-Fetch-Mode': 'cors',
        'Sec-Fetch-Dest': 'empty',
      });
      expect(await service.peek(cookie.split('=')[1] ?? '')).toMatchObject({ user: 'ada' });
      expect(printed).toHaveBeenCalledWith(new Error('no log'));
    } finally {
      printed.mockRestore();
    }
  },
);
