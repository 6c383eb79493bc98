import { chromium } from 'playwright-core';
import { afterEach, expect, inject, it } from 'vitest';
import { SojournProcess } from '../support/sojourn-process.ts';

let server: SojournProcess | undefined;
afterEach(async () => {
  await server?.stop();
});

const executablePath = inject('chromiumBinary');

it.skipIf(executablePath === undefined).each([false, true])(
  'the page works on plain http under a name that is not localhost: with JavaScript %s',
  async (javaScriptEnabled) => {
    const args = ['--port', '0', '--store', 'memory', '--allowed-hosts', 'shop.test'];
    server = new SojournProcess(args);
    const { port } = new URL(await server.url());
    const browser = await chromium.launch({
      ...(executablePath && { executablePath }),
      args: ['--disable-dev-shm-usage', '--host-resolver-rules=MAP *.test 127.0.0.1'],
    });
    try {
      const context = await browser.newContext({ javaScriptEnabled });
      context.setDefaultTimeout(30_000);
      const page = await context.newPage();
      await page.goto(`http://shop.test:${port}/`);
      await page.getByLabel('Name').fill('ada');
      await page.getByRole('button', { name: /^Start a session/ }).click();
      await page.getByRole('button', { name: 'Log out everywhere' }).click();
      await page.getByRole('button', { name: /^Start a session/ }).waitFor();
      expect(new URL(page.url()).origin).toBe(`http://shop.test:${port}`);
      expect(new URL(page.url()).pathname).toBe('/');

      // The same server under a name that somebody else made to point here.
      const rebound = await page.goto(`http://evil.test:${port}/session`);
      expect(rebound?.status()).toBe(403);
      expect(await rebound?.json()).toEqual({
        error: expect.stringContaining('The host evil.test is not allowed here'),
      });
    } finally {
      await browser.close();
    }
  },
);
