import type { Locator, Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { Devices, describeInBrowser, useSojourn } from '../support/live-chromium.ts';
import { field, history, startSession } from './demo-page.ts';
import { PHONE } from './demo-states.ts';

declare global {
  interface Window {
    shifts: string[];
  }
}

const looks = { desktop: {}, phone: PHONE };

describeInBrowser('the page on a phone', () => {
  const devices = new Devices(useSojourn());

  it('shows an action and its effect on one screen', async () => {
    const page = await devices.page(PHONE);
    await startSession(page, 'Ada');
    await page.locator('#increment').tap();
    const cell = field(page, 'page_views');
    await cell.getByText('2', { exact: true }).waitFor();
    expect(await page.evaluate(() => scrollY)).toBe(0);
    const lanes = [page.locator('.cookie .id'), page.locator('.key .id'), cell];
    for (const shown of [...lanes, page.locator('#increment'), page.locator('#remaining')]) {
      await expectInView(page, shown);
    }
  });

  it('keeps the time and the buttons in view while the rest scrolls', async () => {
    const page = await devices.page(PHONE);
    await startSession(page, 'Ada');
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    for (const id of ['remaining', 'increment', 'touch', 'logout']) {
      await expectInView(page, page.locator(`#${id}`));
    }
    const notes = await page.locator('.notes').boundingBox();
    const bar = await page.locator('.bar').boundingBox();
    expect((notes?.y ?? 0) + (notes?.height ?? 0)).toBeLessThanOrEqual(bar?.y ?? 0); // it hides nothing
  });

  it.each(['desktop', 'phone'] as const)('hides no focus behind the bar: %s', async (look) => {
    const page = await devices.page(looks[look]);
    await startSession(page, 'Ada');
    const seen = new Set<string>();
    for (let presses = 0; presses < 40; presses += 1) {
      await page.keyboard.press(presses < 20 ? 'Tab' : 'Shift+Tab');
      const focused = page.locator(':focus');
      if ((await focused.count()) === 0 || (await focused.getAttribute('id')) === null) continue;
      seen.add((await focused.getAttribute('id')) ?? '');
      await expectInView(page, focused);
    }
    for (const id of ['ttl', 'copy-hgetall', 'logout-everywhere']) expect(seen).toContain(id);
  });

  it('scrolls what gets the focus from under the bar of a desktop', async () => {
    const page = await devices.page();
    await startSession(page, 'Ada');
    const input = page.locator('#ttl');
    await page.locator('#rotate').focus();
    await input.evaluate((element) => scrollBy(0, element.getBoundingClientRect().top - 20));
    await page.keyboard.press('Tab');
    expect(await input.evaluate((element) => element === document.activeElement)).toBe(true);
    await expectInView(page, input);
  });

  it.each([
    ['desktop', 1800, '29 min 59 s'],
    ['phone', 1800, '29 min 59 s'],
    ['desktop', 61, '59 s'],
    ['phone', 61, '59 s'],
  ] as const)('never jumps while the time runs down: %s, %d s', async (look, ttl, until) => {
    const page = await devices.page(looks[look]);
    await startSession(page, 'Ada', ttl);
    await page.evaluate(() => {
      window.shifts = [];
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.shifts.push(JSON.stringify(entry));
      }).observe({ type: 'layout-shift' });
    });
    const times = await history(page, '#remaining');
    await page.locator('#touch').click(); // from the full time on
    await expect.poll(times).toContain(until);
    expect(await page.evaluate(() => window.shifts)).toEqual([]);
  });

  it('leaves the screen to the page where that is no taller than the bar', async () => {
    const page = await devices.page({ viewport: { width: 320, height: 256 } }); // 1280 x 1024 at 400 %
    await startSession(page, 'Ada');
    expect(await page.locator('.bar').evaluate((bar) => getComputedStyle(bar).position)).toBe(
      'static',
    );
  });
});

async function expectInView(page: Page, shown: Locator): Promise<void> {
  const box = await shown.boundingBox();
  const height = page.viewportSize()?.height ?? 0;
  expect(box, String(shown)).not.toBeNull();
  expect(box?.y, String(shown)).toBeGreaterThanOrEqual(0);
  expect((box?.y ?? 0) + (box?.height ?? 0), String(shown)).toBeLessThanOrEqual(height);
  // And nothing lies over it.
  const isOnTop = await shown.evaluate((element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    const found = document.elementFromPoint(left + width / 2, top + height / 2);
    return element.contains(found) || found?.contains(element);
  });
  expect(isOnTop, String(shown)).toBe(true);
}
