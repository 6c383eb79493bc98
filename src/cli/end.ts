import { ConfigError, DEFAULT_PREFIX, redisSettings } from '../config.ts';
import { reasonOf, StoreUnavailableError } from '../domain/errors.ts';
import { type Command, type CommandLine, jsonFlag, readUser } from './command.ts';
import { elsewhere, notFound } from './elsewhere.ts';
import { CommandError, EXIT_UNAVAILABLE } from './failure.ts';
import { requireId } from './session-view.ts';
import { type OpenedRedis, withRedis } from './with-redis.ts';

export const end: Command = {
  summary: 'End a session, or all sessions of a user',
  usage: ['end ID', 'end --user USER'],
  details: `
Whoever uses them is logged out. With --user, a login that is under way is ended too.
Each session that ends is a line of JSON on stderr, for the log, as the server writes them.`,
  settings: redisSettings,
  defaultPrefix: DEFAULT_PREFIX,
  flags: { user: { hint: 'USER', help: "all of this user's" }, json: jsonFlag },
  operand: 'ID',
  async run(line, terminal) {
    const { config, flags } = line;
    const whose = target(line);
    const { logSessions } = await import('../observe.ts'); // not for --help
    const show = async (ended: number) => {
      if (flags.json) await terminal.json({ id: null, user: null, ...whose, ended });
      else if (whose.user === undefined) await terminal.line(`Ended ${whose.id}.`);
      else {
        await terminal.line(
          `Ended ${ended} ${ended === 1 ? 'session' : 'sessions'} of ${whose.user}.`,
        );
      }
    };
    await withRedis(
      config,
      async (redis) => {
        const ended = await endAll(redis, whose, config.prefix);
        await show(ended);
        const hint = ended === 0 ? await elsewhere(redis.inspection, config.prefix) : undefined;
        if (hint !== undefined) terminal.note(hint);
      },
      { register: logSessions },
    );
  },
};

type Target = { readonly id: string; user?: never } | { readonly user: string; id?: never };

function target({ config, flags, operand }: CommandLine): Target {
  const user = readUser(flags);
  if ((user === undefined) === (operand === undefined)) {
    throw new ConfigError('end takes an ID or --user USER: one of them');
  }
  return user === undefined ? { id: requireId(operand, config.prefix) } : { user };
}

async function endAll(
  { service, inspection }: OpenedRedis,
  { id, user }: Target,
  prefix: string,
): Promise<number> {
  try {
    if (user !== undefined) return await service.deleteAll(user);
    if (await service.end(id)) return 1;
  } catch (error) {
    if (!(error instanceof StoreUnavailableError) || error.outcome === 'refused') throw error;
    const { ended } = error;
    const what = ended
      ? `${ended} ${ended === 1 ? 'session has' : 'sessions have'} ended, others may have`
      : 'what was to end may have ended';
    throw new CommandError(
      EXIT_UNAVAILABLE,
      `Redis failed, and ${what}: say it again. ${reasonOf(error)}`,
    );
  }
  throw await notFound(inspection, prefix, id);
}
