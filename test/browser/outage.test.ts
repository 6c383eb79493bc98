import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Devices, describeInBrowser } from '../support/live-chromium.ts';
import { redisBinary } from '../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { SojournProcess } from '../support/sojourn-process.ts';
import { violations } from './axe.ts';
import { announced, field, settled, startSession } from './demo-page.ts';

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
  afterEach(() => redis.resume());
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

  it('claims nothing of what Redis holds, and offers what was not done once more', async () => {
    const page = await devices.page();
    await startSession(page, 'Grace');
    const badge = page.locator('#badge');
    expect(await badge.getAttribute('class')).toBe('badge answers');
    redis.pause();
    await page.locator('#increment').click();
    await page.getByRole('alert').getByText('“Add a page view”').waitFor();
    expect(await badge.getAttribute('class')).toBe('badge away');
    await page.getByText(/^As it was at .* Nobody can say what it holds now.$/).waitFor();
    expect(await page.getByRole('alert').textContent()).not.toMatch(/[Tt]rying again/);
    const [ttl] = await page.locator('#store-ttl').allTextContents();
    const time = await page.getByRole('timer').textContent();
    await expect.poll(() => page.getByRole('timer').textContent()).not.toBe(time);
    expect(await page.locator('#store-ttl').allTextContents()).toEqual([ttl]); // that one nobody knows
    await settled(page);
    expect(await violations(page)).toEqual([]);

    redis.resume();
    await page.getByText(/^As it was at/).waitFor({ state: 'hidden' });
    await announced(page, 'Back again.');
    await expect.poll(() => badge.getAttribute('class')).toBe('badge answers');
    const before = Number(await field(page, 'page_views').textContent()); // it may have arrived after all
    await page.getByRole('button', { name: 'Add a page view, once more' }).click();
    await field(page, 'page_views')
      .getByText(String(before + 1), { exact: true })
      .waitFor();
    expect(await page.locator('#outage').textContent()).toBe('');
  });

  it('keeps what was typed by those who could not start a session', async () => {
    const page = await devices.page();
    redis.pause();
    await page.getByLabel('Name').fill('Edsger');
    await page.getByRole('button', { name: 'Start a session' }).click();
    await page.getByRole('alert').getByText('“Start a session”').waitFor();
    expect(await page.getByLabel('Name').inputValue()).toBe('Edsger');
    redis.resume();
    await page.getByRole('button', { name: 'Start a session, once more' }).click();
    await field(page, 'username').getByText('Edsger', { exact: true }).waitFor();
  });

  it('claims no end of a session whose time runs out meanwhile', async () => {
    const page = await devices.page();
    await startSession(page, 'Barbara', 3);
    redis.pause();
    await page.getByRole('timer').getByText('not known', { exact: true }).waitFor();
    expect(await page.locator('#announcer').textContent()).not.toContain('expired');
    redis.resume();
    await page.getByRole('heading', { name: 'Session expired' }).waitFor();
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
