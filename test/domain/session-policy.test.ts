import { describe, expect, it } from 'vitest';
import { SessionError } from '../../src/domain/errors.ts';
import {
  checkTtl,
  createPolicy,
  defaultPolicy,
  type SessionPolicyOptions,
} from '../../src/domain/session-policy.ts';

const HUNDRED_YEARS = 100 * 366 * 24 * 3600;
const noWholeNumber = [
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1e21,
  2 ** 53,
  '60',
  null,
  true,
  {},
  [60],
];

describe('a policy', () => {
  it('without options: half an hour idle, thirty days at most, seven days of life', () => {
    expect(createPolicy()).toEqual(defaultPolicy);
    expect(defaultPolicy).toEqual({
      ttl: 1800,
      maxTtl: 2_592_000,
      lifetime: 604_800,
      refreshAfter: 0,
      endOnReuse: false,
      maxSessions: undefined,
      atMaxSessions: 'evict-oldest',
      limits: { maxFields: 64, maxNameBytes: 128, maxValueBytes: 4096, maxTotalBytes: 32_768 },
    });
  });

  it('fills in what was left out, each limit by itself', () => {
    const policy = createPolicy({ ttl: 60, limits: { maxFields: 3 } });
    expect(policy).toEqual({
      ...defaultPolicy,
      ttl: 60,
      limits: { ...defaultPolicy.limits, maxFields: 3 },
    });
  });

  it('can do without a lifetime', () => {
    expect(createPolicy({ lifetime: undefined }).lifetime).toBeUndefined();
  });

  it('accepts the ends of each range', () => {
    const least = { ttl: 1, maxTtl: 1, lifetime: 1, refreshAfter: 0 };
    expect(createPolicy(least)).toMatchObject(least);
    const most = {
      ttl: HUNDRED_YEARS,
      maxTtl: HUNDRED_YEARS,
      lifetime: HUNDRED_YEARS,
      refreshAfter: HUNDRED_YEARS,
    };
    expect(createPolicy(most)).toMatchObject(most);
  });

  const settings = ['ttl', 'maxTtl', 'lifetime', 'refreshAfter'] as const;
  const limits = ['maxFields', 'maxNameBytes', 'maxValueBytes', 'maxTotalBytes'] as const;

  it.each(settings)(
    'refuses a %s that is no whole number of seconds in range, and names it',
    (name) => {
      const bad = [...noWholeNumber, HUNDRED_YEARS + 1, ...(name === 'refreshAfter' ? [] : [0])];
      for (const value of bad) expectInvalid({ [name]: value } as SessionPolicyOptions, name);
    },
  );

  it.each(limits)('refuses a %s that is no whole number in range, and names it', (name) => {
    for (const value of [...noWholeNumber, 0, 2 ** 29 + 1]) {
      expectInvalid({ limits: { [name]: value } } as SessionPolicyOptions, name);
    }
  });

  it('refuses a ttl or a refreshAfter beyond maxTtl', () => {
    expectInvalid({ ttl: 61, maxTtl: 60 }, 'ttl');
    expectInvalid({ ttl: 60, maxTtl: 60, refreshAfter: 61 }, 'refreshAfter');
  });
});

describe('a ttl', () => {
  const policy = createPolicy({ ttl: 60, maxTtl: 3600 });

  it.each([1, 60, 3600])('of %d is allowed', (ttl) => {
    expect(checkTtl(ttl, policy)).toBe(ttl);
  });

  it.each([0, -0, 3601, 2 ** 63, undefined, '1e3', ...noWholeNumber])('of %j is refused', (ttl) => {
    expect(() => checkTtl(ttl as number, policy)).toThrow(
      expect.objectContaining({
        code: 'invalid_ttl',
        message: expect.stringContaining('from 1 to 3600'),
      }),
    );
  });
});

function expectInvalid(options: SessionPolicyOptions, name: string): void {
  const thrown = thrownBy(() => createPolicy(options));
  expect(thrown, JSON.stringify(options)).toBeInstanceOf(SessionError);
  expect(thrown).toMatchObject({
    code: 'invalid_policy',
    message: expect.stringMatching(new RegExp(`^${name} must`)),
  });
}

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
