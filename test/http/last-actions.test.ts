import { expect, it } from 'vitest';
import { LastActions } from '../../src/http/demo/last-actions.ts';

it('keeps the last actions of the thousand sessions that did something last', () => {
  const actions = new LastActions();
  const cost = { commands: [], roundTrips: 1, waitedMs: 1 };
  for (let i = 0; i < 1000; i += 1) actions.set(`session ${i}`, { request: 'POST /login', cost });
  actions.set('session 0', { request: 'POST /increment', cost });
  actions.set('session 1000', { request: 'POST /login', cost });
  actions.set('session 1001', { request: 'POST /login', cost });
  expect(actions.get('session 0')?.request).toBe('POST /increment');
  for (const dropped of ['session 1', 'session 2']) expect(actions.get(dropped)).toBeUndefined();
  for (const kept of ['session 3', 'session 1001']) expect(actions.get(kept)).toBeDefined();
});
