import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Devices, describeInBrowser } from '../support/live-chromium.ts';
import { redisBinary } from '../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { SojournProcess } from '../support/sojourn-process.ts';
import { field, settled, startSession } from './demo-page.ts';
import { PHONE, stateNames, states } from './demo-states.ts';

const DESKTOP = { viewport: { width: 1200, height: 900 } };
const everyLook = [
  ['desktop', 'light'],
  ['desktop', 'dark'],
  ['phone', 'light'],
  ['phone', 'dark'],
] as const;

describeInBrowser('screenshots', () => {
  const chosen = process.env.SCREENSHOTS || undefined; // `npm run screenshots` keeps the pictures
  let folder = '';
  let redis: RedisServer;
  let server: SojournProcess;
  let url = '';

  beforeAll(async () => {
    folder = chosen ?? (await mkdtemp(join(tmpdir(), 'sojourn-screenshots-')));
    redis = await startRedisServer({ binary: redisBinary() });
    server = new SojournProcess([
      '--port',
      '0',
      '--redis-url',
      redis.url,
      '--redis-timeout',
      '1000',
    ]);
    url = await server.url();
  });
  afterAll(async () => {
    await server?.stop();
    await redis?.stop();
    if (chosen === undefined) await rm(folder, { recursive: true, force: true });
  });
  const devices = new Devices({ url: () => url });

  it('of a desktop in light', async () => {
    const page = await devices.page({ ...DESKTOP, colorScheme: 'light' });
    await takePicture(await inUse(page), join(folder, 'desktop-light.png'));
  });

  it('of a phone in dark', async () => {
    const page = await devices.page({ ...PHONE, colorScheme: 'dark', deviceScaleFactor: 2 });
    await takePicture(await inUse(page), join(folder, 'phone-dark.png'));
  });

  it.each(
    stateNames.flatMap((state) =>
      everyLook.map(([device, scheme]) => [state, device, scheme] as const),
    ),
  )('of the page: %s, %s, %s', async (state, device, colorScheme) => {
    const page = await devices.page({ ...(device === 'phone' ? PHONE : DESKTOP), colorScheme });
    await states[state](page);
    await takeSmallPicture(page, join(folder, `page-${state}-${device}-${colorScheme}.webp`));
  });

  it.each(everyLook)('of an outage: %s, %s', async (device, colorScheme) => {
    const page = await devices.page({ ...(device === 'phone' ? PHONE : DESKTOP), colorScheme });
    await states.active(page);
    redis.pause();
    try {
      await page.locator('#increment').click();
      await page.getByRole('alert').getByText('“Add a page view”').waitFor();
      await takeSmallPicture(page, join(folder, `page-outage-${device}-${colorScheme}.webp`));
    } finally {
      redis.resume();
    }
  });
});

/** A session that has seen some use: the ring is well under way. */
async function inUse(page: Page): Promise<Page> {
  await startSession(page, 'Ada', 20);
  await page.locator('#increment').click();
  await field(page, 'page_views').getByText('2', { exact: true }).waitFor();
  await page.locator('#increment').click();
  await field(page, 'page_views').getByText('3', { exact: true }).waitFor();
  await page
    .getByRole('timer')
    .getByText(/^1[0-2] s$/)
    .waitFor();
  await page.locator('#announcer:not(.shown)').waitFor();
  await settled(page);
  return page;
}

async function takePicture(page: Page, path: string): Promise<void> {
  await page.mouse.move(0, 0);
  await page.screenshot({ path, animations: 'disabled' });
  expect((await stat(path)).size).toBeGreaterThan(10_000);
}

/** As WebP, which is a quarter as large. The browser makes it, on a page whose policy lets it. */
async function takeSmallPicture(page: Page, path: string): Promise<void> {
  await settled(page);
  await page.mouse.move(0, 0);
  const picture = await page.screenshot({ animations: 'disabled' });
  const blank = await page.context().newPage();
  const webp = await blank.evaluate(async (png) => {
    const image = new Image();
    image.src = `data:image/png;base64,${png}`;
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.width, image.height];
    canvas.getContext('2d')?.drawImage(image, 0, 0);
    return canvas.toDataURL('image/webp', 0.8).split(',')[1] ?? '';
  }, picture.toString('base64'));
  await blank.close();
  await writeFile(path, Buffer.from(webp, 'base64'));
  expect((await stat(path)).size).toBeGreaterThan(5000);
}
