import { DEFAULT_PREFIX, redisSettings } from '../config.ts';
import type { JournalEntry } from '../ports/session-journal.ts';
import { type Command, jsonFlag, readCount, requireUser } from './command.ts';
import { refuseWrongPrefix } from './elsewhere.ts';
import { readSince } from './moments.ts';
import { withRedis } from './with-redis.ts';

const DEFAULT_LIMIT = 100;

export const journal: Command = {
  summary: "Show what happened to a user's sessions, why and by whom",
  usage: ['journal --user USER'],
  details: `
Newest entries first, times in UTC. A session that expired is shown as such next to its last entry,
with the latest time at which it can have ended. There is a journal only if the server or the
application keeps one.`,
  settings: redisSettings,
  defaultPrefix: DEFAULT_PREFIX,
  flags: {
    user: { hint: 'USER', help: 'user to show' },
    since: { hint: 'TIME', help: 'only entries since then: 2h, 7d, 2026-04-02T14:03' },
    limit: { hint: 'N', help: `maximum number of entries (${DEFAULT_LIMIT})` },
    json: jsonFlag,
  },
  async run({ config, flags }, terminal) {
    const user = requireUser('journal', flags);
    const sinceWhen = readSince('since', flags);
    const asked = readCount('limit', flags);
    const limit = asked ?? DEFAULT_LIMIT;
    await withRedis(config, async ({ service, inspection, now }) => {
      const since = sinceWhen?.(now());
      const found = await service.journal(user, { since, limit: limit + 1 });
      const entries = found.slice(0, limit);
      if (flags.json) for (const entry of entries) await terminal.json(entryJson(entry));
      else {
        await terminal.table([
          ['TIME', 'EVENT', 'WHY', 'BY', 'SESSION', 'REQUEST', 'DEVICE'],
          ...rows(entries),
        ]);
      }
      if (asked === undefined && found.length > limit) {
        terminal.note(
          `there are older entries: these are the newest ${limit}; --limit N shows more, --since TIME those of a period`,
        );
      }
      if (entries.length === 0) await refuseWrongPrefix(inspection, config.prefix, terminal);
    });
  },
};

/** An entry for programs. Unknown values are `null`. */
export function entryJson(entry: JournalEntry): Record<string, unknown> {
  const { at, event, sessionId, why = null, by = null, device, requestId = null } = entry;
  const { label = null, userAgent = null, address = null } = device ?? {};
  return {
    time: new Date(at).toISOString(),
    event,
    sessionId,
    why,
    by,
    everywhere: entry.everywhere ?? false,
    device: device === undefined ? null : { label, user_agent: userAgent, address },
    requestId,
  };
}

function rows(entries: readonly JournalEntry[]): string[][] {
  const devices = new Map(
    entries.flatMap(({ sessionId, device }) => (device ? [[sessionId, device] as const] : [])),
  );
  return entries.map((entry) => {
    const { label, userAgent, address } = devices.get(entry.sessionId) ?? {};
    const device = [label ?? userAgent, address].filter((part) => part !== undefined);
    return [
      new Date(entry.at).toISOString().slice(0, 19).replace('T', ' '),
      entry.event,
      whyOf(entry),
      entry.by ?? '-',
      entry.sessionId,
      entry.requestId ?? '-',
      device.join(', ') || '-',
    ];
  });
}

function whyOf({ why, everywhere }: JournalEntry): string {
  if (why === 'expired') return 'expired by then';
  return why === undefined ? '-' : why + (everywhere ? ', everywhere' : '');
}
