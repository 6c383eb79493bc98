import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';

export interface HttpServer {
  readonly url: string;
  close(): Promise<void>;
}

/** The application behind a real socket on a free port of the loopback. */
// biome-ignore lint/suspicious/noExplicitAny: Hono's type parameters do not matter to a socket
export function startHttpServer(app: Hono<any>): Promise<HttpServer> {
  return listen(createAdaptorServer({ fetch: app.fetch }) as Server);
}

/** The server on a free port of the loopback. */
export async function listen(server: Server): Promise<HttpServer> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** A browser that keeps what servers set, as far as one cookie goes. */
export class Browser {
  /** Of the server. */
  readonly url: string;
  cookie: string | undefined;

  constructor(url: string) {
    this.url = url;
  }

  /** The value that the cookie holds: the token. */
  get token(): string {
    return this.cookie?.slice(this.cookie.indexOf('=') + 1) ?? '';
  }

  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.cookie !== undefined) headers.set('Cookie', this.cookie);
    const response = await fetch(this.url + path, { redirect: 'manual', ...init, headers });
    for (const line of response.headers.getSetCookie()) {
      this.cookie = /Max-Age=0|Expires=Thu, 01 Jan 1970/.test(line)
        ? undefined
        : line.split(';')[0];
    }
    // express-session sends the head first, then it saves the session, and then it ends the body.
    if (init.method === 'POST') await response.clone().arrayBuffer();
    return response;
  }

  post(path: string, form: Record<string, string> = {}): Promise<Response> {
    return this.request(path, { method: 'POST', body: new URLSearchParams(form) });
  }

  /** Another tab: the same cookie, and its own answers. */
  clone(): Browser {
    const tab = new Browser(this.url);
    tab.cookie = this.cookie;
    return tab;
  }
}
