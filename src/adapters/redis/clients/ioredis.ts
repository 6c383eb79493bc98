import type { Cluster, Command, Redis, RedisOptions } from 'ioredis';
import { ioredis, plainRedisError, storeUnavailable } from '../redis-errors.ts';
import { isCluster } from './ioredis-cluster.ts';
import { tolerateEventLoopDelay } from './ioredis-event-loop-delay.ts';
import { openOwnIoredis } from './ioredis-own.ts';
import { askAgainAfterFailover } from './ioredis-sentinel-connector.ts';
import { endSocketTimerWithSocket } from './ioredis-socket-timer.ts';
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

type Argument = string | number;
type Run = (key: string, ...args: readonly Argument[]) => Promise<unknown>;

/** ioredis 5 and 6 and iovalkey: `Redis`, also behind Sentinel, and `Cluster`. */
export class IoredisCommands implements RedisCommands {
  readonly isCluster: boolean;
  readonly #client: Redis | Cluster;
  readonly #direct: object;
  readonly #scripts = new Map<RedisScript, Run>();

  constructor(client: Redis | Cluster) {
    this.#client = client;
    this.#direct = withoutPipeline(client);
    this.isCluster = isCluster(client);
  }

  script(script: RedisScript, key: string, args: readonly Argument[]): Promise<unknown> {
    const run = this.#scripts.get(script) ?? this.#define(script);
    return run.call(this.#direct, key, ...args).catch(unavailable(this.#client));
  }

  command(name: string, key: string, args: readonly Argument[]): Promise<unknown> {
    return send(this.#client, name, [key, ...args]);
  }

  async primaries(): Promise<readonly RedisServer[]> {
    const nodes = this.#nodes();
    if (nodes.length === 0) {
      throw storeUnavailable(new Error('The cluster is not connected'), 'refused');
    }
    return nodes.map((node) => {
      const { path, host, port } = whereIs(node);
      return {
        name: path ?? `${host}:${port}`,
        command: (name, args) => send(node, name, args),
        stayConnected: (events) => stayConnected(node, events),
      };
    });
  }

  async findPrimaries(): Promise<void> {
    const client = this.#client;
    if (!isCluster(client)) return;
    await new Promise<void>((resolve, reject) => {
      client.refreshSlotsCache((error) =>
        error ? reject(storeUnavailable(error, undefined, ioredis(client))) : resolve(),
      );
    });
  }

  primaryOf(slot: number): string | undefined {
    const client = this.#client;
    return isCluster(client) ? client.slots[slot]?.[0] : undefined;
  }

  openOwn(waitMs: number): Promise<OwnCommands> {
    return openOwnIoredis(this.#client, waitMs, (client) => new IoredisCommands(client));
  }

  stayConnected(events: ConnectionEvents): StandingConnection {
    const client = this.#client;
    if (isCluster(client)) throw new Error('A cluster is more than one server.');
    return stayConnected(client, events);
  }

  whereabouts(): Whereabouts | undefined {
    const node = this.#nodes()[0];
    return node && whereIs(node);
  }

  observe(hear: (sent: SentCommand) => void): void {
    const client = this.#client;
    const send = client.sendCommand.bind(client) as (command: Command, ...rest: never) => unknown;
    client.sendCommand = (command: Command, ...rest: never) => {
      const answer = send(command, ...rest);
      // Only sending decides between EVALSHA and EVAL, which contains the script.
      hear({ words: [command.name, ...command.args].map(String), answer: command.promise });
      return answer;
    };
  }

  #nodes(): readonly Redis[] {
    const client = this.#client;
    return isCluster(client) ? client.nodes('master') : [client];
  }

  /** ioredis sends the digest, and then the text if Redis does not know the digest. */
  #define(script: RedisScript): Run {
    const { name, lua } = script;
    this.#client.defineCommand(name, { numberOfKeys: 1, lua });
    const run = (this.#client as unknown as Record<string, Run>)[name] as Run; // defined by defineCommand
    this.#scripts.set(script, run);
    return run;
  }
}

/**
 * Calls the method with that name: `call` takes upper-case names for unknown ones, and iovalkey sends none to a
 * subscriber.
 */
function send(client: Redis | Cluster, name: string, args: readonly Argument[]): Promise<unknown> {
  const method = (
    client as unknown as Record<string, (...args: readonly Argument[]) => Promise<unknown>>
  )[name.toLowerCase()];
  if (method === undefined) throw new TypeError(`This client has no command ${name}.`);
  return method.call(withoutPipeline(client), ...args).catch(unavailable(client));
}

/**
 * The object on which commands are called. With `enableAutoPipelining` ioredis collects all commands of one turn in a
 * pipeline, and fails if a script is defined or lost meanwhile. Whether it does so depends only on the `this` of a
 * command.
 */
function withoutPipeline(client: Redis | Cluster): object {
  if (!client.options.enableAutoPipelining) return client;
  const sendCommand = (command: Command) => client.sendCommand(command);
  return { options: { ...client.options, enableAutoPipelining: false }, sendCommand };
}

function unavailable(client: object): (error: unknown) => never {
  return (error) => {
    throw storeUnavailable(error, undefined, ioredis(client));
  };
}

function stayConnected(client: Redis, events: ConnectionEvents): StandingConnection {
  const connection = client.duplicate({
    // Otherwise it would resubscribe by itself before Redis was told to track. Each new connection begins with `ready`.
    autoResubscribe: false,
    enableOfflineQueue: false,
    // Commands without an answer are not sent again on the next connection.
    maxRetriesPerRequest: 0,
    lazyConnect: false,
    // Nodes of a cluster have no retry strategy, because the cluster replaces them.
    retryStrategy: client.options.retryStrategy ?? retryDelay,
    readOnly: false,
    ...resp2,
  });
  endSocketTimerWithSocket(connection);
  tolerateEventLoopDelay(connection);
  askAgainAfterFailover(connection);
  const commands = new IoredisCommands(connection);
  const renew = () => {
    events.lost();
    if (connection.status === 'ready') connection.disconnect(true); // otherwise it is already reconnecting
  };
  connection.on('error', (error) => events.failed(plainRedisError(error)));
  connection.on('ready', () => events.ready());
  connection.on('close', () => events.lost());
  connection.on('messageBuffer', (channel: Buffer, message: Buffer | Buffer[] | null) => {
    events.heard(
      String(channel),
      Array.isArray(message) ? message.map(String) : message && String(message),
    );
  });
  client.on('close', renew);
  return {
    database: client.options.db ?? 0,
    command: (name, args) => send(connection, name, args),
    script: (script, key, args) => commands.script(script, key, args),
    async subscribe(channel) {
      await connection.subscribe(channel).catch(unavailable(connection));
    },
    renew,
    close() {
      client.off('close', renew);
      connection.disconnect();
    },
  };
}

function retryDelay(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 5), 1000);
}

// ioredis 6 uses RESP3 by default. Redis then pushes invalidations, and 6.0 drops pushed messages.
const resp2 = { protocol: 2, replyMapping: 'legacy' } as RedisOptions;

/** Behind Sentinel, the server that it led to. */
function whereIs({ options, stream }: Redis): Whereabouts {
  const led = options.sentinels ? stream : undefined;
  return {
    host: led?.remoteAddress ?? options.host ?? 'localhost',
    port: led?.remotePort ?? options.port ?? 6379,
    path: options.path || undefined,
    db: options.db ?? 0,
    tls: options.tls !== undefined,
    username: options.username || undefined,
    password: Boolean(options.password),
  };
}
