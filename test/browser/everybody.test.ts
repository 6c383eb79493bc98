import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { Devices, describeInBrowser, useSojourn } from '../support/live-chromium.ts';
import { violations } from './axe.ts';
import { announced, field, history, settled, startSession } from './demo-page.ts';
import { expectNoSidewaysScroll } from './sideways.ts';

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

describeInBrowser('the page for everybody', () => {
  const devices = new Devices(useSojourn());

  it('is whole without JavaScript', async () => {
    const page = await devices.page({ javaScriptEnabled: false });
    await startSession(page, 'Ada');
    await page.getByRole('button', { name: 'Add a page view' }).click();
    expect(await field(page, 'page_views').textContent()).toBe('2');
    await page.getByLabel('Idle timeout in seconds').fill('90');
    await page.getByRole('button', { name: 'Change' }).click();
    expect(await field(page, 'session_ttl').textContent()).toBe('90');
    await page.getByRole('button', { name: 'Touch it' }).click();
    expect(await page.locator('.request').first().textContent()).toBe('POST /touch');
    expect(await page.getByRole('button', { name: /Copy/ }).count()).toBe(0);
    await page.getByRole('button', { name: 'Log out everywhere' }).click();
    expect(await page.getByRole('button', { name: /^Start a session/ }).isVisible()).toBe(true);
  });

  it.each(['light', 'dark'] as const)('follows the preference for %s', async (colorScheme) => {
    const page = await devices.page({ colorScheme });
    const [ground, ink] = await page.evaluate(() => {
      const style = getComputedStyle(document.documentElement);
      return [style.backgroundColor, style.color];
    });
    const brighter = brightness(ground) > brightness(ink) ? 'light' : 'dark';
    expect(brighter).toBe(colorScheme);
  });

  it.each(['light', 'dark'] as const)(
    'has nothing that axe objects to (%s)',
    async (colorScheme) => {
      const page = await devices.page({ colorScheme });
      expect(await violations(page)).toEqual([]);
      await startSession(page, 'Ada');
      await page.getByRole('button', { name: 'Add a page view' }).click();
      await announced(page, 'Page view added: the timeout starts over.');
      await settled(page);
      expect(await violations(page)).toEqual([]);
      await page.goto('/?notice=max-ttl');
      expect(await violations(page)).toEqual([]);
      await page.context().clearCookies();
      await page.goto('/?notice=expired');
      expect(await violations(page)).toEqual([]);
    },
  );

  it('fits a phone: nothing scrolls sideways, and every target can be hit', async () => {
    const page = await devices.page(PHONE);
    await startSession(page, `${'W'.repeat(64)}`);
    await expectNoSidewaysScroll(page);
    for (const button of await page.locator('button:visible, input:visible').all()) {
      const box = await button.boundingBox();
      expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(24);
    }
  });

  it('moves in whole seconds only where motion is to be reduced', async () => {
    const page = await devices.page({ reducedMotion: 'reduce' });
    await startSession(page, 'Ada', 10);
    const [times, rings] = [await history(page, '#remaining'), await history(page, '#ring')];
    await page.getByRole('timer').getByText('7 s', { exact: true }).waitFor();
    // A frame each would be sixty times as many; what the server rendered stands for less than a frame in between.
    expect((await rings()).length).toBeLessThan(4 * (await times()).length);
  });

  it('is used with the keyboard alone, and the focus is never lost', async () => {
    const page = await devices.page();
    await tabTo(page, 'username');
    await page.keyboard.type('Ada');
    await page.keyboard.press('Enter');
    await page.getByRole('timer').waitFor();
    expect(await focused(page)).toBe('session-heading');
    await tabTo(page, 'increment');
    await page.keyboard.press('Enter');
    await field(page, 'page_views').getByText('2', { exact: true }).waitFor();
    expect(await focused(page)).toBe('increment');
    await tabTo(page, 'logout');
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: /^Start a session/ }).waitFor();
    expect(await focused(page)).toBe('session-heading');
  });
});

function brightness(color: string | undefined): number {
  return (color?.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
}

async function tabTo(page: Page, id: string): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press('Tab');
    if ((await focused(page)) === id) return;
  }
  throw new Error(`No way by Tab to #${id}`);
}

function focused(page: Page): Promise<string | undefined> {
  return page.evaluate(() => document.activeElement?.id);
}
