import assert from 'node:assert/strict';
import { Browser } from '../support/http-server.ts';
import { until } from '../support/until.ts';

/** An application of the table, running. */
export interface Visited {
  /** Where it answers: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Cuts it off from Redis: what it asks is never answered. */
  cutOff(): void;
  reconnect(): void;
  /** Whether increments at once all count there. express-session and @fastify/session have no such verb. */
  readonly countsAtOnce: boolean;
  /** Whether it connects for each request, so that an outage concerns requests without a session too. */
  readonly connectsPerRequest: boolean;
}

export interface Step {
  readonly name: string;
  /** Rejects with an assertion error where the application does something else. */
  run(visit: Visit): Promise<void>;
}

/** What the steps leave to each other. */
class Visit {
  readonly app: Visited;
  readonly laptop: Browser;
  readonly phone: Browser;

  constructor(app: Visited) {
    this.app = app;
    this.laptop = new Browser(app.url);
    this.phone = new Browser(app.url);
  }
}

/** Begins a visit of the application; its steps are to be taken in order. */
export function visit(app: Visited): Visit {
  return new Visit(app);
}

const UNAVAILABLE_WITHIN_MS = 10_000;
const FOREIGN = 'https://evil.example';

/** What somebody does in an application with sessions: the same steps in every framework and on every runtime. */
export const scenario: readonly Step[] = [
  {
    name: 'anonymous',
    async run({ laptop }) {
      const response = await laptop.request('/');
      assert.equal((await home(response)).user, null);
      assert.deepEqual(response.headers.getSetCookie(), []);
    },
  },
  {
    name: 'login',
    async run({ laptop }) {
      const response = await send(laptop, '/login', 'ada');
      assert.equal(response.status, 303);
      assert.equal(response.headers.get('Location'), '/');
      const cookies = response.headers.getSetCookie();
      assert.equal(cookies.length, 1);
      assert.match(cookies[0] ?? '', /; HttpOnly/);
      assert.match(cookies[0] ?? '', /; SameSite=Lax/);
    },
  },
  {
    name: 'read',
    async run({ laptop }) {
      const response = await laptop.request('/');
      const { user, theme } = await home(response);
      assert.deepEqual({ user, theme }, { user: 'ada', theme: 'light' });
      assert.deepEqual(response.headers.getSetCookie(), []);
    },
  },
  {
    name: 'two writers at once',
    async run({ laptop }) {
      for (const round of ['1', '2', '3', '4', '5', '6']) {
        await Promise.all([
          expectOk(send(laptop.clone(), '/theme', `dark ${round}`)),
          expectOk(send(laptop.clone(), '/cart', `${round} books`)),
        ]);
        const { theme, cart } = await home(await laptop.request('/'));
        assert.deepEqual({ theme, cart }, { theme: `dark ${round}`, cart: `${round} books` });
      }
    },
  },
  {
    name: 'increment',
    async run({ app, laptop }) {
      const tabs = Array.from({ length: 5 }, () => laptop.clone());
      if (app.countsAtOnce) await Promise.all(tabs.map((tab) => expectOk(send(tab, '/visit'))));
      else for (const tab of tabs) await expectOk(send(tab, '/visit'));
      assert.equal((await home(await laptop.request('/'))).visits, 5);
    },
  },
  {
    name: 'cross-site refusal',
    async run({ laptop }) {
      // Some frameworks refuse forms of other sites themselves, and in their own words. This is no form.
      const headers = {
        Origin: FOREIGN,
        'Sec-Fetch-Site': 'cross-site',
        'Content-Type': 'application/json',
      };
      const response = await laptop.request('/theme', { method: 'POST', body: '{}', headers });
      assert.equal(response.status, 403);
      assert.match(await response.text(), /https:\/\/evil\.example/);
      // Browsers that do not say how the sites are related say where the request comes from.
      assert.equal((await send(laptop, '/theme', 'stolen', { Origin: FOREIGN })).status, 403);
      assert.equal((await home(await laptop.request('/'))).theme, 'dark 6');
      await expectOk(send(laptop, '/theme', 'own', { Origin: laptop.url }));
      assert.equal((await home(await laptop.request('/'))).theme, 'own');
    },
  },
  {
    name: 'flash',
    async run({ laptop }) {
      await expectOk(send(laptop, '/flash', 'Saved.'));
      assert.deepEqual(await json(laptop.request('/flash')), { notice: 'Saved.' });
      assert.deepEqual(await json(laptop.request('/flash')), { notice: null });
    },
  },
  {
    name: 'rotate',
    async run({ laptop }) {
      const before = laptop.clone();
      await expectOk(send(laptop, '/rotate'));
      assert.notEqual(laptop.cookie, undefined);
      assert.notEqual(laptop.cookie, before.cookie);
      const { user, cart } = await home(await laptop.request('/'));
      assert.deepEqual({ user, cart }, { user: 'ada', cart: '6 books' });
      assert.equal((await home(await before.request('/'))).user, null);
    },
  },
  {
    name: 'devices',
    async run({ laptop, phone }) {
      await send(phone, '/login', 'ada');
      const devices = await devicesOf(laptop);
      assert.equal(devices.length, 2);
      assert.equal(devices.filter(({ here }) => here).length, 1);
    },
  },
  {
    name: 'end elsewhere',
    async run({ laptop, phone }) {
      const other = (await devicesOf(laptop)).find(({ here }) => !here);
      const response = await expectOk(send(laptop, '/devices/end', other?.id));
      assert.deepEqual(await response.json(), { ended: true });
      assert.equal((await home(await phone.clone().request('/'))).user, null);
      assert.equal((await send(phone.clone(), '/theme', 'late')).status, 401);
      assert.equal((await home(await phone.clone().request('/'))).user, null);
      assert.equal((await devicesOf(laptop)).length, 1);
    },
  },
  {
    name: 'outage',
    async run({ app, laptop }) {
      app.cutOff();
      const since = performance.now();
      const response = await laptop.request('/');
      const took = performance.now() - since;
      assert.equal(response.status, 503);
      assert.deepEqual(response.headers.getSetCookie(), []);
      assert.ok(took < UNAVAILABLE_WITHIN_MS, `503 took ${took} ms`);
      const stranger = await new Browser(app.url).request('/');
      assert.equal(stranger.status, app.connectsPerRequest ? 503 : 200);
      app.reconnect();
      await until('it answers again', async () => (await laptop.request('/')).status === 200);
      assert.equal((await home(await laptop.request('/'))).user, 'ada');
    },
  },
  {
    name: 'logout',
    async run({ laptop }) {
      const before = laptop.clone();
      const response = await expectOk(send(laptop, '/logout'));
      assert.deepEqual(await response.json(), { ended: true });
      assert.equal(laptop.cookie, undefined);
      assert.equal((await home(await laptop.request('/'))).user, null);
      assert.equal((await home(await before.request('/'))).user, null);
      assert.equal((await before.request('/devices')).status, 401);
    },
  },
];

/** What a page of the application makes a browser send. */
function send(
  browser: Browser,
  path: string,
  value = '',
  headers: Record<string, string> = { Origin: browser.url, 'Sec-Fetch-Site': 'same-origin' },
): Promise<Response> {
  return browser.request(path, {
    method: 'POST',
    body: new URLSearchParams({ value }),
    headers: { 'X-Forwarded-Proto': 'http', ...headers }, // of which SvelteKit learns the scheme
  });
}

async function home(response: Response): Promise<Record<string, unknown>> {
  assert.equal(response.status, 200);
  return (await response.json()) as Record<string, unknown>;
}

async function json(asked: Promise<Response>): Promise<unknown> {
  return (await expectOk(asked)).json();
}

async function devicesOf(browser: Browser) {
  return (await json(browser.request('/devices'))) as { id: string; here: boolean }[];
}

async function expectOk(asked: Promise<Response>): Promise<Response> {
  const response = await asked;
  assert.equal(
    response.status,
    200,
    `${response.status}: ${response.ok ? '' : await response.text()}`,
  );
  return response;
}
