import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Devices, describeInBrowser } from '../support/live-chromium.ts';
import { redisBinary } from '../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { SojournProcess } from '../support/sojourn-process.ts';
import { field, settled, startSession } from './demo-page.ts';

describeInBrowser('screenshots', () => {
  const chosen = process.env.SCREENSHOTS || undefined; // `npm run screenshots` keeps the pictures
  let folder = '';
  let redis: RedisServer;
  let server: SojournProcess;
  let url = '';

  beforeAll(async () => {
    folder = chosen ?? (await mkdtemp(join(tmpdir(), 'sojourn-screenshots-')));
    redis = await startRedisServer({ binary: redisBinary() });
    server = new SojournProcess(['--port', '0', '--redis-url', redis.url]);
    url = await server.url();
  });
  afterAll(async () => {
    await server?.stop();
    await redis?.stop();
    if (chosen === undefined) await rm(folder, { recursive: true, force: true });
  });
  const devices = new Devices({ url: () => url });

  it('of a desktop in light', async () => {
    const look = { viewport: { width: 1200, height: 1220 }, colorScheme: 'light' } as const;
    await takePicture(await inUse(await devices.page(look)), join(folder, 'desktop-light.png'));
  });

  it('of a phone in dark', async () => {
    const viewport = { width: 360, height: 740 };
    const look = { viewport, colorScheme: 'dark', isMobile: true, deviceScaleFactor: 2 } as const;
    await takePicture(await inUse(await devices.page(look)), join(folder, 'phone-dark.png'));
  });
});

/** A session that has seen some use: the ring is well under way. */
async function inUse(page: Page): Promise<Page> {
  await startSession(page, 'Ada', 20);
  await page.getByRole('button', { name: 'Add a page view' }).click();
  await field(page, 'page_views').getByText('2', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Add a page view' }).click();
  await field(page, 'page_views').getByText('3', { exact: true }).waitFor();
  await page
    .getByRole('timer')
    .getByText(/^1[0-5] s$/)
    .waitFor();
  await settled(page);
  return page;
}

async function takePicture(page: Page, path: string): Promise<void> {
  await page.mouse.move(0, 0);
  await page.screenshot({ path, animations: 'disabled', fullPage: process.env.FULL === '1' });
  expect((await stat(path)).size).toBeGreaterThan(10_000);
}
