import { describe, expect, it } from 'vitest';
import { type Action, type Call, type Outcome, violations } from './history.ts';

const increment: Action = { kind: 'increment' };
const read: Action = { kind: 'read' };
const end: Action = { kind: 'delete' };
const mark: Action = { kind: 'mark', name: 'm1' };
const [ok, absent, refused, unknown]: Outcome[] = [
  { kind: 'ok' },
  { kind: 'absent' },
  { kind: 'refused' },
  { kind: 'unknown' },
];

function counted(count: number, marks: readonly string[] = []): Outcome {
  return { kind: 'ok', count, marks: new Set(marks) };
}

/** One call after the other, each of 1 ms; the first creates the session. */
function inTurn(...steps: (readonly [Action, Outcome | undefined])[]): Call[] {
  return [[{ kind: 'create' }, ok] as const, ...steps].map(([action, outcome = unknown], i) => ({
    session: 's1',
    action,
    outcome: outcome as Outcome,
    begin: 10 * i,
    end: 10 * i + 1,
  }));
}

describe('what the checker lets pass', () => {
  it.each([
    [
      'counts in order',
      inTurn([increment, counted(1)], [increment, counted(2)], [read, counted(2)]),
    ],
    ['an unknown increment that happened', inTurn([increment, unknown], [read, counted(1)])],
    ['an unknown increment that did not', inTurn([increment, unknown], [read, counted(0)])],
    ['one that happens late', inTurn([increment, unknown], [read, counted(0)], [read, counted(1)])],
    ['an unknown mark', inTurn([mark, unknown], [read, counted(0, ['m1'])])],
    ['absence after an end', inTurn([end, ok], [read, absent], [end, absent])],
    ['absence after an unknown end', inTurn([end, unknown], [read, absent])],
  ])('%s', (_name, calls) => {
    expect(violations(calls)).toEqual([]);
  });

  it('calls at the same time, in any order', () => {
    const [created, ...others] = inTurn(
      [increment, counted(2)],
      [increment, counted(1)],
      [end, ok],
      [read, counted(2)],
    );
    const together = others.map((call) => ({ ...call, begin: 10, end: 99 }));
    expect(violations([created as Call, ...together])).toEqual([]);
  });

  it('absence after all was removed, and what was undone with the store', () => {
    expect(violations(inTurn([read, absent]), { wiped: [{ begin: 3, end: 5 }] })).toEqual([]);
    const calls = inTurn([increment, counted(1)], [end, ok], [increment, counted(1)]);
    expect(violations(calls)).not.toEqual([]);
    expect(violations(calls, { undone: [{ begin: 9, end: 22 }] })).toEqual([]);
  });
});

describe('what the checker finds', () => {
  it.each([
    ['a lost increment', inTurn([increment, counted(1)], [read, counted(0)])],
    ['a lost increment before another', inTurn([increment, counted(1)], [increment, counted(1)])],
    ['a double increment', inTurn([increment, counted(2)])],
    ['a double unknown increment', inTurn([increment, unknown], [read, counted(2)])],
    ['a refused increment that happened', inTurn([increment, refused], [read, counted(1)])],
    ['a lost mark', inTurn([mark, ok], [read, counted(0)])],
    ['a refused mark that happened', inTurn([mark, refused], [read, counted(0, ['m1'])])],
    ['a mark out of nowhere', inTurn([read, counted(0, ['m1'])], [mark, ok])],
    ['a revived session', inTurn([end, ok], [read, counted(0)])],
    ['a false absence', inTurn([read, absent])],
    ['an absence after a refused end', inTurn([end, refused], [read, absent])],
    ['an absence that comes before the end', inTurn([read, absent], [end, ok])],
    ['two ends', inTurn([end, ok], [end, ok])],
    ['a session that nobody created', inTurn([read, counted(0)]).slice(1)],
  ])('%s', (_name, calls) => {
    expect(violations(calls)).not.toEqual([]);
  });

  it('a session that outlives the removal of all', () => {
    const calls = inTurn([read, counted(0)], [read, counted(0)]);
    expect(violations(calls, { wiped: [{ begin: 12, end: 15 }] })).not.toEqual([]);
    expect(violations(calls, { wiped: [{ begin: 12, end: 21 }] })).toEqual([]);
  });
});
