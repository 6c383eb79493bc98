import { expect, it } from 'vitest';
import { decisions } from '../../src/cli/decisions.ts';
import { readConfig } from '../../src/config.ts';

it.each([
  [{ 'near-cache': true, store: 'memory' }, {}],
  [{}, { SESSION_NEAR_CACHE: 'true' }], // the store is auto, and no Redis answers
])(
  'a near cache is off in front of the embedded store, whatever was asked for: %j %j',
  (flags, env) => {
    const config = readConfig(flags, env as unknown as Record<string, string>);
    const asked = config.saidBy('near-cache');
    expect(asked).toBeDefined();
    expect(decisions(config, { kind: 'memory', label: 'embedded' }).nearCache).toEqual({
      value: 'off',
      because: `the embedded store is in memory itself, despite ${asked}`,
    });
    const beforeRedis = decisions(config, { kind: 'redis', label: 'Redis' });
    expect(beforeRedis.nearCache).toEqual({ value: 'on', because: asked });
  },
);
