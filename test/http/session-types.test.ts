import { Hono } from 'hono';
import { expect, expectTypeOf, it } from 'vitest';
import { sessions } from '../../src/http/hono/sessions.ts';
import { boolean, type FieldCodec, integer, json, SessionService, text } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

const service = new SessionService({ repository: new MemorySessionRepository() });
const fields = {
  name: text(),
  visits: integer(),
  admin: boolean(),
  cart: json<{ items: string[] }>(),
  theme: text('light', 'dark'),
  plan: text(['free', 'paid']),
};
const cookie = { secure: false };

// What must not compile stands behind @ts-expect-error: `npm run typecheck` fails where it does.

it('infers the types of declared fields, without any declaration', async () => {
  const app = new Hono().use(sessions({ service, fields, cookie })).post('/', async (c) => {
    const { session } = c.var;
    expectTypeOf(session.get('name')).toEqualTypeOf<string | undefined>();
    expectTypeOf(session.get('visits')).toEqualTypeOf<number | undefined>();
    expectTypeOf(session.get('admin')).toEqualTypeOf<boolean | undefined>();
    expectTypeOf(session.get('cart')).toEqualTypeOf<{ items: string[] } | undefined>();
    expectTypeOf(session.get('theme')).toEqualTypeOf<'light' | 'dark' | undefined>();
    expectTypeOf(session.get('plan')).toEqualTypeOf<'free' | 'paid' | undefined>();
    // @ts-expect-error: there is no such field
    session.get('nmae');
    // @ts-expect-error: a session that may not be there cannot be written to
    expect(() => session.set('name', 'ada')).toThrow();

    const active = await session.start('ada', { name: 'Ada', admin: true, cart: { items: [] } });
    active.set('cart', { items: ['book'] });
    expectTypeOf(active.id).toBeString();
    expect(await active.increment('visits')).toBe(1);
    // @ts-expect-error: only integer fields are incremented
    await expect(active.increment('name')).rejects.toThrow();
    // @ts-expect-error: a number is no text
    expect(() => active.set('name', 1)).toThrow();
    // @ts-expect-error: the cart holds texts
    active.set('cart', { items: [1] });
    active.set('theme', 'dark');
    // @ts-expect-error: there is no such theme
    expect(() => active.set('theme', 'red')).toThrow('one of "light", "dark"');
    // @ts-expect-error: the word of another field
    expect(() => active.set('plan', 'dark')).toThrow('one of "free", "paid"');
    active.set('plan', 'paid');
    // @ts-expect-error: words are not counted
    await expect(active.increment('plan')).rejects.toThrow();
    expectTypeOf(active.take('theme')).resolves.toEqualTypeOf<'light' | 'dark' | undefined>();
    expectTypeOf(active.isCsrfToken).parameter(0).toBeUnknown();
    active.unset('cart');
    // @ts-expect-error: visits is a number
    await expect(session.start('ada', { visits: '1' })).rejects.toThrow();
    return c.json(active.get('visits'));
  });
  const response = await app.request('/', { method: 'POST' });
  expect(await response.json()).toBe(1);
});

it('types text by the words that it may be', () => {
  const themes = ['light', 'dark'] as const;
  const loaded: string[] = ['light', 'dark'];
  expectTypeOf(text()).toEqualTypeOf<FieldCodec<string>>();
  expectTypeOf(text('light')).toEqualTypeOf<FieldCodec<'light'>>();
  expectTypeOf(text(themes)).toEqualTypeOf<FieldCodec<'light' | 'dark'>>();
  expectTypeOf(text(...themes)).toEqualTypeOf<FieldCodec<'light' | 'dark'>>();
  expectTypeOf(text(loaded)).toEqualTypeOf<FieldCodec<string>>();
  expectTypeOf(text(...loaded)).toEqualTypeOf<FieldCodec<string>>();
  // @ts-expect-error: words are texts
  expect(() => text(1)).toThrow();
});

it('takes every field as text where none is declared', async () => {
  const app = new Hono().use(sessions({ service, cookie })).post('/', async (c) => {
    const session = await c.var.session.start(undefined, { anything: 'x' });
    expectTypeOf(session.get('anything')).toEqualTypeOf<string | undefined>();
    // @ts-expect-error: undeclared fields are text
    expect(() => session.set('anything', 1)).toThrow();
    return c.json(await session.increment('count'));
  });
  expect(await (await app.request('/', { method: 'POST' })).json()).toBe(1);
});

it('narrows by required()', async () => {
  const app = new Hono().use(sessions({ service, fields, cookie })).get('/', (c) => {
    const session = c.var.session.required();
    expectTypeOf(session.current.ttl).toBeNumber();
    return c.text('');
  });
  expect((await app.request('/')).status).toBe(401);
});
