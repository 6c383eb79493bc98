import { expect, it } from 'vitest';
import { Devices, describeInBrowser, useSojourn } from '../support/live-chromium.ts';
import { violations } from './axe.ts';
import { field, settled, startSession } from './demo-page.ts';
import { PHONE, stateNames, states } from './demo-states.ts';
import { expectNoSidewaysScroll } from './sideways.ts';

const DESKTOP = { viewport: { width: 1200, height: 900 } };
const ZOOMED = { viewport: { width: 320, height: 256 } }; // 1280 x 1024 at 400 %

describeInBrowser('the page in each of its states', () => {
  const devices = new Devices(useSojourn());

  it.each(
    stateNames.flatMap((state) =>
      (['light', 'dark'] as const).map((scheme) => [state, scheme] as const),
    ),
  )(
    'has nothing that axe objects to, and fits a desktop and a phone: %s, %s',
    async (state, colorScheme) => {
      for (const look of [DESKTOP, PHONE]) {
        const page = await devices.page({ ...look, colorScheme });
        await states[state](page);
        await settled(page);
        expect(await violations(page)).toEqual([]);
        await expectNoSidewaysScroll(page);
      }
    },
  );

  it.each(stateNames)('reflows at 400 %%: %s', async (state) => {
    const page = await devices.page(ZOOMED);
    await states[state](page);
    await expectNoSidewaysScroll(page);
  });

  it.each(stateNames)('hints at nothing that is not there: %s', async (state) => {
    const page = await devices.page();
    await states[state](page);
    const missing = await page.evaluate(() =>
      [...document.querySelectorAll('[aria-describedby], [aria-labelledby], [for]')].flatMap(
        (element) =>
          ['aria-describedby', 'aria-labelledby', 'for'].flatMap((name) =>
            (element.getAttribute(name) ?? '')
              .split(' ')
              .filter((id) => id !== '' && document.getElementById(id) === null),
          ),
      ),
    );
    expect(missing).toEqual([]);
  });

  it('tells the two sides of the id, the rings and the next step apart in forced colours', async () => {
    const page = await devices.page({ forcedColors: 'active' });
    await startSession(page, 'Ada');
    const lines = await page
      .locator('.cookie .id, .key .id')
      .evaluateAll((ids) => ids.map((id) => getComputedStyle(id).textDecorationLine));
    expect(lines).toEqual(['underline', 'underline']);
    const strokes = await page
      .locator('#ring, #lifetime-ring')
      .evaluateAll((rings) => rings.map((ring) => getComputedStyle(ring).stroke));
    expect(new Set(strokes).size).toBe(2);
  });

  it('moves nothing where motion is to be reduced, and still shows what changed', async () => {
    const page = await devices.page({ reducedMotion: 'reduce' });
    await startSession(page, 'Ada');
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route('**/increment', async (route) => {
      await released;
      await route.continue();
    });
    await page.locator('#increment').click();
    await page.locator('.lanes.out').waitFor();
    const moving = await page.evaluate(() => document.getAnimations().length);
    expect(moving).toBe(0);
    release();
    await page.locator('td.changed[data-field="page_views"]').waitFor();
  });

  it('prints dark on light, all that it shows and no buttons', async () => {
    const page = await devices.page({ colorScheme: 'dark' });
    await startSession(page, 'Ada');
    await page.emulateMedia({ media: 'print' });
    const [ground, ink] = await page.evaluate(() => {
      const { backgroundColor, color } = getComputedStyle(document.documentElement);
      return [backgroundColor, color].map((text) => Number(/\d+/.exec(text)?.[0]));
    });
    expect(ground).toBeGreaterThan(200);
    expect(ink).toBeLessThan(60);
    expect(await page.locator('button:visible, input:visible').count()).toBe(0);
    expect(await field(page, 'username').isVisible()).toBe(true);
    expect(await page.locator('#hgetall').isVisible()).toBe(true);
    await expectNoSidewaysScroll(page);
  });
});
