import { expect, it } from 'vitest';
import { cross, type Visit, Visits } from '../../src/http/demo/visits.ts';

function visit(id: string): Visit {
  const nothing = { ttl: 60, endsAt: 0, rotated: false, cause: undefined };
  return { id, name: 'ada', ...nothing, log: [], steps: new Set() };
}

it('keeps the visits of the thousand sessions that did something last', () => {
  const visits = new Visits();
  for (let i = 0; i < 1000; i += 1) visits.set(`key ${i}`, visit(`session ${i}`));
  visits.set('key 0', visit('session 0'));
  visits.set('key 1000', visit('session 1000'));
  visits.set('key 1001', visit('session 1001'));
  for (const dropped of ['key 1', 'key 2']) expect(visits.get(dropped)).toBeUndefined();
  for (const kept of ['key 0', 'key 3', 'key 1001']) expect(visits.get(kept)).toBeDefined();
  expect(visits.get(undefined)).toBeUndefined();
});

it('keeps the last twelve requests of a visit, newest first', () => {
  const ada = visit('session');
  for (let i = 0; i < 20; i += 1) cross(ada, { request: `POST /${i}`, at: i, cost: undefined });
  expect(ada.log).toHaveLength(12);
  expect([ada.log[0]?.request, ada.log.at(-1)?.request]).toEqual(['POST /19', 'POST /8']);
});
