import { allSettings, DEMO_PREFIX } from '../config.ts';
import type { Command } from './command.ts';

export const serve: Command = {
  summary: 'Run the demo server with its page that shows a session live',
  usage: ['serve'],
  settings: allSettings,
  defaultPrefix: DEMO_PREFIX,
  flags: {},
  async run({ config }) {
    const { serveUntilStopped } = await import('./server.ts'); // the other commands need not load it
    await serveUntilStopped(config);
  },
};
