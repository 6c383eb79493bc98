import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Browser } from '../support/http-server.ts';
import { Devices, describeInBrowser } from '../support/live-chromium.ts';
import { redisBinary } from '../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { SojournProcess } from '../support/sojourn-process.ts';
import { violations } from './axe.ts';
import { expectNoSidewaysScroll } from './sideways.ts';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0';
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
const TOKEN = 'correct-horse-battery-staple';
const HOSTILE = '<img src=x onerror=alert(1)>\u202e\u0007 \u0645\u0631\u062d\u0628\u0627';

async function logIn(url: string, username: string): Promise<Browser> {
  const browser = new Browser(url);
  const body = new URLSearchParams({ username });
  await browser.request('/login', { method: 'POST', body, headers: { 'User-Agent': FIREFOX } });
  return browser;
}

describeInBrowser('the console', () => {
  let redis: RedisServer;
  let server: SojournProcess;
  let [url, admin] = ['', ''];

  beforeAll(async () => {
    const args = ['--appendonly', 'yes', '--appendfsync', 'always'];
    redis = await startRedisServer({ binary: redisBinary(), args });
    const where = ['--port', '0', '--admin-port', '0', '--redis-url', redis.url];
    server = new SojournProcess([...where, '--redis-timeout', '2000']); // a page of the outage waits for it
    url = await server.url();
    admin = await server.adminUrl();
  });
  afterAll(async () => {
    await server?.stop();
    await redis?.stop();
  });
  const devices = new Devices({ url: () => admin });

  it.each(['light', 'dark'] as const)(
    'has nothing that axe objects to, empty and full (%s)',
    async (colorScheme) => {
      const page = await devices.page({ colorScheme });
      await looksRight(page, '/');
      await looksRight(page, '/user?name=nobody');
      await logIn(url, 'ada');
      await logIn(url, HOSTILE);
      for (const path of ['/?hours=1', '/user?name=ada', '/no/such/page', '/session?id=x']) {
        await looksRight(page, path);
      }
      await looksRight(page, `/user?${new URLSearchParams({ name: HOSTILE })}`);
      await page.locator('.sessions a').first().click();
      await page.getByRole('button', { name: 'Show the values' }).click();
      await page.getByText('page_views').waitFor();
      await looksRight(page);
      await page.goto('/');
      for (const summary of await page.locator('summary').all()) await summary.click();
      await looksRight(page);
    },
  );

  it.each([true, false])('finds, shows and ends (JavaScript: %s)', async (javaScriptEnabled) => {
    const page = await devices.page({ javaScriptEnabled });
    const sessions = [
      await logIn(url, 'grace'),
      await logIn(url, 'grace'),
      await logIn(url, 'grace'),
    ];
    const alive = () =>
      Promise.all(sessions.map(async (one) => (await authenticated(one)) as boolean));
    await page.getByLabel('User or session id').fill('grace');
    await page.keyboard.press('Enter');
    await page.getByText('3 alive').waitFor();
    expect(await page.locator('.sessions').getByText('Firefox on Linux').count()).toBe(3);
    await page
      .getByRole('button', { name: /^End session/ })
      .first()
      .click();
    await page.getByRole('status').getByText('1 session ended.').waitFor();
    expect((await alive()).filter(Boolean)).toHaveLength(2);

    await page.locator('.sessions a').first().click();
    expect(await page.getByText('hidden').count()).toBe(2);
    expect(await page.locator('table.fields').innerText()).not.toContain('grace');
    await page.getByRole('button', { name: 'Show the values' }).click();
    await page.locator('table.fields').getByText('grace').waitFor();

    await page.goto('/user?name=grace');
    await page.getByText('End all sessions of this user…').click();
    await page.getByRole('button', { name: 'End all sessions of grace' }).click();
    await page.getByRole('status').getByText('2 sessions ended.').waitFor();
    expect((await alive()).filter(Boolean)).toHaveLength(0);
  });

  it.each([true, false])(
    'ends everybody’s sessions once that was typed (JavaScript: %s)',
    async (javaScriptEnabled) => {
      const page = await devices.page({ javaScriptEnabled });
      const session = await logIn(url, 'ada');
      await page.getByText('End all sessions…').click();
      const button = page.getByRole('button', { name: 'End all sessions' });
      await page.getByLabel('Confirmation').fill('session');
      if (javaScriptEnabled) {
        expect(await button.isDisabled()).toBe(true);
      } else {
        await button.click();
        await page.getByText('Nothing was ended').waitFor();
        await page.goto('/');
        await page.getByText('End all sessions…').click();
      }
      expect(await authenticated(session)).toBe(true);
      await page.getByLabel('Confirmation').fill('session:demo:');
      await button.click();
      await expect
        .poll(async () => {
          await page.goto('/');
          return page.getByText('All sessions were ended').count();
        })
        .toBe(1);
      expect(await authenticated(session)).toBe(false);
    },
  );

  it('follows what happens by itself, and keeps unfolded what was unfolded', async () => {
    const device = await devices.device();
    const page = await device.newPage();
    await page.clock.install();
    await page.goto('/?hours=1');
    const logins = page.locator('#logins-desc');
    const before = await logins.textContent();
    await page.locator('#logins-figures summary').click();
    await page.locator('h1').click(); // what has the focus is left as it is
    await logIn(url, 'ada');
    await expect
      .poll(async () => {
        await page.clock.runFor(10_000);
        return logins.textContent();
      })
      .not.toBe(before);
    expect(await page.locator('#logins-figures').getAttribute('open')).toBe('');
  });

  it('fits a phone: nothing scrolls sideways, and every target can be hit', async () => {
    const page = await devices.page(PHONE);
    await logIn(url, 'W'.repeat(64));
    for (const path of ['/', `/user?name=${'W'.repeat(64)}`]) {
      await page.goto(path);
      for (const summary of await page.locator('summary').all()) await summary.click();
      await fits(page);
    }
    const end = await page.getByRole('button', { name: /^End session/ }).boundingBox();
    expect(end?.width).toBeGreaterThan(end?.height ?? 0); // in one line
    await page.locator('.sessions a').first().click();
    await fits(page);
  });

  it('says that the store is away, shows what it saw, and recovers', async () => {
    const page = await devices.page({ colorScheme: 'dark' });
    await logIn(url, 'ada');
    await redis.kill();
    await expect
      .poll(async () => {
        await page.goto('/');
        return page.getByRole('alert').getByText('The store does not answer').count();
      })
      .toBe(1);
    expect(await page.locator('svg').count()).toBeGreaterThan(3);
    await looksRight(page);
    await page.goto('/user?name=ada');
    await page.getByText('Nothing was changed.').waitFor();
    await looksRight(page);
    await redis.restart();
    await expect
      .poll(async () => {
        await page.goto('/user?name=ada');
        return page.getByText(/\d+ alive/).count();
      })
      .toBe(1);
  });

  async function looksRight(page: Page, path?: string): Promise<void> {
    if (path !== undefined) await page.goto(path);
    expect({ path, found: await violations(page) }).toEqual({ path, found: [] });
  }
});

