import { type Config, ConfigError, DEFAULT_PREFIX, readConfig, redisSettings } from '../config.ts';
import { Pace } from '../domain/pace.ts';
import type { MovableRepository } from '../ports/session-moves.ts';
import { type Command, type CommandLine, fastFlag, jsonFlag } from './command.ts';
import { countOf } from './ending.ts';
import { duration, number } from './format.ts';
import type { Terminal } from './terminal.ts';
import { readSessions, walkIds } from './walk-sessions.ts';
import { type OpenedRedis, withRedis } from './with-redis.ts';

export const move: Command = {
  summary: 'Move the sessions that nobody uses to another Redis or prefix',
  usage: ['move --to URL', 'move --to-prefix PREFIX', 'move status'],
  details: `
Run it while every server carries sessions over and moves them (docs/moving.md): those in use move
by themselves, and this moves the others. It keeps no session alive. Where it fails or is ended,
what has moved stays moved, and the next run goes on. It rests for two thirds of the time.
move status only looks: how many sessions are still in the old place, and when the last runs out.
The settings below say where the sessions are; what --to leaves out is as there.`,
  settings: redisSettings,
  defaultPrefix: DEFAULT_PREFIX,
  flags: {
    from: { hint: 'URL', help: 'where the sessions are, if not as the settings say' },
    to: { hint: 'URL', help: 'where they shall be: redis:// or rediss://' },
    'to-prefix': { hint: 'PREFIX', help: 'what their keys begin with there (as in the old place)' },
    'to-password-file': { hint: 'FILE', help: 'file of the password there' },
    'to-cluster': { hint: 'HOST:PORT,...', help: 'nodes of a Redis Cluster, in the place of --to' },
    fast: fastFlag,
    json: jsonFlag,
  },
  operand: 'status',
  async run(line, terminal) {
    const { operand } = line;
    if (operand !== undefined && operand !== 'status') {
      throw new ConfigError(`move takes status or nothing, not ${JSON.stringify(operand)}`);
    }
    const from = oldPlace(line);
    if (operand === 'status') {
      await withRedis(from, async (redis) => {
        await redis.ready();
        await show(await look(redis, line), line, terminal);
      });
      return;
    }
    const to = newPlace(line, from);
    await withRedis(from, (old) =>
      withRedis(to, async (own) => {
        await old.ready();
        await own.ready();
        const { moved, seconds } = await moveAll(old, own, line, terminal);
        const left = await look(old, line);
        if (line.flags.json) await terminal.json({ moved, seconds, ...left });
        else {
          await terminal.line(`Moved ${countOf(moved)} in ${duration(seconds)}.`);
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
    throw new ConfigError('move needs --to URL, --to-cluster or --to-prefix: another place');
  }
  return to;
}

/** The place that those settings alone describe. Messages name the flag that was given. */
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
): Promise<{ readonly moved: number; readonly seconds: number }> {
  const { moveSessions } = await import('../container.ts'); // not for --help
  const began = old.now();
  const seconds = () => (old.now() - began) / 1000;
  let moved = 0;
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
    for await (const progress of moveSessions(sessions)) moved = progress.moved;
  } finally {
    endProgress();
  }
  return { moved, seconds: Math.round(seconds()) };
}

function movable({ movable }: OpenedRedis): MovableRepository {
  if (movable === undefined) throw new Error('Sessions in Redis can be moved.');
  return movable;
}

interface Left {
  readonly left: number;
  /** Seconds until the last of them runs out, if nobody uses it; `null` of none. */
  readonly last_ends_in: number | null;
}

async function look(
  { inspection, repository }: OpenedRedis,
  { flags }: CommandLine,
): Promise<Left> {
  const options = { fullSpeed: flags.fast === true };
  const pace = new Pace(options);
  let [left, longest] = [0, 0];
  for await (const ids of walkIds(inspection, options)) {
    for await (const sessions of readSessions(repository, ids, pace)) {
      left += sessions.length;
      longest = sessions.reduce((most, { remainingMs }) => Math.max(most, remainingMs), longest);
    }
  }
  return { left, last_ends_in: left === 0 ? null : Math.ceil(longest / 1000) };
}

async function show(left: Left, { flags }: CommandLine, terminal: Terminal): Promise<void> {
  if (flags.json) await terminal.json(left);
  else if (left.last_ends_in === null) await terminal.line('No session is left in the old place.');
  else {
    await terminal.line(
      `${number(left.left)} ${left.left === 1 ? 'session is' : 'sessions are'} left in the old place; unused, the last runs out in ${duration(left.last_ends_in)}.`,
    );
  }
}
