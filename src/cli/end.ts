import { ConfigError, DEFAULT_PREFIX, redisSettings } from '../config.ts';
import { endAll as endAllOf } from '../domain/end-all.ts';
import { halfWay } from '../domain/errors.ts';
import type { PaceOptions } from '../domain/pace.ts';
import type { SessionId } from '../domain/session-token.ts';
import {
  type Command,
  type CommandLine,
  fastFlag,
  jsonFlag,
  operatorFlag,
  readUser,
} from './command.ts';
import { notFound, refuseWrongPrefix } from './elsewhere.ts';
import { countOf, loggingEnds, whileEnding } from './ending.ts';
import { CommandError, EXIT_USAGE } from './failure.ts';
import { interrupted, interruptible } from './interruption.ts';
import { requireId } from './session-view.ts';
import type { Terminal } from './terminal.ts';
import { walkIds } from './walk-sessions.ts';
import { type OpenedRedis, withRedis } from './with-redis.ts';

export const end: Command = {
  summary: 'End a session, all sessions of a user, or all sessions',
  usage: ['end ID', 'end --user USER', 'end --all'],
  details: `
Their users are logged out. --user also ends a login that is under way. --all asks for confirmation,
unless --yes is given, and pauses for two thirds of the time, so that Redis can serve other clients.
Each end is reported as a line of JSON on stderr, in the format of the server's log, and as an entry
in the user's journal if there is one. Ctrl-C stops after the sessions that are being ended.`,
  settings: redisSettings,
  defaultPrefix: DEFAULT_PREFIX,
  flags: {
    user: { hint: 'USER', help: 'all sessions of this user' },
    all: { help: 'all sessions with the prefix' },
    yes: { help: 'do not ask for confirmation' },
    operator: operatorFlag,
    fast: fastFlag,
    json: jsonFlag,
  },
  operand: 'ID',
  async run(line, terminal) {
    const { config, flags } = line;
    const target = targetOf(line, terminal);
    const by = `cli ${line.operator}`;
    await withRedis(
      config,
      async (redis) => {
        if (target.all && !(await isConfirmed(line, redis, terminal))) {
          throw new CommandError(EXIT_USAGE, 'nothing was ended: the answer is not the prefix');
        }
        const ended = await endAll(target, by, line, redis);
        const { id = null, user = null } = target;
        if (flags.json) {
          await terminal.json({ id, user, ...(target.all && { prefix: config.prefix }), ended });
        } else if (id !== null) await terminal.line(`Ended ${id}.`);
        else {
          await terminal.line(`Ended ${countOf(ended)}${user === null ? '' : ` of ${user}`}.`);
        }
        if (ended === 0) await refuseWrongPrefix(redis.inspection, config.prefix, terminal);
      },
      await loggingEnds(terminal),
    );
  },
};

interface Target {
  readonly id?: SessionId;
  readonly user?: string;
  readonly all?: true;
}

function targetOf({ config, flags, operand }: CommandLine, terminal: Terminal): Target {
  const user = readUser(flags);
  const given = [user, operand, flags.all].filter((one) => one !== undefined);
  if (given.length !== 1) {
    throw new ConfigError('end needs exactly one of ID, --user USER and --all');
  }
  if (user !== undefined) return { user };
  if (operand !== undefined) return { id: requireId(operand, config.prefix) };
  if (!flags.yes && !terminal.canAsk) {
    throw new ConfigError('end --all needs --yes if there is no terminal to ask on');
  }
  return { all: true };
}

async function isConfirmed(
  { config, flags }: CommandLine,
  redis: OpenedRedis,
  terminal: Terminal,
): Promise<boolean> {
  if (flags.yes) return true;
  let sessions = 0;
  const endProgress = terminal.progress('alone', () => countOf(sessions));
  try {
    for await (const ids of walkIds(redis.inspection, paceOf(flags))) sessions += ids.length;
  } finally {
    endProgress();
  }
  if (sessions === 0) return true;
  const what = `This ends ${countOf(sessions)} with the prefix ${config.prefix} in ${redis.label}.`;
  const answer = await terminal.ask(`${what} Type ${config.prefix} to continue: `);
  return answer === config.prefix;
}

async function endAll(
  { id, user }: Target,
  by: string,
  { config, flags }: CommandLine,
  { service, inspection }: OpenedRedis,
): Promise<number> {
  try {
    if (user !== undefined) return await endEveryOf(user, service, by);
    if (id === undefined) return await endEvery(service, inspection, by, paceOf(flags));
    if (await service.end(id, { by })) return 1;
  } catch (error) {
    throw whileEnding(error);
  }
  throw await notFound(inspection, config.prefix, id);
}

function endEveryOf(user: string, service: OpenedRedis['service'], by: string): Promise<number> {
  return interruptible(async (stop) => {
    const ended = await service.deleteAll(user, { by, signal: stop });
    if (!stop.aborted) return ended;
    await service.journalWritten();
    throw interrupted(stop, ended);
  });
}

/** Sessions that are started meanwhile may be missed. Stops after a batch if a signal asks for it. */
export async function endEvery(
  service: OpenedRedis['service'],
  inspection: OpenedRedis['inspection'],
  by: string,
  options: PaceOptions,
): Promise<number> {
  return interruptible(async (stop) => {
    let ended = 0;
    async function* ids() {
      for await (const page of walkIds(inspection, options)) {
        if (stop.aborted) throw interrupted(stop, ended); // a long scan may find no session
        yield page;
      }
    }
    try {
      for await (const some of endAllOf(service, ids(), { by, ...options })) {
        ended += some;
        if (stop.aborted) throw interrupted(stop, ended);
      }
      return ended;
    } catch (error) {
      throw halfWay(error, ended);
    }
  });
}

function paceOf({ fast }: CommandLine['flags']): PaceOptions {
  return { fullSpeed: fast === true };
}
