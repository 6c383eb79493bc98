import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { NearCacheTouches } from '../../src/adapters/redis/near-cache/touches.ts';
import type { Credential } from '../../src/domain/session-token.ts';

const credentialOf = (id: string) => ({ id, secretHash: `hash of ${id}` }) as Credential;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('slides one session while Redis does not answer for another, which it asks for once', async () => {
  const asked: string[] = [];
  let answer = () => {};
  const touches = new NearCacheTouches(({ id }) => {
    asked.push(id);
    if (id !== 'hung') {
      touches.done(id, 60, performance.now());
      return Promise.resolve({});
    }
    return new Promise((resolve) => {
      answer = () => resolve({});
    });
  }, 10);
  touches.add(credentialOf('hung'), 60, 'then', performance.now());
  await vi.advanceTimersByTimeAsync(1250);
  expect(asked).toEqual(['hung']);
  touches.add(credentialOf('healthy'), 60, 'then', performance.now());
  await vi.advanceTimersByTimeAsync(1250);
  expect(asked).toEqual(['hung', 'healthy']);

  let closed = false;
  const closing = touches.close().then(() => {
    closed = true;
  });
  await vi.advanceTimersByTimeAsync(1000);
  expect(closed).toBe(false);
  touches.done(credentialOf('hung').id, 60, performance.now());
  answer();
  await closing;
});
