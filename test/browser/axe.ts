import axe, { type Result } from 'axe-core';
import type { Page } from 'playwright-core';

const options = { rules: { 'target-size': { enabled: true } } }; // WCAG 2.2, off by default

/** What axe finds wrong with the page as it is once it has loaded: WCAG 2.2 AA and best practices. A line for each element. */
export async function violations(page: Page): Promise<string[]> {
  await page.waitForLoadState();
  // Evaluated by the debugger: the page's own policy lets no such script in.
  const rules = await page.evaluate<Result[]>(
    `${axe.source}; axe.run(document, ${JSON.stringify(options)}).then(({ violations }) => violations)`,
  );
  return rules.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`));
}
