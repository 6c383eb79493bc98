import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** Fails if the page scrolls sideways. Waits for a page that is being opened: it is wider without its styles. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  await page.waitForLoadState();
  const { scrollWidth, clientWidth } = await page.evaluate(() => ({
    scrollWidth: document.documentElement.scrollWidth,
    clientWidth: document.documentElement.clientWidth,
  }));
  expect(scrollWidth).toBe(clientWidth);
}
