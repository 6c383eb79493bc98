import { type Machine, provision } from './provision.ts';

/** The path of a Chromium that tests can drive; Chrome will do. */
export function provisionChromium(machine: Machine): Promise<string | undefined> {
  return provision(machine, {
    programs: ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'],
    package: 'chromium',
    because: 'The browser suites need Chromium',
    otherwise: 'BROWSER SUITES ARE SKIPPED',
  });
}
