/** What a browser sends, by its own cookie jar, and where it goes. */
export type Site = (request: Request) => Response | Promise<Response>;

type Event = { readonly at: number; readonly run: () => void | Promise<void> };

/**
 * A browser and a network of simulated time: a request reaches the site `oneWayMs` after it was sent, its answer the
 * browser `oneWayMs` after the site has made it, and only then does the browser see the answer's cookies. Everything
 * happens in the order of its time and nothing takes longer than it is said to, so a run can be repeated.
 */
export class SimulatedBrowser {
  readonly #site: Site;
  readonly #oneWayMs: number;
  readonly #cookies = new Map<string, string>();
  readonly #events: Event[] = [];
  #now = 0;

  constructor(site: Site, { oneWayMs }: { readonly oneWayMs: number }) {
    this.#site = site;
    this.#oneWayMs = oneWayMs;
  }

  get now(): number {
    return this.#now;
  }

  /** The Cookie header that the browser would send now. */
  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  /** Sends a request at that time. */
  send(at: number, path: string, { method = 'GET', onWayMs = this.#oneWayMs } = {}): void {
    this.#schedule(at, () => {
      const headers = { ...(this.cookie !== '' && { Cookie: this.cookie }) };
      const request = new Request(`http://site.example${path}`, { method, headers });
      this.#schedule(this.#now + onWayMs, async () => {
        const response = await this.#site(request);
        this.#schedule(this.#now + onWayMs, () => this.#keepCookies(response));
      });
    });
  }

  /** Lets time pass until nothing is under way. */
  async run(): Promise<void> {
    for (;;) {
      const next = this.#events.shift();
      if (next === undefined) return;
      this.#now = next.at;
      await next.run();
    }
  }

  #schedule(at: number, run: Event['run']): void {
    const before = this.#events.findIndex((event) => event.at > at);
    this.#events.splice(before === -1 ? this.#events.length : before, 0, { at, run });
  }

  #keepCookies(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(/;\s*/);
      const [name = '', value = ''] = pair.split('=', 2);
      if (attributes.includes('Max-Age=0')) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }
}
