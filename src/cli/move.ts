import { type Config, ConfigError, DEFAULT_PREFIX, readConfig, redisSettings } from '../config.ts';
import type { MovableRepository } from '../ports/session-moves.ts';
import { type Command, type CommandLine, fastFlag, jsonFlag, operatorFlag } from './command.ts';
import { countOf } from './ending.ts';
import { finishMove } from './finish-move.ts';
import { duration, number } from './format.ts';
import { type Left, leftIn, sentenceOf } from './left-behind.ts';
import type { Terminal } from './terminal.ts';
import { walkIds } from './walk-sessions.ts';
import { type OpenedRedis, withRedis } from './with-redis.ts';

export const move: Command = {
  summary: 'Move sessions that are not in use to another Redis or prefix',
  usage: ['move --to URL', 'move --to-prefix PREFIX', 'move status', 'move finish'],
  details: `
Run it while every server moves sessions on use (docs/moving.md): sessions in use move by themselves,
and this command moves the others. It does not keep sessions alive. If it fails or is stopped, what
has moved stays moved, and the next run continues. It pauses for two thirds of the time.
move status changes nothing: it shows how many sessions are still in the old place, when one of them
was used last, and when the last one expires. move finish ends those that are left, which logs their
users out: it prints how many there are and asks first, unless --yes is given. It refuses while
servers still use the old place.
The settings below describe the old place; what --to does not say is the same there.`,
  settings: redisSettings,
  defaultPrefix: DEFAULT_PREFIX,
  flags: {
    from: { hint: 'URL', help: 'current place, if other than in the settings' },
    'from-connect-redis': {
      hint: 'PREFIX',
      help: 'status, finish: what connect-redis wrote',
    },
    to: { hint: 'URL', help: 'new place: redis:// or rediss://' },
    'to-prefix': { hint: 'PREFIX', help: 'prefix in the new place (unchanged)' },
    'to-password-file': { hint: 'FILE', help: 'file with the password of the new place' },
    'to-cluster': { hint: 'HOST:PORT,...', help: 'nodes of a Redis Cluster, instead of --to' },
    yes: { help: 'finish without asking' },
    operator: operatorFlag,
    fast: fastFlag,
    json: jsonFlag,
  },
  operand: 'status | finish',
  async run(line, terminal) {
    const { operand, flags } = line;
    const from = oldPlace(line);
    if (operand === 'status') {
      await withRedis(from, async (redis) => {
        await redis.ready();
        await show(await leftIn(redis, from.prefix, line).look(), line, terminal);
      });
      return;
    }
    if (operand === 'finish') return finishMove(from, line, terminal);
    if (operand !== undefined) {
      throw new ConfigError(`move takes status, finish or nothing, not ${JSON.stringify(operand)}`);
    }
    if (flags['from-connect-redis'] !== undefined) {
      throw new ConfigError(
        '--from-connect-redis is for move status and move finish: the application moves them, as it knows whose they are (docs/moving.md)',
      );
    }
    const to = newPlace(line, from);
    await withRedis(from, (old) =>
      withRedis(to, async (own) => {
        await old.ready();
        await own.ready();
        if (await old.inspection.isSamePlaceAs(own.inspection)) throw samePlace();
        const { moved, taken, seconds } = await moveAll(old, own, line, terminal);
        const left = await leftIn(old, from.prefix, line).look();
        if (flags.json) await terminal.json({ moved, taken, seconds, ...left });
        else {
          await terminal.line(`Moved ${countOf(moved)} in ${duration(seconds)}.`);
          if (taken > 0) await terminal.line(sentenceOfTaken(taken));
          await show(left, line, terminal);
        }
      }),
    );
  },
};

function oldPlace({ config, flags }: CommandLine): Config {
  if (typeof flags.from !== 'string') return config;
  return place({ 'redis-url': flags.from }, config.prefix, '--from');
}

function newPlace({ flags }: CommandLine, from: Config): Config {
  const prefix = typeof flags['to-prefix'] === 'string' ? flags['to-prefix'] : from.prefix;
  const given = {
    'redis-url': flags.to,
    'redis-cluster': flags['to-cluster'],
    'redis-password-file': flags['to-password-file'],
  };
  const isElsewhere = flags.to !== undefined || flags['to-cluster'] !== undefined;
  const to = isElsewhere ? place(given, prefix, '--to') : { ...from, prefix };
  if (to.prefix === from.prefix && JSON.stringify(to.redis) === JSON.stringify(from.redis)) {
    throw new ConfigError('move needs a different place: --to URL, --to-cluster or --to-prefix');
  }
  return to;
}

function samePlace(): ConfigError {
  return new ConfigError(
    'move needs a different place: both addresses lead to the same Redis and prefix, and nothing was moved',
  );
}

function sentenceOfTaken(taken: number): string {
  return `Left ${countOf(taken)} in the old place: the new place has something else, which is no session, under the same key.`;
}

/** The place described by these settings alone. Messages name the flag that was given. */
function place(given: CommandLine['flags'], prefix: string, flag: string): Config {
  try {
    return readConfig({ ...given, prefix }, {}, redisSettings, DEFAULT_PREFIX);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(error.message.replace('--redis-url', flag).replace('--redis-', '--to-'));
  }
}

async function moveAll(
  old: OpenedRedis,
  own: OpenedRedis,
  { flags }: CommandLine,
  terminal: Terminal,
): Promise<{ readonly moved: number; readonly taken: number; readonly seconds: number }> {
  const { moveSessions } = await import('../container.ts'); // not for --help
  const began = old.now();
  const seconds = () => (old.now() - began) / 1000;
  let [moved, taken] = [0, 0];
  const rate = () => Math.round(moved / Math.max(1, seconds()));
  const endProgress = terminal.progress(
    'alone',
    () => `${number(moved)} sessions moved, ${number(rate())} a second`,
  );
  const fullSpeed = flags.fast === true;
  const sessions = {
    ...{ from: movable(old), to: movable(own), fullSpeed },
    scan: () => walkIds(old.inspection, { fullSpeed }),
  };
  try {
    for await (const progress of moveSessions(sessions)) ({ moved, taken } = progress);
  } finally {
    endProgress();
  }
  return { moved, taken, seconds: Math.round(seconds()) };
}

function movable({ movable }: OpenedRedis): MovableRepository {
  if (movable === undefined) throw new Error('This store cannot move sessions.');
  return movable;
}

async function show(left: Left, { flags }: CommandLine, terminal: Terminal): Promise<void> {
  if (flags.json) await terminal.json(left);
  else await terminal.line(sentenceOf(left));
}
