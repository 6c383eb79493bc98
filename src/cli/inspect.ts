import { DEFAULT_PREFIX, redisSettings } from '../config.ts';
import { remainingSeconds } from '../domain/session.ts';
import { encodeSession } from '../domain/session-record.ts';
import { type Command, jsonFlag } from './command.ts';
import { notFound } from './elsewhere.ts';
import { CommandError, EXIT_NOT_FOUND } from './failure.ts';
import { requireId, sessionJson } from './session-view.ts';
import { withRedis } from './with-redis.ts';

export const inspect: Command = {
  summary: 'Show a session as Redis holds it',
  usage: ['inspect ID'],
  details: 'Hashes of secrets are left out. This does not keep the session alive.',
  settings: redisSettings,
  defaultPrefix: DEFAULT_PREFIX,
  flags: { json: jsonFlag },
  operand: 'ID',
  async run({ config, flags, operand }, terminal) {
    const id = requireId(operand, config.prefix);
    await withRedis(config, async ({ repository, inspection }) => {
      const key = config.prefix + id;
      const session = await repository.find(id);
      const broken = session === undefined ? await inspection.brokenRecord(id) : undefined;
      const record = session === undefined ? broken : encodeSession(session);
      if (record === undefined) throw await notFound(inspection, config.prefix, id);
      const commands = inspection.commandsFor(id);
      if (flags.json) {
        const known = session === undefined ? { id, key } : sessionJson(session, config.prefix);
        await terminal.json({ ...known, record, commands });
      } else {
        await terminal.line({ text: key, style: 'bold' });
        if (session !== undefined) await terminal.line(`TTL ${remainingSeconds(session)}`);
        await terminal.line();
        const width = Math.min(32, Math.max(...Object.keys(record).map((name) => name.length)));
        for (const [name, value] of Object.entries(record)) {
          await terminal.line({ text: name.padEnd(width), style: 'cyan' }, `  ${value}`);
        }
        await terminal.line();
        for (const command of commands) await terminal.line(command);
      }
      if (broken === undefined) return;
      throw new CommandError(
        EXIT_NOT_FOUND,
        `${key} is not a valid session: a field of Sojourn is missing or not a plain number; sojourn end removes it`,
      );
    });
  },
};
