import { setTimeout } from 'node:timers/promises';
import { DEFAULT_PREFIX, redisSettings } from '../config.ts';
import { reasonOf, StoreUnavailableError } from '../domain/errors.ts';
import { type Command, jsonFlag, operatorFlag, requireUser } from './command.ts';
import { refuseWrongPrefix } from './elsewhere.ts';
import { countOf, loggingEnds, whileEnding } from './ending.ts';
import { CommandError, EXIT_UNAVAILABLE } from './failure.ts';
import { number } from './format.ts';
import { interrupted, interruptible } from './interruption.ts';
import { type OpenedRedis, withRedis } from './with-redis.ts';

/** Longer than a server, by default, waits for Redis before it gives up an entry. */
const SETTLE_MS = 1500;

const MAY_EXIST = 'the journal may still exist';

export const erase: Command = {
  summary: "End all sessions of a user and delete the user's journal",
  usage: ['erase --user USER'],
  details: `
Ends the user's sessions with all their data, and deletes the journal and the list of the user's
sessions, as a person may request (GDPR, article 17). Logs and backups are not affected. A later
login starts new records.`,
  settings: redisSettings,
  defaultPrefix: DEFAULT_PREFIX,
  flags: { user: { hint: 'USER', help: 'user to erase' }, operator: operatorFlag, json: jsonFlag },
  async run({ config, flags, operator }, terminal) {
    const user = requireUser('erase', flags);
    await withRedis(
      config,
      async (redis) => {
        const { ended, entries } = await interruptible((stop) =>
          eraseUser(redis, user, { by: `cli ${operator}`, signal: stop }),
        );
        if (flags.json) await terminal.json({ user, ended, journal_entries: entries });
        else {
          await terminal.line(
            `Ended ${countOf(ended)} of ${user}, and removed ${number(entries)} journal ${entries === 1 ? 'entry' : 'entries'}.`,
          );
        }
        if (ended + entries === 0)
          await refuseWrongPrefix(redis.inspection, config.prefix, terminal);
      },
      await loggingEnds(terminal),
    );
  },
};

interface Erasing {
  readonly by: string;
  /** Stops before the next step. */
  readonly signal: AbortSignal;
}

async function eraseUser(redis: OpenedRedis, user: string, erasing: Erasing) {
  const { signal } = erasing;
  let ended = await endAll(redis, user, erasing);
  let entries = await forget(redis, user, ended);
  // A server may have been writing an entry about something that happened just before, which started the journal again.
  await setTimeout(SETTLE_MS, undefined, { signal }).catch((error: unknown) => {
    throw signal.aborted ? interrupted(signal, ended, MAY_EXIST) : error;
  });
  ended += await endAll(redis, user, erasing, ended);
  entries += await forget(redis, user, ended);
  return { ended, entries };
}

async function endAll(
  { service }: OpenedRedis,
  user: string,
  { by, signal }: Erasing,
  endedBefore = 0,
): Promise<number> {
  const ended = await service.deleteAll(user, { by, signal }).catch((error: unknown) => {
    throw whileEnding(error);
  });
  if (!signal.aborted) return ended;
  await service.journalWritten();
  throw interrupted(signal, endedBefore + ended, MAY_EXIST);
}

/** The journal is erased last, when it contains the ends of the sessions. */
async function forget(
  { service, journal }: OpenedRedis,
  user: string,
  ended: number,
): Promise<number> {
  await service.journalWritten();
  try {
    return await journal.erase(user);
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    throw new CommandError(
      EXIT_UNAVAILABLE,
      `${countOf(ended)} ended, but ${MAY_EXIST}: run the command again. ${reasonOf(error)}`,
    );
  }
}
