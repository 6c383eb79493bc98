import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import type { SentCommand } from '../clients/redis-commands.ts';
import { commandsOf, type RedisClient } from '../clients/tell-apart.ts';
import { journalScripts } from '../redis-journal.ts';
import { indexScripts } from '../redis-user-index.ts';
import { scripts } from '../scripts.ts';

/** The commands that a piece of work sent to Redis. */
export interface CommandCost {
  /** All commands in the order in which they were sent, as one would type them, without hashes of secrets. */
  readonly commands: readonly string[];
  /** How often the work had to wait: commands that are under way together count once. */
  readonly roundTrips: number;
  /** Milliseconds during which at least one command was under way. */
  readonly waitedMs: number;
}

interface Tally {
  readonly commands: string[];
  roundTrips: number;
  waitedMs: number;
  underWay: number;
  since: number;
}

/** Records the commands that each piece of work sends to Redis, even while others use the same connection. */
export class CommandTrace {
  readonly #tallies = new AsyncLocalStorage<Tally>();

  /** Observes the client for as long as it exists. */
  constructor(client: RedisClient) {
    commandsOf(client).observe((sent) => {
      const tally = this.#tallies.getStore();
      if (tally !== undefined) begin(tally, sent);
    });
  }

  async during<T>(work: () => Promise<T>): Promise<{ answer: T; cost: CommandCost }> {
    const tally: Tally = { commands: [], roundTrips: 0, waitedMs: 0, underWay: 0, since: 0 };
    const answer = await this.#tallies.run(tally, work);
    const { commands, roundTrips, waitedMs } = tally;
    return { answer, cost: { commands, roundTrips, waitedMs } };
  }
}

function begin(tally: Tally, { words, answer }: SentCommand): void {
  tally.commands.push(typed(words));
  if (tally.underWay === 0) {
    tally.roundTrips += 1;
    tally.since = performance.now();
  }
  tally.underWay += 1;
  const settled = () => {
    tally.underWay -= 1;
    if (tally.underWay === 0) tally.waitedMs += performance.now() - tally.since;
  };
  answer.then(settled, settled);
}

const names = new Map<string, string>();
const texts = Object.entries({ ...scripts, ...indexScripts });
for (const { name, lua } of Object.values(journalScripts)) texts.push([name, lua]);
for (const [name, lua] of texts) {
  names.set(lua, name).set(createHash('sha1').update(lua).digest('hex'), name);
}

/** `EVALSHA sojournRead 1 session:<id> <secret's hash> ""`, with scripts by name. */
function typed([name = '', ...args]: readonly string[]): string {
  return [name.toUpperCase(), ...args.map(shown)].join(' ');
}

function shown(text: string): string {
  if (/^[\w-]{43}$/.test(text)) return "<secret's hash>"; // anything else of that shape may be hidden too
  return names.get(text) ?? (/^[^\s"']+$/.test(text) ? text : JSON.stringify(text));
}
