import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer, upgradeWebSocket } from '@hono/node-server';
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { html } from 'hono/html';
import { secureHeaders } from 'hono/secure-headers';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { type SessionsEnv, type SessionsOptions, sessions } from '../../src/hono.ts';
import { SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';

type Sockets = NonNullable<Parameters<typeof createAdaptorServer>[0]['websocket']>['server'];

/** Needs Chromium and nginx, which CI does not let be missing. */
const describeBehindProxy = describe.skipIf(
  inject('chromiumBinary') === undefined || inject('nginxBinary') === undefined,
);

describeBehindProxy('behind nginx with TLS and HTTP/2, in Chromium', () => {
  const closing: (() => Promise<unknown>)[] = [];
  const warnings: string[] = [];
  let nginx: Nginx;
  let browser: Browser;

  /** `shop` takes nobody else in; `embedded` is for frames and pages of other sites. */
  beforeAll(async () => {
    const other = new Hono().get('/', (c) => c.html('<!doctype html><title>another site</title>'));
    const portal = new Hono().get('/', (c) =>
      c.html(html`<!doctype html><iframe src="${origin('embedded.test')}/"></iframe>`),
    );
    nginx = await startNginx(String(inject('nginxBinary')), {
      'shop.test': await listen(shop({ onWarning: (message) => warnings.push(message) })),
      'embedded.test': await listen(
        shop({
          cookie: { sameSite: 'None', partitioned: true },
          trustedOrigins: (from) => from === origin('app.test'),
        }),
      ),
      'app.test': await listen(other),
      'evil.test': await listen(other),
      'portal.test': await listen(portal),
    });
    browser = await chromium.launch({
      executablePath: String(inject('chromiumBinary')),
      args: ['--disable-dev-shm-usage', '--host-resolver-rules=MAP *.test 127.0.0.1'],
    });
  });
  afterAll(async () => {
    await browser?.close();
    await nginx?.stop();
    for (const close of closing) await close();
  });

  const origin = (host: string) => `https://${host}:${nginx.port}`;

  /** An application that declares its proxy. */
  function shop(options: Partial<SessionsOptions>): Hono<SessionsEnv> {
    const service = new SessionService({ repository: new MemorySessionRepository() });
    const app = new Hono<SessionsEnv>();
    const allowed = (from: string) => (from === origin('app.test') ? from : null);
    app.use(secureHeaders({ referrerPolicy: 'same-origin', xFrameOptions: false }));
    app.use(cors({ origin: allowed, credentials: true }));
    app.use(sessions({ service, trustProxy: true, ...options }));
    app.get('/', (c) =>
      c.html(
        html`<!doctype html><p id="user">${c.var.session.user ?? 'nobody'}</p>
          <form method="post" action="/login"><button>Log in</button></form>`,
      ),
    );
    app.get('/me', (c) => c.json(c.var.session.user ?? null));
    app.post('/login', async (c) => {
      await c.var.session.start('ada');
      return c.redirect('/', 303);
    });
    app.get(
      '/socket',
      upgradeWebSocket((c) => ({
        onOpen: (_event, socket) => socket.send(c.var.session.user ?? 'nobody'),
      })),
    );
    return app;
  }

  async function listen(app: Hono<SessionsEnv> | Hono): Promise<string> {
    const sockets = new WebSocketServer({ noServer: true });
    const server = createAdaptorServer({
      fetch: app.fetch,
      websocket: { server: sockets as Sockets }, // their types differ in an option that may be missing
    }) as Server;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(async () => {
      server.close();
      server.closeAllConnections();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async function visit(url: string, { script = true } = {}): Promise<Page> {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      javaScriptEnabled: script,
    });
    closing.unshift(() => context.close());
    const page = await context.newPage();
    await page.goto(url);
    return page;
  }

  async function logIn(page: Page): Promise<void> {
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('ada').waitFor();
  }

  /** What a socket says first, or `refused`. */
  function openSocket(page: Page, url: string): Promise<string> {
    return page.evaluate(
      (url) =>
        new Promise<string>((resolve) => {
          const socket = new WebSocket(url);
          socket.onmessage = ({ data }) => resolve(String(data));
          socket.onerror = () => resolve('refused');
        }),
      url,
    );
  }

  it.each([true, false])('somebody logs in by a form (script: %s)', async (script) => {
    const page = await visit(origin('shop.test'), { script });
    await logIn(page);
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({
      ...{ name: '__Host-sid', secure: true, httpOnly: true, sameSite: 'Lax' },
    });
    expect(warnings).toEqual([]);
  });

  it('a form without Fetch Metadata is known by its origin, over HTTP/2', async () => {
    const post = async (from: string) => {
      const session = connectHttp2(origin('shop.test'), {
        rejectUnauthorized: false,
        lookup: (_host, options, found) =>
          options.all
            ? found(null, [{ address: '127.0.0.1', family: 4 }])
            : found(null, '127.0.0.1', 4),
      });
      const request = session.request({ ':method': 'POST', ':path': '/login', origin: from });
      request.end();
      const [headers] = await once(request, 'response');
      request.resume();
      session.close();
      return headers[':status'];
    };
    expect(await post(origin('shop.test'))).toBe(303);
    expect(await post(origin('evil.test'))).toBe(403);
    expect(await post('https://shop.test')).toBe(403); // another port
    expect(await post('null')).toBe(403);
  });

  it('a page on another site can neither post nor open a socket', async () => {
    const page = await visit(origin('shop.test'));
    await logIn(page);
    expect(await openSocket(page, `wss://shop.test:${nginx.port}/socket`)).toBe('ada');

    await page.goto(origin('evil.test'));
    expect(await openSocket(page, `wss://shop.test:${nginx.port}/socket`)).toBe('refused');
    const [response] = await Promise.all([
      page.waitForResponse((response) => response.url() === `${origin('shop.test')}/login`),
      page.evaluate(
        (action) => {
          const form = document.createElement('form');
          Object.assign(form, { method: 'post', action });
          document.body.append(form);
          form.submit();
        },
        `${origin('shop.test')}/login`,
      ),
    ]);
    expect(response.status()).toBe(403);
    await page.waitForLoadState();
    expect(await page.textContent('body')).toContain(origin('evil.test'));
    expect(await page.textContent('body')).toContain('trustedOrigins');
  });

  it('an application on another site logs in and stays so, where the cookie is for that', async () => {
    const page = await visit(origin('app.test'));
    const ask = (host: string, path: string, method: string) =>
      page.evaluate(
        async ([url = '', method = '']) => {
          const response = await fetch(url, { method, credentials: 'include', redirect: 'follow' });
          return response.headers.get('Content-Type')?.includes('json') ? response.json() : 'page';
        },
        [`${origin(host)}${path}`, method],
      );
    await ask('embedded.test', '/login', 'POST');
    expect(await ask('embedded.test', '/me', 'GET')).toBe('ada');
    expect(await openSocket(page, `wss://embedded.test:${nginx.port}/socket`)).toBe('ada');
  });

  it('an application in a frame of another site logs in and stays so', async () => {
    const page = await visit(origin('portal.test'));
    const frame = page.frameLocator('iframe');
    await frame.getByRole('button', { name: 'Log in' }).click();
    await frame.getByText('ada').waitFor();
    await page.reload();
    await page.frameLocator('iframe').getByText('ada').waitFor();
    // The cookie is this portal's own: on its own page the application has none.
    await page.goto(origin('embedded.test'));
    expect(await page.textContent('#user')).toBe('nobody');
  });
});
