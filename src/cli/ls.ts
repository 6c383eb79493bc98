import { DEFAULT_PREFIX, redisSettings } from '../config.ts';
import { printable } from '../domain/printable.ts';
import { remainingSeconds, type Session } from '../domain/session.ts';
import { type Command, fastFlag, jsonFlag, readCount, readUser } from './command.ts';
import { refuseWrongPrefix } from './elsewhere.ts';
import { duration, number, shorten } from './format.ts';
import { filterFlags, readFilter } from './session-filter.ts';
import { secondsSince, sessionJson } from './session-view.ts';
import { pagesOfUser, walkSessions } from './walk-sessions.ts';
import { withRedis } from './with-redis.ts';

export const ls: Command = {
  summary: 'List sessions',
  usage: ['ls'],
  details: `
Lists all sessions with the prefix, in no particular order, as they are found; with --user, the oldest
first. Several filters must all match.
LEFT is the time until the session ends if it is not used, IDLE the time since its last use, AGE the
time since its start. ls pauses for two thirds of the time, so that Redis can serve other clients.
--json prints one object per line.`,
  settings: redisSettings,
  defaultPrefix: DEFAULT_PREFIX,
  flags: {
    user: { hint: 'USER', help: 'only sessions of this user' },
    ...filterFlags,
    limit: { hint: 'N', help: 'maximum number of sessions' },
    fast: fastFlag,
    json: jsonFlag,
  },
  async run({ config, flags }, terminal) {
    const user = readUser(flags);
    const limit = readCount('limit', flags);
    const isWanted = readFilter(flags);
    await withRedis(config, async (redis) => {
      const pages =
        user === undefined
          ? walkSessions(redis, { fullSpeed: flags.fast === true })
          : pagesOfUser(redis.service, user, isWanted === undefined ? limit : undefined);
      let listed = 0;
      const endProgress = terminal.progress('among lines', () => `${number(listed)} sessions`);
      try {
        if (!flags.json) {
          await terminal.line({
            text: columns('ID', 'LEFT', 'IDLE', 'AGE', 'DEVICE', 'USER'),
            style: 'bold',
          });
        }
        for await (const page of pages) {
          for (const session of page) {
            if (isWanted?.(session, redis.now()) === false) continue;
            await (flags.json
              ? terminal.json(sessionJson(session, config.prefix))
              : terminal.line(row(session, redis.now())));
            listed += 1;
            if (listed === limit) return;
          }
        }
      } finally {
        endProgress();
      }
      if (listed === 0) await refuseWrongPrefix(redis.inspection, config.prefix, terminal);
    });
  },
};

function row(session: Session, now: number): string {
  return columns(
    session.id,
    duration(remainingSeconds(session)),
    duration(secondsSince(session.lastAccessedAt, now)),
    duration(secondsSince(session.createdAt, now)),
    session.device.label ?? '-',
    session.user ?? '-',
  );
}

/** `--json` and `inspect` show the full text. */
const DEVICE_WIDTH = 22;

// The widths are fixed, because rows are printed as they are found. Text from users comes last: it may be long or
// contain wide characters.
function columns(
  id: string,
  left: string,
  idle: string,
  age: string,
  device: string,
  user: string,
): string {
  const times = `${left.padEnd(9)}${idle.padEnd(9)}${age.padEnd(9)}`;
  return `${id.padEnd(22)}  ${times}${shorten(printable(device), DEVICE_WIDTH).padEnd(DEVICE_WIDTH)}  ${user}`;
}
