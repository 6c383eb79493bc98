import { describe, expect, it } from 'vitest';
import { nodeSecrets } from '../../src/adapters/node/node-secrets.ts';
import {
  accessStep,
  createStep,
  deleteStep,
  endStep,
  findStep,
  incrementStep,
  readStep,
  replaceStep,
  rotateStep,
  type Step,
  setTtlStep,
  takeStep,
  updateStep,
} from '../../src/domain/session-steps.ts';
import { type Credential, mintSecret, mintSession } from '../../src/domain/session-token.ts';
import type { StoredSession } from '../../src/domain/stored-session.ts';

const NOW = Date.parse('2026-04-02T12:34:56Z');
const at = '2026-04-02T12:34:56+00:00';
const limits = { maxFields: 4, maxTotalBytes: 64 };
const { credential } = mintSession(nodeSecrets);
const stranger = mintSecret(credential.id, nodeSecrets).credential;

function stored(fields: Record<string, string> = {}, ttl = 60): StoredSession {
  const { next } = createStep(undefined, NOW, {
    ...{ credential, user: 'ada', fields: new Map(Object.entries(fields)), ttl },
    ...{ lifetime: 3600, device: {}, persistent: false, at },
  });
  if (next === undefined) throw new Error('Nothing was created.');
  return next;
}

const slide = { at, refreshAfterMs: 0 };
const rotation = { next: stranger.secretHash, graceMs: 0, reauthenticated: undefined, at };
type Verb = (held: StoredSession | undefined, now: number, by: Credential) => Step<unknown>;
const verbs: [name: string, verb: Verb][] = [
  ['read', (held, now, by) => readStep(held, now, by)],
  ['access', (held, now, by) => accessStep(held, now, by, slide)],
  [
    'update',
    (held, now, by) =>
      updateStep(held, now, by, { set: new Map([['a', '1']]), unset: [], limits, at }),
  ],
  ['increment', (held, now, by) => incrementStep(held, now, by, { field: 'n', by: 1, limits, at })],
  [
    'replace',
    (held, now, by) =>
      replaceStep(held, now, by, { field: 'n', expected: undefined, next: '1', limits, at }),
  ],
  ['take', (held, now, by) => takeStep(held, now, by, { field: 'n', at })],
  ['setTtl', (held, now, by) => setTtlStep(held, now, by, { ttl: 5, at })],
  ['rotate', (held, now, by) => rotateStep(held, now, by, rotation)],
  ['delete', (held, now, by) => deleteStep(held, now, by)],
];

describe.each(verbs)('%s', (_, verb) => {
  it('changes nothing of what it was given', () => {
    const held = stored();
    const before = [...held.record];
    verb(held, NOW, credential);
    expect([...held.record]).toEqual(before);
  });

  it.each([
    ['there is nothing', undefined, NOW],
    ['the session has run out and the store has not removed it', stored(), NOW + 60_000],
    ['there is the mark of an id that was ended', markOf(), NOW],
  ])('is absent and writes nothing where %s', (_, held, now) => {
    const { answer, next } = verb(held, now, credential);
    expect(answer).toBe(undefined);
    expect(next).toBe(held);
  });

  it('is absent and writes nothing for another secret', () => {
    const held = stored();
    const { answer, next } = verb(held, NOW, stranger);
    expect(answer).toBe(undefined);
    expect(next).toBe(held);
  });

  it.each([
    ['session_ttl', '0x10'],
    ['session_ttl', 'nan'],
    ['session_deadline', '1e99'],
    ['session_previous_until', 'inf'],
  ])('is absent where another hand made %s %s', (name, value) => {
    const sound = stored();
    const held = { ...sound, record: new Map(sound.record).set(name, value) };
    const { answer, next } = verb(held, NOW, credential);
    expect(answer).toBe(undefined);
    expect(next).toBe(held);
  });

  it('is absent where the end of what is stored is no number', () => {
    const held = { ...stored(), expiresAt: Number.NaN };
    expect(verb(held, NOW, credential).answer).toBe(undefined);
  });
});

function markOf(): StoredSession | undefined {
  return endStep(undefined, NOW, { unbornMs: 1000 }).next;
}

it('a refusal writes nothing', () => {
  const held = stored({ n: 'x', full: 'x'.repeat(50) });
  const set = new Map([['more', 'x'.repeat(50)]]);
  const refused = [
    incrementStep(held, NOW, credential, { field: 'n', by: 1, limits, at }),
    updateStep(held, NOW, credential, { set, unset: [], limits, at }),
    replaceStep(held, NOW, credential, { field: 'n', expected: 'y', next: 'z', limits, at }),
    createStep(held, NOW, {
      ...{ credential, user: undefined, fields: new Map(), ttl: 60, lifetime: undefined },
      ...{ device: {}, persistent: false, at },
    }),
  ];
  expect(refused.map(({ answer }) => answer)).toEqual([
    ...['not_an_integer', 'too_large', false, undefined],
  ]);
  for (const { next } of refused) expect(next).toBe(held);
});

it('a session that has run out gives way to a new one, and its end is nothing', () => {
  const held = stored({ old: '1' });
  const later = NOW + 60_000;
  expect(endStep(held, later, { unbornMs: 0 })).toEqual({ answer: undefined, next: held });
  expect(findStep(held, later, credential.id).answer).toBe(undefined);
  const { answer } = createStep(held, later, {
    ...{ credential, user: undefined, fields: new Map(), ttl: 60, lifetime: undefined },
    ...{ device: {}, persistent: false, at },
  });
  expect(answer).toMatchObject({ fields: {}, remainingMs: 60_000 });
});

it.each([
  ['more time left than its ttl, as when the clock steps back', NOW - 10_000, undefined],
  ['no end, by another hand', NOW, Number.POSITIVE_INFINITY],
])('access within refreshAfterMs slides a session that has %s', (_, now, expiresAt) => {
  const sound = stored();
  const held = expiresAt === undefined ? sound : { ...sound, expiresAt };
  const { next } = accessStep(held, now, credential, { at, refreshAfterMs: 30_000 });
  expect(next?.expiresAt).toBe(now + 60_000);
});

it('access answers what a read finds right after it', () => {
  const held = stored({ a: '1' });
  const use = { at: '2026-04-02T12:35:00+00:00', refreshAfterMs: 0 };
  const { answer, next } = accessStep(held, NOW + 4000, credential, use);
  expect(readStep(next, NOW + 4000, credential).answer).toEqual(answer);
  expect(answer).toMatchObject({ lastAccessedAt: use.at, remainingMs: 60_000 });
});