describeInBrowser('signing in to the console', () => {
  let server: SojournProcess;
  let admin = '';
  beforeAll(async () => {
    const args = ['--port', '0', '--admin-port', '0', '--store', 'memory'];
    server = new SojournProcess(args, { ADMIN_TOKEN: TOKEN });
    admin = await server.adminUrl();
  });
  afterAll(async () => {
    await server?.stop();
  });
  const devices = new Devices({ url: () => admin });

  it.each([true, false])(
    'takes the token once, and a sign-out (JavaScript: %s)',
    async (javaScriptEnabled) => {
      const page = await devices.page({ javaScriptEnabled, colorScheme: 'dark' });
      await page.goto('/user?name=ada');
      if (javaScriptEnabled) expect(await violations(page)).toEqual([]);
      await page.getByLabel('Your name').fill('grace');
      await page.getByLabel('Admin token').fill('wrong');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').getByText('That is not the token.').waitFor();
      if (javaScriptEnabled) expect(await violations(page)).toEqual([]);
      await page.getByLabel('Admin token').fill(TOKEN);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'ada' }).waitFor();
      expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe('/user?name=ada');
      expect(await page.getByRole('banner').innerText()).toContain('grace');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByLabel('Admin token').waitFor();
      await page.goto('/');
      await page.getByLabel('Admin token').waitFor();
    },
  );
});

async function authenticated(browser: Browser): Promise<boolean> {
  const response = await browser.request('/session?refresh=false');
  return ((await response.json()) as { authenticated: boolean }).authenticated;
}

async function fits(page: Page): Promise<void> {
  await expectNoSidewaysScroll(page);
  for (const target of await page.locator('button:visible, input:visible, summary:visible').all()) {
    const box = await target.boundingBox();
    expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(24);
  }
}
