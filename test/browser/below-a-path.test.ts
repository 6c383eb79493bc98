import { expect, it } from 'vitest';
import { Devices, describeInBrowser, useSojourn } from '../support/live-chromium.ts';
import { field, startSession } from './demo-page.ts';

describeInBrowser('the page below a path', () => {
  const devices = new Devices(useSojourn(['--base-path', '/tools/demo']));

  it.each([true, false])(
    'does all that it does elsewhere: with JavaScript %s',
    async (javaScriptEnabled) => {
      const device = await devices.device({ javaScriptEnabled });
      const page = await device.newPage();
      const asked: string[] = [];
      page.on('request', (request) => asked.push(new URL(request.url()).pathname));
      await page.goto('/tools/demo');
      await startSession(page, 'Ada');
      await page.locator('#increment').click();
      await field(page, 'page_views').getByText('2', { exact: true }).waitFor();
      await page.locator('#set-ttl').click();
      await page.locator('#logout').click();
      await page.getByRole('heading', { name: 'Logged out' }).waitFor();
      expect(new URL(page.url()).pathname).toBe('/tools/demo/');
      expect(asked.filter((path) => !path.startsWith('/tools/demo'))).toEqual([]);
      if (javaScriptEnabled) expect(asked).toContain('/tools/demo/assets/live.js');
    },
  );
});
