import { DEFAULT_PREFIX, redisSettings } from '../config.ts';
import { remainingSeconds, type Session } from '../domain/session.ts';
import type { SessionService } from '../domain/session-service.ts';
import { type Command, fastFlag, jsonFlag, readCount, readUser } from './command.ts';
import { elsewhere } from './elsewhere.ts';
import { duration, number } from './format.ts';
import { secondsSince, sessionJson } from './session-view.ts';
import { walkSessions } from './walk-sessions.ts';
import { withRedis } from './with-redis.ts';

export const ls: Command = {
  summary: 'List sessions',
  usage: ['ls'],
  details: `
All with the prefix: in no order, each as soon as it is found. With --user: the oldest first.
LEFT is the time until it ends unless it is used, IDLE since it was used, AGE since it was started.
It rests for two thirds of the time, for Redis to serve others. --json prints an object a line.`,
  settings: redisSettings,
  defaultPrefix: DEFAULT_PREFIX,
  flags: {
    user: { hint: 'USER', help: "only this user's" },
    limit: { hint: 'N', help: 'not more than so many' },
    fast: fastFlag,
    json: jsonFlag,
  },
  async run({ config, flags }, terminal) {
    const user = readUser(flags);
    const limit = readCount('limit', flags);
    await withRedis(config, async (redis) => {
      const pages =
        user === undefined
          ? walkSessions(redis, { fullSpeed: flags.fast === true })
          : pagesOf(redis.service, user, limit);
      const last = user === undefined ? 'USER' : 'DEVICE';
      let listed = 0;
      const endProgress = terminal.progress('among lines', () => `${number(listed)} sessions`);
      try {
        if (!flags.json) {
          await terminal.line({ text: columns('ID', 'LEFT', 'IDLE', 'AGE', last), style: 'bold' });
        }
        for await (const page of pages) {
          for (const session of page) {
            await (flags.json
              ? terminal.json(sessionJson(session, config.prefix))
              : terminal.line(row(session, last, redis.now())));
            listed += 1;
            if (listed === limit) return;
          }
        }
      } finally {
        endProgress();
      }
      const hint = listed === 0 ? await elsewhere(redis.inspection, config.prefix) : undefined;
      if (hint !== undefined) terminal.note(hint);
    });
  },
};

/** Large enough for the rests, which are taken within a page. */
const PAGE = 1000;

async function* pagesOf(
  service: SessionService,
  user: string,
  limit = Infinity,
): AsyncGenerator<Session[]> {
  let after: string | undefined;
  do {
    const page = await service.list(user, { limit: Math.min(limit, PAGE), after });
    yield page.sessions;
    after = page.next;
  } while (after !== undefined);
}

function row(session: Session, last: 'DEVICE' | 'USER', now: number): string {
  return columns(
    session.id,
    duration(remainingSeconds(session)),
    duration(secondsSince(session.lastAccessedAt, now)),
    duration(secondsSince(session.createdAt, now)),
    (last === 'USER' ? session.user : session.device.label) ?? '-',
  );
}

// The widths are known beforehand, as rows are not kept until the last is there. What users wrote comes last: it may be
// long, and of characters that are wider than one.
function columns(id: string, left: string, idle: string, age: string, last: string): string {
  return `${id.padEnd(22)}  ${left.padEnd(9)}${idle.padEnd(9)}${age.padEnd(9)}${last}`;
}
