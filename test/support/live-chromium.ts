import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, inject } from 'vitest';
import { redisUrl, useTestPrefix } from './live-redis.ts';
import { SojournProcess } from './sojourn-process.ts';

/** A suite that opens the demo in a browser. Skipped without Redis or Chromium, which CI does not allow. */
export const describeInBrowser = describe.skipIf(
  inject('redisUrl') === undefined || inject('chromiumBinary') === undefined,
);

type Look = NonNullable<Parameters<Browser['newContext']>[0]>;

/** One Chromium for the suite; every device is a profile of its own in it. */
export class Devices {
  readonly #contexts: BrowserContext[] = [];
  #browser: Browser | undefined;
  #url = '';
  #complaints: string[] = [];

  /** Starts before the suite, and closes every device after each test, which fails if the page broke its own policy. */
  constructor(options: { url: () => string }) {
    beforeAll(async () => {
      const executablePath = inject('chromiumBinary');
      if (executablePath === undefined) throw new Error('Use describeInBrowser');
      this.#url = options.url();
      this.#browser = await chromium.launch({
        executablePath,
        args: ['--disable-dev-shm-usage', '--force-color-profile=srgb'],
      });
    });
    afterEach(async () => {
      for (const context of this.#contexts.splice(0)) await context.close();
      expect(this.#complaints.splice(0)).toEqual([]);
    });
    afterAll(async () => {
      await this.#browser?.close();
    });
  }

  /** A browser that was never here before. */
  async device(look: Look = {}): Promise<BrowserContext> {
    if (this.#browser === undefined) throw new Error('Devices are for tests');
    const context = await this.#browser.newContext({ baseURL: this.#url, ...look });
    context.setDefaultTimeout(30_000);
    this.#contexts.push(context);
    context.on('request', (request) => {
      if (!request.url().startsWith(this.#url)) {
        this.#complaints.push(`asked a third party: ${request.url()}`);
      }
    });
    context.on('weberror', (error) => void this.#complaints.push(`threw: ${error.error()}`));
    context.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
        this.#complaints.push(`printed: ${message.text()}`);
      }
    });
    return context;
  }

  /** The demo in the first tab of a new device. */
  async page(look: Look = {}): Promise<Page> {
    return openTab(await this.device(look));
  }
}

export async function openTab(device: BrowserContext): Promise<Page> {
  const page = await device.newPage();
  await page.goto('/');
  return page;
}

/** The built server on the shared Redis, for a whole suite. */
export function useSojourn(args: readonly string[] = []): { url: () => string; prefix: string } {
  const prefix = useTestPrefix();
  let server: SojournProcess;
  let url = '';
  beforeAll(async () => {
    const where = ['--port', '0', '--redis-url', redisUrl(), '--prefix', prefix];
    server = new SojournProcess([...where, ...args]);
    url = await server.url();
  });
  afterAll(async () => {
    await server?.stop();
  });
  return { url: () => url, prefix };
}
