import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SessionError } from '../../src/domain/errors.ts';
import type { SessionLimits } from '../../src/domain/session-limits.ts';
import {
  checkTtl,
  createPolicy,
  defaultPolicy,
  type SessionPolicy,
  type SessionPolicyOptions,
} from '../../src/domain/session-policy.ts';

const HUNDRED_YEARS = 100 * 366 * 24 * 3600;
const DAY = 24 * 3600;
const leastLimits = { maxFields: 1, maxNameBytes: 1, maxValueBytes: 1, maxTotalBytes: 1 };
const mostLimits = {
  maxFields: 1024,
  maxNameBytes: 1024,
  maxValueBytes: 2 ** 20,
  maxTotalBytes: 2 ** 20,
};
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
      remember: { ttl: 2_592_000, lifetime: 7_776_000 },
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

  it.each([
    [{}, { ttl: 30, lifetime: 90 }],
    [{ remember: {} }, { ttl: 30, lifetime: 90 }],
    [{ remember: { ttl: 14 } }, { ttl: 14, lifetime: 90 }],
    [{ remember: { lifetime: 365 } }, { ttl: 30, lifetime: 365 }],
    [{ remember: { lifetime: undefined } }, { ttl: 30, lifetime: undefined }],
    [{ maxTtl: 1 }, { ttl: 30, lifetime: 90 }],
    [
      { ttl: 60, maxTtl: 60 },
      { ttl: 60, lifetime: 90 },
    ],
    [{ lifetime: 365 }, { ttl: 30, lifetime: 365 }],
    [{ lifetime: undefined }, { ttl: 30, lifetime: undefined }],
    [
      { lifetime: undefined, remember: { lifetime: 90 } },
      { ttl: 30, lifetime: 90 },
    ],
    [
      { lifetime: 365, remember: { lifetime: 90 } },
      { ttl: 30, lifetime: 90 },
    ],
  ] as [SessionPolicyOptions, SessionPolicyOptions][])(
    'with %j days remembers for %j days',
    (options, remember) => {
      expect(createPolicy(inDays(options)).remember).toEqual(inDays(remember));
    },
  );

  it('that was made by createPolicy makes the same policy again', () => {
    for (const policy of [createPolicy(), createPolicy({ ttl: 60, remember: { ttl: 30 } })]) {
      expect(createPolicy(policy)).toEqual(policy);
    }
  });

  it('refuses a remember that is no times, and names the setting', () => {
    for (const value of [true, 30, '30d', null]) {
      expectInvalid({ remember: value } as unknown as SessionPolicyOptions, 'remember');
    }
    for (const value of [...noWholeNumber, 60n, 0, HUNDRED_YEARS + 1]) {
      const ttl = value as number;
      expectInvalid({ remember: { ttl } }, 'remember.ttl');
      expectInvalid({ remember: { lifetime: ttl } }, 'remember.lifetime');
    }
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
    for (const ends of [leastLimits, mostLimits]) {
      expect(createPolicy({ limits: ends }).limits).toEqual(ends);
    }
  });

  const settings = ['ttl', 'maxTtl', 'lifetime', 'refreshAfter'] as const;
  const limits = Object.keys(mostLimits) as (keyof SessionLimits)[];

  it.each(settings)(
    'refuses a %s that is no whole number of seconds in range, and names it',
    (name) => {
      const bad = [...noWholeNumber, HUNDRED_YEARS + 1, ...(name === 'refreshAfter' ? [] : [0])];
      for (const value of bad) expectInvalid({ [name]: value } as SessionPolicyOptions, name);
    },
  );

  it.each(['evict', 'EVICT-OLDEST', 'toString', '', 0, true, null, [], ['refuse'], undefined])(
    'refuses %j for what happens at the most sessions, and names the setting',
    (value) => {
      const atMaxSessions = value as SessionPolicy['atMaxSessions'];
      expectInvalid({ maxSessions: 5, atMaxSessions }, 'atMaxSessions');
      expectInvalid({ atMaxSessions }, 'atMaxSessions');
    },
  );

  it.each(['true', 'false', 0, 1, null, {}, undefined])(
    'refuses an endOnReuse of %j, and names the setting',
    (value) => expectInvalid({ endOnReuse: value as boolean }, 'endOnReuse'),
  );

  it('accepts each choice', () => {
    for (const atMaxSessions of ['evict-oldest', 'refuse'] as const) {
      expect(createPolicy({ atMaxSessions })).toMatchObject({ atMaxSessions });
    }
    expect(createPolicy({ endOnReuse: true })).toMatchObject({ endOnReuse: true });
  });

  it.each(limits)('refuses a %s that is no whole number in range, and names it', (name) => {
    for (const value of [...noWholeNumber, 0, mostLimits[name] + 1, 2 ** 29]) {
      expectInvalid({ limits: { [name]: value } } as SessionPolicyOptions, name);
    }
  });

  it('refuses more fields than Redis can set in one script, before there is a session', () => {
    expectInvalid({ limits: { maxFields: 5000 } }, 'maxFields');
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

/** The same with each number of days in seconds. */
function inDays(options: SessionPolicyOptions): SessionPolicyOptions {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name,
      typeof value === 'number' ? value * DAY : value && inDays(value as SessionPolicyOptions),
    ]),
  );
}

function expectInvalid(options: SessionPolicyOptions, name: string): void {
  const thrown = thrownBy(() => createPolicy(options));
  expect(thrown, inspect(options)).toBeInstanceOf(SessionError);
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
