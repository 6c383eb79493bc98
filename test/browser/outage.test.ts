import { afterAll, beforeAll, expect, it } from 'vitest';
import { Devices, describeInBrowser } from '../support/live-chromium.ts';
import { redisBinary } from '../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { SojournProcess } from '../support/sojourn-process.ts';
import { announced, field, startSession } from './demo-page.ts';

describeInBrowser('the page while Redis is away', () => {
  let redis: RedisServer;
  let server: SojournProcess;
  let url = '';

  beforeAll(async () => {
    // With a log of what it was told, so that what it held survives its end.
    const args = ['--appendonly', 'yes', '--appendfsync', 'always'];
    redis = await startRedisServer({ binary: redisBinary(), args });
    const where = ['--port', '0', '--redis-url', redis.url];
    server = new SojournProcess([...where, '--redis-timeout', '2000']); // a page of the outage waits for it
    url = await server.url();
  });
  afterAll(async () => {
    await server?.stop();
    await redis?.stop();
  });
  const devices = new Devices({ url: () => url });

  it('says so, keeps what it showed, and recovers by itself', async () => {
    const page = await devices.page();
    await startSession(page, 'Ada');
    await redis.kill();
    const outage = page.getByRole('alert').filter({ hasText: 'nobody was logged out' });
    await outage.waitFor();
    expect(await field(page, 'username').textContent()).toBe('Ada');
    await page.getByRole('button', { name: 'Add a page view', exact: true }).click();
    await redis.restart();
    await outage.waitFor({ state: 'hidden' });
    await announced(page, 'Back again.');
    await page.getByRole('button', { name: 'Add a page view', exact: true }).click();
    await field(page, 'page_views').getByText('2', { exact: true }).waitFor(); // the one refused never counts
  });

  it('says so to those without JavaScript, and the cookie stays', async () => {
    const page = await devices.page({ javaScriptEnabled: false });
    await startSession(page, 'Ada');
    const before = await page.context().cookies();
    redis.pause();
    await page.getByRole('button', { name: 'Add a page view', exact: true }).click();
    await page.getByText('nobody was logged out').waitFor();
    expect(await page.context().cookies()).toEqual(before);
    redis.resume();
    await expect
      .poll(async () => {
        await page.getByRole('link', { name: 'Try again' }).click();
        return page.getByRole('timer').count();
      })
      .toBe(1);
  });
});
