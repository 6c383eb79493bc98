import { randomUUID } from 'node:crypto';
import { StoreUnavailableError } from '../src/index.ts';
import type { Sessions } from '../test/faults/load.ts';

interface Answer {
  readonly status: number;
  readonly cookie: string | undefined;
  readonly body: {
    readonly session_id?: string;
    readonly session?: Readonly<Record<string, string>> | null;
    readonly page_views?: number;
    readonly authenticated?: boolean;
  };
}

/** What a browser does with the demo server: log in, look, count page views, log out. The token is the cookie. */
export class HttpSessions implements Sessions {
  readonly #url: string;
  readonly #loggedOut: Set<string>;

  /** `loggedOut` are the tokens that somebody logged out with: those who share sessions share it. */
  constructor(url: string, loggedOut: Set<string>) {
    this.#url = url;
    this.#loggedOut = loggedOut;
  }

  async create(_data: object, { user = 'Guest' }: { readonly user?: string }) {
    // The server keeps some sessions of a name only: here everybody has a name of their own.
    const username = `${user} ${randomUUID()}`;
    const { cookie, body } = await this.#request('POST', '/login', { username });
    if (cookie === undefined || body.session_id === undefined) throw new Error('No session began');
    return { token: cookie, session: { id: body.session_id } };
  }

  async get(token: string) {
    const { session } = (await this.#request('GET', '/session', undefined, token)).body;
    // A login counts as the first page view.
    return session ? { fields: { n: String(Number(session.page_views) - 1) } } : undefined;
  }

  async increment(token: string) {
    const { status, body } = await this.#request('POST', '/increment', {}, token);
    return status === 200 ? Number(body.page_views) - 1 : undefined;
  }

  /** The server answers every logout alike; here only the first counts as one. */
  async delete(token: string) {
    await this.#request('POST', '/logout', {}, token);
    const isFirst = !this.#loggedOut.has(token);
    this.#loggedOut.add(token);
    return isFirst;
  }

  async #request(
    method: 'GET' | 'POST',
    path: string,
    form?: Readonly<Record<string, string>>,
    cookie?: string,
  ): Promise<Answer> {
    const response = await fetch(this.#url + path, {
      method,
      headers: cookie === undefined ? {} : { Cookie: cookie },
      ...(form && { body: new URLSearchParams(form) }),
      signal: AbortSignal.timeout(5000),
    });
    const body = (await response.json()) as Answer['body'];
    if (response.status === 503) throw new StoreUnavailableError('unknown');
    if (response.status !== 200 && response.status !== 401)
      throw new Error(`${method} ${path}: ${response.status}`);
    const [set] = response.headers.getSetCookie();
    return { status: response.status, cookie: set?.split(';')[0], body };
  }
}
