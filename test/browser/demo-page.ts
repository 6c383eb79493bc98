import type { Page } from 'playwright-core';
import { expect } from 'vitest';

export async function startSession(page: Page, name: string, ttl?: number): Promise<void> {
  await page.getByLabel('Name').fill(name);
  if (ttl !== undefined) await page.getByLabel('Idle timeout in seconds').fill(String(ttl));
  await page.getByRole('button', { name: /^Start a session/ }).click();
  await page.getByRole('timer').waitFor();
}

/** The cell of the table of the hash. */
export function field(page: Page, name: string) {
  return page.locator(`td[data-field="${name}"]`);
}

/** From now on everything that the element shows, whichever element the selector finds then. */
export async function history(page: Page, selector: string): Promise<() => Promise<string[]>> {
  const seen = await page.evaluateHandle((selector) => {
    const seen: string[] = [];
    const look = () => {
      const element = document.querySelector(selector);
      const shown = element?.getAttribute('stroke-dasharray') ?? element?.textContent;
      if (shown && shown !== seen.at(-1)) seen.push(shown);
    };
    new MutationObserver(look).observe(document, {
      subtree: true,
      childList: true,
      characterData: true,
      attributes: true,
    });
    return seen;
  }, selector);
  return () => seen.jsonValue();
}

/** From now on the names of all fields that were set off as changed, however soon the next look replaced them. */
export async function setOff(page: Page): Promise<() => Promise<string[]>> {
  const seen = await page.evaluateHandle(() => {
    const seen: string[] = [];
    new MutationObserver(() => {
      for (const cell of document.querySelectorAll<HTMLElement>('td.changed')) {
        const name = cell.dataset.field ?? '';
        if (!seen.includes(name)) seen.push(name);
      }
    }).observe(document, { subtree: true, childList: true, attributes: true });
    return seen;
  });
  return () => seen.jsonValue();
}

export async function announced(page: Page, text: string): Promise<void> {
  await expect.poll(() => page.locator('#announcer').textContent()).toBe(text);
}

/** When every animation has come to its end. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished)));
}
