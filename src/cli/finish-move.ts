import { type Config, ConfigError } from '../config.ts';
import type { CommandLine } from './command.ts';
import { countOf, loggingEnds, whileEnding } from './ending.ts';
import { CommandError, EXIT_UNAVAILABLE, EXIT_USAGE } from './failure.ts';
import { duration } from './format.ts';
import { type Left, leftIn, sentenceOf } from './left-behind.ts';
import type { Terminal } from './terminal.ts';
import { withRedis } from './with-redis.ts';

/**
 * Where servers move sessions, each use takes one out of the old place. One that was used there so lately may tell of a server
 * that does not, and would begin others there.
 */
const IN_USE_SECONDS = 60;

/** Ends what is left in the old place, once nobody uses it any more and somebody has agreed. */
export async function finishMove(
  from: Config,
  line: CommandLine,
  terminal: Terminal,
): Promise<void> {
  const { flags } = line;
  if (!flags.yes && !terminal.canAsk) {
    throw new ConfigError('move finish needs --yes where there is no terminal to ask on');
  }
  await withRedis(
    from,
    async (redis) => {
      await redis.ready();
      const behind = leftIn(redis, from.prefix, line);
      const left = await behind.look();
      refuseInUse(left);
      refuseUnfinished(left, line);
      if (left.left > 0 && !flags.yes) {
        const what = `${sentenceOf(left)} This ends them, at ${behind.prefix} in ${redis.label}.`;
        const answer = await terminal.ask(`${what} Type ${behind.prefix} to go on: `);
        if (answer !== behind.prefix) {
          throw new CommandError(EXIT_USAGE, 'nothing was ended: that is not the prefix');
        }
      }
      const ended = await behind.end(`cli ${line.operator}`).catch((error: unknown) => {
        throw whileEnding(error);
      });
      if (flags.json) await terminal.json({ ...left, ended });
      else {
        const what = ended === 0 ? sentenceOf(left) : `Ended ${countOf(ended)}.`;
        await terminal.line(`${what} Servers can do without the old place now.`);
      }
    },
    await loggingEnds(terminal),
  );
}

/** Nobody could open them any more without what the old place remembers of them. */
function refuseUnfinished({ unfinished }: Left, { flags }: CommandLine): void {
  if (unfinished === 0) return;
  const isOld = flags['from-connect-redis'] !== undefined;
  const how = isOld ? 'the program that calls moveSessions' : 'sojourn move';
  throw new CommandError(
    EXIT_UNAVAILABLE,
    `nothing was ended, because the move of ${countOf(unfinished)} was not finished. Run ${how} first, which finishes it`,
  );
}

function refuseInUse({ last_used }: Left): void {
  if (last_used === null || last_used >= IN_USE_SECONDS) return;
  throw new CommandError(
    EXIT_UNAVAILABLE,
    `nothing was ended, because a session in the old place was used ${duration(last_used)} ago. If every server moves sessions by now, try again in a minute; otherwise some server still uses the old place`,
  );
}
