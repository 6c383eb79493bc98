import { showSteps } from './path.ts';

/** Shows in a page what only a script can do. */
export function enhance(page: Document): void {
  for (const element of page.querySelectorAll<HTMLElement>('[data-copy]')) element.hidden = false;
  showSteps(page);
}
