import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { Devices, describeInBrowser, openTab, useSojourn } from '../support/live-chromium.ts';
import { announced, field, startSession } from './demo-page.ts';

describeInBrowser('the page on several tabs and devices', () => {
  const devices = new Devices(useSojourn());

  it('shows in every tab what one of them did, without a reload', async () => {
    const first = await devices.page();
    const second = await openTab(first.context());
    let loads = 0;
    second.on('load', () => {
      loads += 1;
    });
    await startSession(first, 'Ada');
    await field(second, 'username').getByText('Ada', { exact: true }).waitFor();
    await second.getByRole('button', { name: 'Add a page view' }).click();
    await field(first, 'page_views').getByText('2', { exact: true }).waitFor();
    await first.getByRole('button', { name: 'Log out', exact: true }).click();
    await second.getByRole('button', { name: /^Start a session/ }).waitFor();
    expect(loads).toBe(0);
  });

  it('keeps what is typed and where the focus is while it follows', async () => {
    const first = await devices.page();
    await startSession(first, 'Ada');
    const second = await openTab(first.context());
    const input = second.getByLabel('Idle timeout in seconds');
    await input.evaluate((element) => element.setAttribute('data-extension', 'was here'));
    await input.fill('77');
    await input.focus();
    await first.getByRole('button', { name: 'Add a page view' }).click();
    await field(second, 'page_views').getByText('2', { exact: true }).waitFor();
    expect(await input.inputValue()).toBe('77');
    expect(await input.evaluate((element) => element === document.activeElement)).toBe(true);
  });

  it('lists the sessions of one user, and ends one from the other', async () => {
    const [laptop, phone] = [await devices.page(), await devices.page({ userAgent: IPHONE })];
    await startSession(laptop, 'Grace');
    await startSession(phone, 'Grace');
    const here = sessionsOf(phone).filter({ hasText: 'This browser' });
    expect(await here.getByText('Safari on iOS').count()).toBe(1);
    await phone.getByRole('button', { name: 'End Chrome' }).click();
    await announced(phone, 'That session has ended.');
    expect(await sessionsOf(phone).count()).toBe(1);
    await laptop.getByRole('button', { name: /^Start a session/ }).waitFor();
    await announced(laptop, 'The session has ended.');
  });

  it('shows no session of another user', async () => {
    const [mine, theirs] = [await devices.page(), await devices.page()];
    await startSession(mine, 'Edsger');
    await startSession(theirs, 'Barbara');
    expect(await sessionsOf(theirs).count()).toBe(1);
  });

  it('logs out everywhere', async () => {
    const [laptop, phone] = [await devices.page(), await devices.page({ userAgent: IPHONE })];
    await startSession(laptop, 'Alan');
    await startSession(phone, 'Alan');
    await phone.getByRole('button', { name: 'Log out everywhere' }).click();
    await phone.getByRole('button', { name: /^Start a session/ }).waitFor();
    await laptop.getByRole('button', { name: /^Start a session/ }).waitFor();
    expect(await phone.context().cookies()).toEqual([]); // the laptop's opens nothing, and stays for a login to replace
  });
});

function sessionsOf(page: Page) {
  return page.getByRole('region', { name: 'Your sessions' }).getByRole('listitem');
}

const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1';
