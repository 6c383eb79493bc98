import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { OTHER_CORE, PROGRAM_CORE } from './cores.ts';
import { quantile } from './statistics.ts';

/** What the cores of a benchmark have done since the machine started, in microseconds. */
export interface CoreTimes {
  readonly at: number;
  readonly cores: number;
  readonly busyUs: number;
  /** Taken by the hypervisor for other machines. */
  readonly stolenUs: number;
}

/** Linux counts in hundredths of a second, whatever its own clock is. */
const TICK_US = 10_000;

/** Of the two cores that the processes are pinned to, or of all; `undefined` where the system does not tell. */
export function readCores(pinned: boolean): CoreTimes | undefined {
  let stat: string;
  try {
    stat = readFileSync('/proc/stat', 'utf8');
  } catch {
    return undefined; // not Linux
  }
  const cores = pinned ? [PROGRAM_CORE, OTHER_CORE] : cpus().map((_, core) => core);
  let [busyUs, stolenUs] = [0, 0];
  for (const core of cores) {
    // Interrupts are left out: those of loopback are the benchmark's own, and no process is charged for them.
    const [user = 0, nice = 0, system = 0, , , , , stolen = 0] =
      new RegExp(`^cpu${core} (.*)$`, 'm').exec(stat)?.[1]?.split(' ').map(Number) ?? [];
    busyUs += (user + nice + system) * TICK_US;
    stolenUs += stolen * TICK_US;
  }
  return { at: performance.now(), cores: cores.length, busyUs, stolenUs };
}

/** The part of the cores' time that other processes and other machines took while the benchmark's own used `ownUs`. */
export function takenByOthers(
  before: CoreTimes | undefined,
  after: CoreTimes | undefined,
  ownUs: number,
): number | undefined {
  if (before === undefined || after === undefined) return undefined;
  const us = (after.at - before.at) * 1000 * after.cores;
  const others = Math.max(0, after.busyUs - before.busyUs - ownUs);
  return (others + after.stolenUs - before.stolenUs) / us;
}

/** More than this, and what was measured is what others left over. The kernel's own counting is off by a few percent. */
const MOST_TAKEN = 0.08;

/** One line on whether to believe the figures, from the turns of each contender. */
export function believe(turns: ReadonlyMap<string, readonly (number | undefined)[]>): string {
  const medians = new Map<string, number>();
  for (const [name, taken] of turns) {
    const known = taken.filter((one) => one !== undefined).sort((a, b) => a - b);
    if (known.length > 0) medians.set(name, quantile(known, 0.5));
  }
  const all = [...medians.values()].sort((a, b) => a - b);
  if (all.length === 0)
    return 'How busy the machine was is not known here: there is no /proc/stat.';
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  const found = `other processes and machines took ${percent(quantile(all, 0.5))} of the cores`;
  const disturbed = [...medians].filter(([, taken]) => taken > MOST_TAKEN);
  if (disturbed.length === 0) {
    return `The machine was quiet: ${found}, ${percent(quantile(all, 1))} at most.`;
  }
  const names = disturbed.map(([name, taken]) => `${name} (${percent(taken)})`).join(', ');
  const which = disturbed.length === medians.size ? 'all contenders' : names;
  return `THE MACHINE WAS TOO BUSY TO BELIEVE THIS: ${found}. Concerned: ${which}.`;
}
