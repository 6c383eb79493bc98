import type { Page } from 'playwright-core';
import { field, startSession } from './demo-page.ts';

/** What there is to see on the page while Redis is there, and how to get there from its first view. */
export const states = {
  empty: async () => {},
  active: async (page: Page) => {
    await startSession(page, 'Ada', 1800);
    await page.locator('#increment').click();
    await field(page, 'page_views').getByText('2', { exact: true }).waitFor();
  },
  refused: async (page: Page) => {
    await startSession(page, 'Ada', 1800);
    await page.getByLabel('Idle timeout in seconds').fill('1e3');
    await page.locator('#set-ttl').click();
    await page.locator('p#ttl-error').waitFor();
  },
  expired: async (page: Page) => {
    await startSession(page, 'Ada', 1);
    await page.getByRole('heading', { name: 'Session expired' }).waitFor();
  },
  'logged-out': async (page: Page) => {
    await startSession(page, 'Ada', 1800);
    await page.locator('#logout').click();
    await page.getByRole('heading', { name: 'Logged out' }).waitFor();
  },
} as const satisfies Record<string, (page: Page) => Promise<void>>;

export type State = keyof typeof states;

export const stateNames = Object.keys(states) as State[];

export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
