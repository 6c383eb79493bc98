import { DEFAULT_PREFIX, redisSettings } from '../config.ts';
import { encodeSession } from '../domain/session-record.ts';
import { type Command, requireUser } from './command.ts';
import { refuseWrongPrefix } from './elsewhere.ts';
import { entryJson } from './journal.ts';
import { sessionJson } from './session-view.ts';
import type { Terminal } from './terminal.ts';
import { pagesOfUser } from './walk-sessions.ts';
import { withRedis } from './with-redis.ts';

/** More than any journal holds. */
const ALL = 10_000;

export const exportUser: Command = {
  summary: 'Print all data kept about a user, as JSON',
  usage: ['export --user USER'],
  details: `
Prints one object: the user's sessions with all their fields, without hashes of secrets, and the
journal, as a person may request (GDPR, article 15).`,
  settings: redisSettings,
  defaultPrefix: DEFAULT_PREFIX,
  flags: { user: { hint: 'USER', help: 'user to export' } },
  async run({ config, flags }, terminal) {
    const user = requireUser('export', flags);
    await withRedis(config, async ({ service, inspection, now }) => {
      const entries = await service.journal(user, { limit: ALL });
      const head = { user, prefix: config.prefix, exported_at: new Date(now()).toISOString() };
      await terminal.line(`${JSON.stringify(head).slice(0, -1)},"sessions":[`);
      const sessions = new JsonList(terminal);
      // Page by page, because there may be very many.
      for await (const page of pagesOfUser(service, user)) {
        for (const session of page) {
          const record = encodeSession(session);
          await sessions.add({ ...sessionJson(session, config.prefix), record });
        }
      }
      await sessions.end('],"journal":[');
      const journal = new JsonList(terminal);
      for (const entry of entries) await journal.add(entryJson(entry));
      await journal.end(']}');
      if (entries.length + sessions.length === 0) {
        await refuseWrongPrefix(inspection, config.prefix, terminal);
      }
    });
  },
};

/** The elements of a JSON list, one per line. */
class JsonList {
  readonly #terminal: Terminal;
  #last: string | undefined;
  length = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  async add(element: unknown): Promise<void> {
    if (this.#last !== undefined) await this.#terminal.line(`${this.#last},`);
    this.#last = JSON.stringify(element);
    this.length += 1;
  }

  async end(after: string): Promise<void> {
    if (this.#last !== undefined) await this.#terminal.line(this.#last);
    await this.#terminal.line(after);
  }
}
