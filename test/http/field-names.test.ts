import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { type SessionsEnv, sessions } from '../../src/hono.ts';
import { type FieldCodecs, integer, json, SessionError, SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'then'];

const all = (value: unknown) => Object.fromEntries(NAMES.map((name) => [name, value]));
const service = new SessionService({ repository: new MemorySessionRepository() });

/** An application whose cookie is kept from one request to the next. */
function application(fields: FieldCodecs | undefined) {
  const app = new Hono<SessionsEnv<FieldCodecs>>();
  app.use(sessions<FieldCodecs>({ service, cookie: { secure: false }, ...(fields && { fields }) }));
  const headers = new Headers();
  return {
    app,
    async post(path: string): Promise<unknown> {
      const response = await app.request(path, { method: 'POST', headers });
      const [cookie] = response.headers.getSetCookie();
      if (cookie !== undefined) headers.set('Cookie', cookie.split(';')[0] ?? '');
      return response.json();
    },
  };
}

describe('fields with names that every object inherits', () => {
  it.each<[string, FieldCodecs | undefined, unknown, unknown]>([
    ['no field is declared', undefined, 'one', 'two'],
    ['others are declared', { other: integer() }, 'one', 'two'],
    ['they are declared', all(json()) as FieldCodecs, { n: 1 }, { n: 2 }],
  ])('are fields like any other where %s', async (_case, fields, one, two) => {
    const { app, post } = application(fields);
    app.post('/start', async (c) => {
      const session = await c.var.session.start('ada', all(one));
      return c.json(NAMES.map((name) => session.get(name)));
    });
    app.post('/again', async (c) => {
      const session = await c.var.session.start('ada', {}, { carry: true });
      return c.json(NAMES.map((name) => session.get(name)));
    });
    app.post('/set', (c) => {
      const session = c.var.session.required();
      for (const name of NAMES) session.set(name, two);
      return c.json(Object.keys(session.current.fields));
    });
    app.post('/replace', async (c) => {
      const session = c.var.session.required();
      return c.json(await Promise.all(NAMES.map((name) => session.replace(name, two, one))));
    });
    app.post('/take', async (c) => {
      const session = c.var.session.required();
      return c.json(await session.take('__proto__'));
    });
    app.post('/unset', async (c) => {
      const session = c.var.session.required();
      for (const name of NAMES) session.unset(name);
      await session.commit();
      return c.json(session.current.fields);
    });
    app.post('/none', (c) => c.json(NAMES.map((name) => c.var.session.get(name) ?? null)));

    const each = (value: unknown) => NAMES.map(() => value);
    expect(await post('/none')).toEqual(each(null));
    expect(await post('/start')).toEqual(each(one));
    expect(await post('/again')).toEqual(each(one));
    expect(await post('/set')).toEqual(NAMES);
    expect(await post('/replace')).toEqual(each(true));
    expect(await post('/take')).toEqual(one);
    expect(await post('/unset')).toEqual({});
    expect(await post('/none')).toEqual(each(null));
  });
});

it('says which field was given a value of the wrong kind, and how to keep it', async () => {
  const { app, post } = application(undefined);
  app.post('/', async (c) => {
    const data = { cart: { items: ['hunter2'] } };
    const error = await c.var.session.start('ada', data as never).catch((thrown) => thrown);
    return c.json([error instanceof SessionError && error.code, error.message]);
  });
  expect(await post('/')).toEqual([
    'invalid_value',
    'The value of "cart" must be text, not an object. Declare the field with json() to keep such values.',
  ]);
});
