import { describe, expect, it } from 'vitest';
import { formatInstant, remainingSeconds } from '../../src/domain/session.ts';
import type { SessionId } from '../../src/domain/session-token.ts';

describe('an instant', () => {
  it('is UTC in whole seconds with its offset spelled out', () => {
    expect(formatInstant(Date.UTC(2026, 3, 2, 12, 34, 56))).toBe('2026-04-02T12:34:56+00:00');
  });

  it('is cut off, never rounded up into the future', () => {
    expect(formatInstant(Date.UTC(2026, 3, 2, 12, 34, 56, 999))).toBe('2026-04-02T12:34:56+00:00');
  });
});

describe('the remaining seconds of a live session', () => {
  it.each([
    [1, 1],
    [999, 1],
    [1000, 1],
    [1001, 2],
    [1_800_000, 1800],
  ])('of %d ms are %d: never 0, never more than the ttl', (remainingMs, seconds) => {
    const session = {
      id: 'abcdefghijklmnopqrstuQ' as SessionId, // has the shape
      user: undefined,
      fields: {},
      createdAt: formatInstant(0),
      authenticatedAt: undefined,
      lastAccessedAt: formatInstant(0),
      ttl: 1800,
      remainingMs,
      endsAt: undefined,
      persistent: false,
      device: {},
    };
    expect(remainingSeconds(session)).toBe(seconds);
  });
});
