import { Cluster, type Redis } from 'ioredis';
import { until } from './until.ts';

/** All keys of a Redis of one's own: those of every primary, where there are several. */
export class Keyspace {
  readonly #client: Redis | Cluster;

  constructor(client: Redis | Cluster) {
    this.#client = client;
  }

  async keys(): Promise<string[]> {
    return (await this.#each((primary) => primary.keys('*'))).flat();
  }

  async size(): Promise<number> {
    return sum(await this.#each((primary) => primary.dbsize()));
  }

  async clear(): Promise<void> {
    await this.#each((primary) => primary.flushall());
  }

  async keysWithoutExpiry(): Promise<string[]> {
    const keys = await this.keys();
    const ttls = await Promise.all(keys.map((key) => this.#client.pttl(key)));
    return keys.filter((_key, i) => ttls[i] === -1);
  }

  async forgetScripts(): Promise<void> {
    await this.#each((primary) => primary.script('FLUSH'));
  }

  async configure(setting: string, value: string): Promise<void> {
    await this.#each((primary) => primary.config('SET', setting, value));
  }

  /** How many commands on data were run so far. Not what servers and clients tell each other of themselves. */
  async commandsOnData(): Promise<number> {
    const counted =
      /^cmdstat_(?:eval|evalsha|exists|del|pexpire|pttl|hset|hget|hgetall|hdel|z\w+):calls=(\d+)/gm;
    const stats = await this.#each((primary) => primary.info('commandstats'));
    return sum([...stats.join('\n').matchAll(counted)].map(([, calls]) => Number(calls)));
  }

  async #each<T>(ask: (primary: Redis) => Promise<T>): Promise<T[]> {
    // The client that a test shares with its subject comes back by itself and queues nothing: what one test lost is
    // not to fail the next.
    await until('every primary is connected', async () =>
      this.#primaries().every(({ status }) => status === 'ready'),
    );
    return Promise.all(this.#primaries().map(ask));
  }

  #primaries(): Redis[] {
    return this.#client instanceof Cluster ? this.#client.nodes('master') : [this.#client];
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
