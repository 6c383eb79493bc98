import {
  alone,
  connectOnce,
  destroy,
  type NodeRedis,
  type NodeRedisPool,
  type NodeRedisSentinel,
  runScript,
  send,
  timeoutOf,
  unavailable,
  whereIs,
} from './node-redis-client.ts';
import { type ConnectionSource, NodeRedisStanding } from './node-redis-standing.ts';
import type {
  ConnectionEvents,
  OwnCommands,
  RedisCommands,
  RedisScript,
  RedisServer,
  SentCommand,
  StandingConnection,
  Whereabouts,
} from './redis-commands.ts';
import { setTolerantTimeout } from './tolerant-timeout.ts';

type Argument = string | number;

/** How to get a connection to the single server. */
export interface Lender extends ConnectionSource {
  /** Runs the work on a connection, at most once, or rejects with `StoreUnavailableError`. */
  lend<T>(work: (client: NodeRedis) => Promise<T>): Promise<T>;
  whereabouts(): Whereabouts | undefined;
}

/** node-redis 5 and 6 with a single server: a client, a pool or a sentinel client. */
export class NodeRedisCommands implements RedisCommands {
  readonly isCluster = false;
  readonly #lender: Lender;
  readonly #hearing: ((sent: SentCommand) => void)[] = [];

  constructor(lender: Lender) {
    this.#lender = lender;
  }

  script(script: RedisScript, key: string, args: readonly Argument[]): Promise<unknown> {
    return runScript(script, key, args, (words) => this.#send(words));
  }

  command(name: string, key: string, args: readonly Argument[]): Promise<unknown> {
    return this.#send([name, key, ...args.map(String)]);
  }

  async primaries(): Promise<readonly RedisServer[]> {
    const { path, host, port } = await this.#lender.lend(async (client) => whereIs(client));
    return [
      {
        name: path ?? `${host}:${port}`,
        command: (name, args) => this.#send([name, ...args.map(String)]),
        stayConnected: (events) => this.stayConnected(events),
      },
    ];
  }

  async findPrimaries(): Promise<void> {}

  primaryOf(): undefined {
    return undefined;
  }

  async openOwn(waitMs: number): Promise<OwnCommands> {
    const timeoutMs = waitMs + this.#lender.timeoutMs;
    const client = await this.#lender.lend(async (shared) =>
      shared.duplicate({
        ...alone,
        disableOfflineQueue: true,
        commandOptions: { timeout: timeoutMs },
        // A new connection, perhaps to a new primary, would know nothing about earlier writes and WAIT for nothing.
        socket: { ...shared.options.socket, reconnectStrategy: false },
      }),
    );
    await connectOnce(client, timeoutMs);
    const commands = new NodeRedisCommands(lenderOfClient(client));
    return {
      commands,
      async waitForReplicas(replicas, timeoutMs) {
        const count = await commands.#send(['WAIT', String(replicas), String(timeoutMs)]);
        return typeof count === 'number' && count >= replicas;
      },
      close: () => destroy(client),
    };
  }

  stayConnected(events: ConnectionEvents): StandingConnection {
    return new NodeRedisStanding(this.#lender, events);
  }

  whereabouts(): Whereabouts | undefined {
    return this.#lender.whereabouts();
  }

  observe(hear: (sent: SentCommand) => void): void {
    this.#hearing.push(hear);
  }

  #send(words: readonly string[]): Promise<unknown> {
    const { timeoutMs, lend } = this.#lender;
    const answer = lend((client) => send(client, words, timeoutMs));
    for (const hear of this.#hearing) hear({ words, answer });
    return answer;
  }
}

export function lenderOfClient(client: NodeRedis): Lender {
  return {
    timeoutMs: timeoutOf(client),
    lend: (work) => work(client),
    whereabouts: () => whereIs(client),
    duplicate: async (overrides) => client.duplicate(overrides(client.options)),
    onLost(lost) {
      client.on('reconnecting', lost);
      client.on('end', lost);
      return () => {
        client.off('reconnecting', lost);
        client.off('end', lost);
      };
    },
  };
}

export function lenderOfPool(pool: NodeRedisPool): Lender {
  const timeoutMs = timeoutOf(pool);
  const lend: Lender['lend'] = (work) => lendOnce(timeoutMs, work, (task) => pool.execute(task));
  return {
    timeoutMs,
    lend,
    whereabouts: () => undefined,
    duplicate: (overrides) => lend(async (client) => client.duplicate(overrides(client.options))),
    onLost(lost) {
      pool.on('error', lost); // an error of any of its connections
      return () => pool.off('error', lost);
    },
  };
}

export function lenderOfSentinel(sentinel: NodeRedisSentinel): Lender {
  const timeoutMs = timeoutOf(sentinel);
  const lend: Lender['lend'] = (work) =>
    lendOnce(timeoutMs, work, (task) => sentinel._execute(false, task));
  return {
    timeoutMs,
    lend,
    whereabouts: () => undefined,
    duplicate: (overrides) => lend(async (client) => client.duplicate(overrides(client.options))),
    onLost(lost) {
      sentinel.on('topology-change', lost);
      return () => sentinel.off('topology-change', lost);
    },
  };
}

/**
 * Runs the work on a lent connection. Work that waits too long for a connection is not done any more, and work that has
 * begun is not begun again: a sentinel client would repeat failed work after it has found the next primary, whether or
 * not the last one had done it.
 */
function lendOnce<T>(
  timeoutMs: number,
  work: (client: NodeRedis) => Promise<T>,
  execute: (task: (client: NodeRedis) => Promise<unknown>) => Promise<unknown>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let begun = false;
    const refuse = (error: unknown) => {
      if (!begun) reject(unavailable(error, 'refused'));
    };
    let timer: NodeJS.Timeout | undefined;
    const giveUp = () => {
      refuse(new Error(`no connection within ${timeoutMs} ms`));
      begun = true;
    };
    setTolerantTimeout(giveUp, timeoutMs, (next) => {
      timer = next;
    });
    execute((client) => {
      if (begun) return Promise.resolve();
      begun = true;
      clearTimeout(timer);
      const done = work(client);
      done.then(resolve, reject);
      return done;
    })
      .catch(refuse)
      .finally(() => clearTimeout(timer));
  });
}
