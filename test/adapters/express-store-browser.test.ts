import { describe, expect, it } from 'vitest';
import { SojournStore } from '../../src/express.ts';
import { MemorySessionRepository } from '../../src/memory.ts';
import { type AppOptions, foreignApps, type Handlers } from '../support/foreign-apps.ts';

/** A browser whose answers arrive when the test says so: what an answer sets counts from then on, as in every browser. */
class SlowBrowser {
  readonly #url: string;
  readonly #cookies = new Map<string, string>();

  constructor(url: string) {
    this.#url = url;
  }

  /** Sends the cookies of this instant. What it answers lets the answer arrive. */
  async send(path: string, method = 'GET'): Promise<() => void> {
    const response = await this.#fetch(path, method);
    expect([path, response.status]).toEqual([path, 200]);
    return () => {
      for (const line of response.headers.getSetCookie()) this.#take(line);
    };
  }

  /** A request whose answer arrives before anything else happens. */
  async request(path: string, method?: string): Promise<void> {
    const arrive = await this.send(path, method);
    arrive();
  }

  async user(): Promise<unknown> {
    const response = await this.#fetch('/who', 'GET');
    return ((await response.json()) as { user?: string }).user;
  }

  #fetch(path: string, method: string): Promise<Response> {
    const cookie = [...this.#cookies].map((pair) => pair.join('=')).join('; ');
    return fetch(this.#url + path, { method, headers: cookie ? { cookie } : {} });
  }

  #take(line: string): void {
    const [pair = '', ...attributes] = line.split(/; */);
    const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
    const over = attributes.some((attribute) => {
      const [key = '', text = ''] = attribute.split('=');
      if (key.toLowerCase() === 'max-age') return Number(text) <= 0;
      return key.toLowerCase() === 'expires' && Date.parse(text) <= Date.now();
    });
    if (over) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}

let held: (() => void) | undefined;
let arrived = () => {};

const handlers: Handlers = {
  who: ({ session }) => ({ user: session.user }),
  read: ({ session }) => ({ user: session.user }),
  /** As an application should: it writes for those who are logged in. */
  write: ({ session }) => void (session.user && Object.assign(session, { seen: 1 })),
  'write-for-anybody': ({ session }) => void Object.assign(session, { seen: 1 }),
  login: async (request, { user }) => {
    await new Promise<void>((resolve, reject) => {
      request.session.regenerate((error) => (error ? reject(error) : resolve()));
    });
    request.session.user = user;
  },
  logout: ({ session }) =>
    new Promise<void>((resolve, reject) => {
      session.destroy((error) => (error ? reject(error) : resolve()));
    }),
};

/** The handlers, each also as one that has its session and then waits for the test. */
const heldHandlers: Handlers = Object.fromEntries(
  Object.entries(handlers).flatMap(([name, handle]) => [
    [name, handle],
    [
      `held-${name}`,
      async (...args: Parameters<typeof handle>) => {
        await new Promise<void>((resolve) => {
          held = resolve;
          arrived();
        });
        return handle(...args);
      },
    ],
  ]),
);

/** A request with the old cookie that is in the server's hands when the login is, or reaches it only afterwards. */
const moments = ['under way', 'late'] as const;

interface Race {
  /** Done while the poll is on its way, by a browser that is logged in. */
  readonly deed: 'login?user=bob' | 'logout';
  readonly poll: string;
  readonly method: 'GET' | 'POST';
  readonly moment: (typeof moments)[number];
}

/** Who the browser is when the answer to the deed has arrived, and that to the poll after it. */
async function race(url: string, { deed, poll, method, moment }: Race): Promise<unknown> {
  const browser = new SlowBrowser(url);
  await browser.request('/login?user=ada', 'POST');
  const atWork = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  // Each carries the old cookie: they are sent before the answer to the deed arrives.
  const underWay = moment === 'under way' && browser.send(`/held-${poll}`, method);
  if (underWay) await atWork;
  const done = await browser.send(`/${deed}`, 'POST');
  held?.();
  const polled = await (underWay || browser.send(`/${poll}`, method));
  done();
  polled();
  return browser.user();
}

type Setup = Omit<AppOptions, 'store' | 'handlers'>;

/** Takes out the deletion of a cookie that opened nothing, as docs/migrating-from-connect-redis.md has it. */
const keepsCookie: Setup['prepare'] = (app) => {
  app.addHook('onSend', async (_request, reply) => {
    const cookies = [reply.getHeader('set-cookie') ?? []].flat().map(String);
    const others = cookies.filter((cookie) => !cookie.startsWith('sessionId=;'));
    if (others.length === cookies.length) return;
    reply.removeHeader('set-cookie');
    for (const cookie of others) reply.header('set-cookie', cookie);
  });
};

const polls = [
  ['GET', 'read'],
  ['POST', 'read'],
  ['GET', 'write'],
  ['POST', 'write'],
  ['POST', 'write-for-anybody'],
] as const;

const [express, fastify] = foreignApps;

/**
 * What the frameworks do, whatever the store, in a pair for each of the polls above: under way, then late. `-` is a login that
 * is lost, because the answer to the poll set the old session's cookie, or that of a new one, or deleted it.
 */
const table = [
  ['as they are by default', express, {}, '++ ++ ++ ++ +-'],
  ['with a maxAge', express, { maxAge: 60_000 }, '++ ++ -+ -+ --'],
  ['rolling', express, { settings: { rolling: true } }, '-+ -+ -+ -+ --'],
  ['saved uninitialized', express, { settings: { saveUninitialized: true } }, '+- +- +- +- +-'],
  ['as they are by default', fastify, {}, '-- -- -- -- --'],
  ['not rolling', fastify, { settings: { rolling: false } }, '+- +- -- -- --'],
  [
    'not rolling, and the cookie kept',
    fastify,
    { settings: { rolling: false }, prepare: keepsCookie },
    '++ ++ -+ -+ --',
  ],
] as const;

describe.each(table)('Sessions %s', (_what, [framework, start], setup: Setup, expected) => {
  it.each([
    ['SojournStore', () => new SojournStore({ repository: new MemorySessionRepository() })],
    ['its own store', () => undefined],
  ])(`of ${framework} keep a login beside polls by ${expected}, with %s`, async (_store, make) => {
    const store = make();
    const http = await start({ ...(store && { store }), handlers: heldHandlers, ...setup });
    try {
      let kept = '';
      for (const [method, poll] of polls) {
        for (const moment of moments) {
          const user = await race(http.url, { deed: 'login?user=bob', poll, method, moment });
          kept += user === 'bob' ? '+' : '-';
        }
        kept += ' ';
      }
      expect(kept.trim()).toBe(expected);
    } finally {
      await http.close();
    }
  });

  it(`of ${framework} stay logged out beside polls, with SojournStore`, async () => {
    const store = new SojournStore({ repository: new MemorySessionRepository() });
    const http = await start({ store, handlers: heldHandlers, ...setup });
    try {
      for (const [method, poll] of polls) {
        for (const moment of moments) {
          const user = await race(http.url, { deed: 'logout', poll, method, moment });
          expect([poll, moment, user]).toEqual([poll, moment, undefined]);
        }
      }
    } finally {
      await http.close();
    }
  });
});
