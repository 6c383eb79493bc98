import { expect, it } from 'vitest';
import { Devices, describeInBrowser, openTab, useSojourn } from '../support/live-chromium.ts';
import { announced, field, history, setOff, startSession } from './demo-page.ts';

describeInBrowser('a session in a browser', () => {
  const sojourn = useSojourn();
  const devices = new Devices(sojourn);

  it('is started under a name, and both sides of it are shown', async () => {
    const page = await devices.page();
    await startSession(page, 'Ada <b>Lovelace</b>');
    const [cookie] = await page.context().cookies();
    const id = cookie?.value.split('.')[0] ?? '';
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
    expect(await field(page, 'username').textContent()).toBe('Ada <b>Lovelace</b>');
    // Both sides show the same id, and nobody shows the secret.
    expect(await page.locator('.cookie').textContent()).toMatch(`sid=${id}.`);
    expect(await page.locator('.key').textContent()).toBe(`${sojourn.prefix}${id}`);
    expect(await page.content()).not.toContain(cookie?.value.split('.')[1]);
  });

  it('runs down without being asked for, and expires at the second Redis drops it', async () => {
    const page = await devices.page();
    const posts: string[] = [];
    await startSession(page, 'Ada', 3);
    page.on('request', (request) => request.method() === 'POST' && posts.push(request.url()));
    const [times, rings] = [await history(page, '#remaining'), await history(page, '#ring')];
    await page.getByRole('heading', { name: 'Session expired' }).waitFor();
    await announced(page, 'The session has expired.');
    await page.getByText('(empty array)', { exact: true }).waitFor();
    await page.getByRole('button', { name: /^Start a session/ }).waitFor();
    const seconds = (await times()).map((time) => Number.parseInt(time, 10) || 0);
    expect(seconds).toEqual(seconds.toSorted((a, b) => b - a));
    expect(seconds).toContain(1);
    expect(seconds.at(-1)).toBe(0);
    expect((await rings()).length).toBeGreaterThan(10);
    expect(posts).toEqual([]);
  });

  it('counts page views, and every count slides the expiry', async () => {
    const page = await devices.page();
    await startSession(page, 'Ada', 60);
    await page
      .getByRole('timer')
      .getByText(/^5\d s$/)
      .waitFor();
    const [times, changed] = [await history(page, '#remaining'), await setOff(page)];
    await page.getByRole('button', { name: 'Add a page view' }).click();
    await field(page, 'page_views').getByText('2', { exact: true }).waitFor();
    await announced(page, 'Page view added: the timeout starts over.');
    expect(await times()).toContain('1 min');
    expect(await changed()).toContain('page_views');
  });

  it('takes another idle timeout at once', async () => {
    const page = await devices.page();
    await startSession(page, 'Ada');
    await page.getByLabel('Idle timeout in seconds').fill('90');
    await page.getByRole('button', { name: 'Change' }).click();
    await field(page, 'session_ttl').getByText('90', { exact: true }).waitFor();
    expect(await page.getByRole('timer').textContent()).toMatch(/^1 min (30|29|28) s$/);
    await page.getByRole('button', { name: '10 s', exact: true }).click();
    await field(page, 'session_ttl').getByText('10', { exact: true }).waitFor();
  });

  it('shows the exact commands that the last action cost, without secrets', async () => {
    const page = await devices.page();
    await startSession(page, 'Ada');
    await page.getByRole('button', { name: 'Add a page view' }).click();
    const newest = page.locator('.entry').first();
    await newest.getByText('POST /increment', { exact: true }).waitFor();
    expect(await newest.getByText('2 round trips', { exact: true }).count()).toBe(1);
    const [access, increment, ...others] = await newest.locator('li').allTextContents();
    const id = (await page.context().cookies())[0]?.value.split('.')[0];
    const key = `1 ${sojourn.prefix}${id} <secret's hash>`;
    expect(access).toMatch(new RegExp(`^EVAL(SHA)? sojournAccess ${key} `));
    expect(increment).toMatch(new RegExp(`^EVAL(SHA)? sojournIncrement ${key} .* page_views 1$`));
    expect(others).toEqual([]);

    await page.getByRole('button', { name: 'Touch it' }).click();
    await newest.getByText('POST /touch', { exact: true }).waitFor();
    expect(await newest.getByText('1 round trip', { exact: true }).count()).toBe(1);
    await page.request.get('/session?refresh=false'); // a look is no action
    await page.reload();
    expect(await newest.locator('li').allTextContents()).toEqual([
      expect.stringMatching(new RegExp(`^EVAL(SHA)? sojournAccess ${key} `)),
    ]);
    const requests = await page.locator('.request').allTextContents();
    expect(requests).toEqual(['POST /touch', 'POST /increment', 'POST /login']);
  });

  it('shows a rotation: another secret, the same id and data, and other tabs follow', async () => {
    const page = await devices.page();
    await startSession(page, 'Ada');
    const other = await openTab(page.context());
    const before = await page.locator('#fingerprint').textContent();
    const [cookie] = await page.context().cookies();
    const changed = await setOff(page);
    await page.getByRole('button', { name: 'Rotate the secret' }).click();
    await announced(page, 'The secret was replaced. The id and the data stayed.');
    const after = (await page.locator('#fingerprint').textContent()) ?? '';
    expect(after).not.toBe(before);
    expect(await field(page, 'session_secret').textContent()).toContain(after);
    expect(await changed()).toContain('session_secret');
    await field(other, 'session_secret').getByText(after).waitFor();
    const [rotated] = await page.context().cookies();
    expect(rotated?.value.split('.')[0]).toBe(cookie?.value.split('.')[0]);
    expect(rotated?.value).not.toBe(cookie?.value);
  });

  it('ends with the logout', async () => {
    const page = await devices.page();
    await startSession(page, 'Ada');
    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await page.getByRole('button', { name: /^Start a session/ }).waitFor();
    expect(await page.context().cookies()).toEqual([]);
  });
});
