import { expect, it } from 'vitest';
import { believe, takenByOthers } from '../bench/measure/bystanders.ts';
import { goalTable } from '../bench/report/goals.ts';
import { paired } from '../bench/report/paired.ts';

const second = (busyUs: number, stolenUs: number, at: number) => ({
  ...{ at, cores: 2, busyUs, stolenUs },
});

it('what others took of the cores is all that the benchmark did not use, and what the hypervisor took', () => {
  const [before, after] = [second(5e6, 1e6, 0), second(6.5e6, 1.1e6, 1000)];
  expect(takenByOthers(before, after, 1.5e6)).toBeCloseTo(0.05); // 0.1 s of two cores, stolen
  expect(takenByOthers(before, after, 1e6)).toBeCloseTo(0.3); // and half a second more
  expect(takenByOthers(before, after, 1.6e6)).toBeCloseTo(0.05); // ticks are coarse: never less than nothing
  expect(takenByOthers(undefined, after, 0)).toBeUndefined();
});

it('says in one line whether to believe the figures, and names what was disturbed', () => {
  expect(believe(new Map([['a', [0.01, 0.02, 0.9]]]))).toBe(
    'The machine was quiet: other processes and machines took 2 % of the cores, 2 % at most.',
  );
  const some = believe(
    new Map([
      ['a', [0.01]],
      ['b', [0.5, 0.4, 0.3]],
    ]),
  );
  expect(some).toMatch(/^THE MACHINE WAS TOO BUSY TO BELIEVE THIS: /);
  expect(some).toMatch(/Concerned: b \(40 %\)\.$/);
  expect(believe(new Map([['a', [0.5]]]))).toMatch(/Concerned: all contenders\.$/);
  expect(believe(new Map([['a', [undefined]]]))).toMatch(/is not known here/);
});

it('a ratio is one of the same round: what disturbs a whole round is not in it', () => {
  const perSecond = (turn: number) => turn;
  expect(paired([50, 5, 40], perSecond, [100, 10, 100], perSecond)).toEqual({
    ...{ median: 0.5, min: 0.4, max: 0.5 },
  });
});

it('goals are reached from both sides, and those that were not measured are left out', () => {
  const found = (median: number) => ({ median, min: median, max: median });
  const lines = goalTable([
    { what: 'cheap', atMost: 1.3, found: found(1.2) },
    { what: 'dear', atMost: 1.3, found: found(1.4) },
    { what: 'fast', atLeast: 20, found: found(20) },
    { what: 'unmeasured', atLeast: 1, found: found(Number.NaN) },
  ]).split('\n');
  expect(lines.slice(2).map((line) => line.split('|').map((cell) => cell.trim()))).toEqual([
    ['', 'cheap', '<= 1.3', '1.2 (1.2-1.2)', 'yes', ''],
    ['', 'dear', '<= 1.3', '1.4 (1.4-1.4)', 'no', ''],
    ['', 'fast', '>= 20', '20 (20-20)', 'yes', ''],
  ]);
});
