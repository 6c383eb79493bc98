import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { summarize } from './measure/statistics.ts';
import { progress } from './report/progress.ts';
import { spread, table } from './report/table.ts';

/** How long a program waits for each door of the package, and what it weighs, in processes of their own. */
const ROUNDS = 15;

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  exports: Record<string, { default: string } | string>;
};
const doors = Object.entries(exports).flatMap(([door, target]) =>
  typeof target === 'string' ? [] : [{ door: door.replace('.', 'sojourn'), file: target.default }],
);
const measured = new Map(doors.map(({ door }) => [door, [] as [ms: number, mb: number][]]));
for (let round = 1; round <= ROUNDS; round++) {
  progress(`round ${round} of ${ROUNDS}`);
  for (const { door, file } of doors) measured.get(door)?.push(load(file));
}
progress('');
const rows = [...measured].map(([door, rounds]) => [
  ...[
    door,
    spread(summarize(rounds.map(([ms]) => ms))),
    spread(summarize(rounds.map(([, mb]) => mb))),
  ],
]);
console.log(table([['', 'import ms', 'memory MB, above bare Node'], ...rows]));

function load(file: string): [ms: number, mb: number] {
  const program = `
    const before = process.memoryUsage().rss;
    const beganAt = performance.now();
    await import(${JSON.stringify(pathToFileURL(file))});
    const ms = performance.now() - beganAt;
    console.log(JSON.stringify([ms, (process.memoryUsage().rss - before) / 1e6]));`;
  const args = ['--input-type=module', '--eval', program];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}
