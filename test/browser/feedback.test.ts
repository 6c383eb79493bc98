import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { Devices, describeInBrowser, openTab, useSojourn } from '../support/live-chromium.ts';
import { announced, field, history, startSession } from './demo-page.ts';

describeInBrowser('the page tells what becomes of a click', () => {
  const devices = new Devices(useSojourn());

  it('shows one that is under way, and does it once, however often it is clicked', async () => {
    const page = await devices.page();
    await startSession(page, 'Ada');
    const slow = await holdBack(page, '**/increment');
    const button = page.locator('#increment');
    for (let clicks = 0; clicks < 3; clicks += 1) await button.click({ force: true });
    expect(await button.getAttribute('aria-disabled')).toBe('true');
    expect(await page.locator('.lanes').getAttribute('class')).toBe('lanes out');
    await announced(page, 'Add a page view: waiting for the server.');
    slow.release();
    await field(page, 'page_views').getByText('2', { exact: true }).waitFor();
    await expect.poll(() => button.getAttribute('aria-disabled')).toBeNull();
    await button.click();
    await field(page, 'page_views').getByText('3', { exact: true }).waitFor();
    expect(slow.requests()).toBe(2);
  });

  it('does in turn what is clicked meanwhile', async () => {
    const page = await devices.page();
    await startSession(page, 'Ada');
    const slow = await holdBack(page, '**/increment');
    await page.locator('#increment').click();
    await page.locator('#ttl-60').click();
    await page.locator('#logout').click();
    slow.release();
    await page.getByRole('heading', { name: 'Logged out' }).waitFor();
    const requests = await page.locator('.request').allTextContents();
    expect(requests).toEqual(['POST /logout', 'POST /ttl', 'POST /increment', 'POST /login']);
  });

  it('confirms it to those who see the page, too', async () => {
    const page = await devices.page();
    await startSession(page, 'Ada');
    await page.locator('#touch').click();
    await announced(page, 'Touched: the timeout starts over.');
    expect(await isShown(page)).toBe(true);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.locator('#copy-hgetall').click();
    await announced(page, 'Copied.');
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toBe(await page.locator('#hgetall').textContent());
    expect(copied).toMatch(/^redis-cli .*HGETALL \S+$/);
  });

  it('selects a command where nothing may be copied', async () => {
    const page = await devices.page();
    await startSession(page, 'Ada');
    await page.evaluate(() => {
      Object.defineProperty(navigator, 'clipboard', { value: undefined }); // as on plain HTTP
    });
    await page.locator('#copy-hgetall').click();
    await announced(page, 'Selected: copy it with the keyboard.');
    expect(await page.evaluate(() => String(getSelection()))).toContain('HGETALL');
  });

  it('ticks off what was done, for good', async () => {
    const page = await devices.page();
    await startSession(page, 'Konrad');
    await page.locator('#copy-hgetall').click();
    await page.locator('[data-step="look"].done').waitFor();
    await page.locator('#logout').click();
    await page.getByRole('heading', { name: 'Logged out' }).waitFor();
    await page.goto('/'); // the server knows nothing any more
    const done = await page.locator('[data-step].done').evaluateAll(stepsOf);
    expect(done).toEqual(['start', 'look']);
    expect(await page.locator('[aria-current="step"]').evaluateAll(stepsOf)).toEqual(['use']);
  });

  it.each([
    ['1e3', 'TTL must be a whole number greater than 0.'],
    ['', 'TTL must be a whole number greater than 0.'],
    ['99999999', 'TTL must be at most 2592000 seconds.'],
  ])('marks a ttl of %j as refused until another one is sent', async (ttl, why) => {
    const page = await devices.page();
    await startSession(page, 'Ada');
    const input = page.getByLabel('Idle timeout in seconds');
    await input.fill(ttl);
    await page.locator('#set-ttl').click();
    await page.locator('#ttl-error').getByText(why).waitFor();
    await announced(page, why);
    for (let looks = 0; looks < 2; looks += 1) await nextLook(page);
    expect(await input.getAttribute('aria-invalid')).toBe('true');
    expect(await input.getAttribute('aria-describedby')).toBe('ttl-error');
    expect(await page.locator('p#ttl-error').textContent()).toBe(why);
    expect(await input.inputValue()).toBe(ttl);
    await input.fill('90');
    await page.locator('#set-ttl').click();
    await field(page, 'session_ttl').getByText('90', { exact: true }).waitFor();
    expect(await input.getAttribute('aria-invalid')).toBeNull();
    expect(await page.locator('.error').count()).toBe(0);
  });

  it('tells in words what was done in another tab', async () => {
    const first = await devices.page();
    await startSession(first, 'Ada');
    const second = await openTab(first.context());
    await second.locator('#ttl-60').click();
    await announced(first, 'In another tab: The idle timeout is 1 min.');
    expect(await isShown(first)).toBe(true);
    await second.locator('#set-ttl').click(); // 1800 of the field, no news of a refusal
    await announced(first, 'In another tab: The idle timeout has changed.');
    await second.locator('#logout').click();
    await announced(first, 'In another tab: Logged out. The hash is gone.');
    await first.getByRole('heading', { name: 'Logged out' }).waitFor();
  });

  it('announces no success of what was refused', async () => {
    const page = await devices.page();
    await startSession(page, 'Ada');
    const other = await openTab(page.context());
    const slow = await holdBack(page, (url) => url.pathname === '/' && url.search === '');
    await other.request.post('/logout'); // nobody tells the tab
    await page.locator('#increment').click();
    await announced(page, 'The session has ended.');
    slow.release();
  });

  it('takes a refusal for no outage, and offers the same once more', async () => {
    const page = await devices.page();
    const refused = { status: 409, contentType: 'application/json', body: '{}' };
    await page.route('**/login', (route) => route.fulfill(refused), { times: 1 });
    await page.getByLabel('Name').fill('Ada');
    await page.locator('#login').click();
    await page.getByRole('alert').getByText('“Start a session” was refused (409).').waitFor();
    expect(await page.locator('#badge').getAttribute('class')).toBe('badge unasked');
    expect(await page.getByRole('alert').textContent()).not.toContain('cannot be reached');
    await page.getByRole('button', { name: 'Start a session, once more' }).click();
    await field(page, 'username').getByText('Ada', { exact: true }).waitFor();
    expect(await page.locator('#outage').textContent()).toBe('');
  });

  it('says in its title how much time is left', async () => {
    const page = await devices.page();
    expect(await page.title()).toBe('Sojourn: a session, live');
    const titles = await history(page, 'title');
    await startSession(page, 'Ada', 5);
    await expect.poll(() => page.title()).toBe('Ended · Sojourn');
    const left = (await titles()).filter((title) => /^[1-5] s left · Sojourn$/.test(title));
    expect(left.length).toBeGreaterThan(1);
    const icon = await page.locator('link[rel="icon"]').getAttribute('href');
    expect((await page.request.get(`/${icon}`)).headers()['content-type']).toBe('image/svg+xml');
  });
});

/** Keeps requests from being answered until they are released, and counts them. */
async function holdBack(page: Page, url: string | ((url: URL) => boolean)) {
  let requests = 0;
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(url, async (route) => {
    requests += 1;
    await released;
    await route.continue().catch(() => undefined); // the page may be gone
  });
  return { release: () => release(), requests: () => requests };
}

function nextLook(page: Page) {
  return page.waitForResponse((response) => response.request().method() === 'GET');
}

function isShown(page: Page): Promise<boolean> {
  return page
    .locator('#announcer')
    .evaluate((element) => getComputedStyle(element).opacity === '1');
}

function stepsOf(items: (HTMLElement | SVGElement)[]): (string | undefined)[] {
  return items.map(({ dataset }) => dataset.step);
}
