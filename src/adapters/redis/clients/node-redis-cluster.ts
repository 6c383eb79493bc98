import {
  abortedInTime,
  alone,
  connectOnce,
  destroy,
  type NodeRedis,
  type NodeRedisCluster,
  type NodeRedisMaster,
  runScript,
  send,
  timeoutOf,
  unavailable,
} from './node-redis-client.ts';
import { NodeRedisStanding } from './node-redis-standing.ts';
import type {
  OwnCommands,
  RedisCommands,
  RedisScript,
  RedisServer,
  SentCommand,
  StandingConnection,
  Whereabouts,
} from './redis-commands.ts';

type Argument = string | number;

/**
 * A cluster with node-redis 5 and 6. It resends a command only if a node answered MOVED or ASK and so did not run it.
 */
export class NodeRedisClusterCommands implements RedisCommands {
  readonly isCluster = true;
  readonly #cluster: NodeRedisCluster;
  readonly #timeoutMs: number;
  readonly #hearing: ((sent: SentCommand) => void)[] = [];

  constructor(cluster: NodeRedisCluster) {
    this.#cluster = cluster;
    this.#timeoutMs = timeoutOf(cluster);
  }

  script(script: RedisScript, key: string, args: readonly Argument[]): Promise<unknown> {
    return runScript(script, key, args, (words) => this.#send(key, words));
  }

  command(name: string, key: string, args: readonly Argument[]): Promise<unknown> {
    return this.#send(key, [name, key, ...args.map(String)]);
  }

  async primaries(): Promise<readonly RedisServer[]> {
    const { masters } = this.#cluster;
    if (masters.length === 0)
      throw unavailable(new Error('The cluster is not connected'), 'refused');
    return masters.map((master) => ({
      name: master.address,
      command: (name, args) =>
        abortedInTime(this.#timeoutMs, async (options) => {
          const client = await this.#clientOf(master);
          return client.sendCommand([name, ...args.map(String)], options);
        }),
      stayConnected: (events) =>
        new NodeRedisStanding(
          {
            timeoutMs: this.#timeoutMs,
            duplicate: async (overrides) => {
              const client = await this.#clientOf(master);
              return client.duplicate(overrides(client.options));
            },
            onLost: () => () => {}, // the cluster replaces lost clients
          },
          events,
        ),
    }));
  }

  async findPrimaries(): Promise<void> {
    const connected = this.#cluster.masters.find(({ client }) => client?.isReady)?.client;
    if (connected === undefined) return; // no node can be asked
    await this.#cluster._slots.rediscover(connected).catch((error) => {
      throw unavailable(error);
    });
  }

  primaryOf(slot: number): string | undefined {
    return this.#cluster.slots[slot]?.master.address;
  }

  async openOwn(waitMs: number): Promise<OwnCommands> {
    const timeoutMs = waitMs + this.#timeoutMs;
    const { defaults } = this.#cluster._options;
    const cluster = this.#cluster.duplicate({
      rootNodes: this.#rootNodes(),
      // Replicas are waited for on the nodes that were written to.
      minimizeConnections: true,
      commandOptions: { timeout: timeoutMs },
      defaults: {
        ...defaults,
        ...alone,
        disableOfflineQueue: true,
        // A new connection, perhaps to a new primary, would know nothing about earlier writes and WAIT for nothing.
        socket: { ...defaults?.socket, reconnectStrategy: false },
      },
    });
    const used = new Set<NodeRedis>();
    const remember = () => {
      for (const { client } of cluster.masters) if (client !== undefined) used.add(client);
    };
    let isWhole = true;
    for (const event of ['node-error', 'node-reconnecting', 'node-disconnect']) {
      cluster.on(event, () => {
        isWhole = false; // its replacement would know nothing about earlier writes
      });
    }
    await connectOnce(cluster, timeoutMs);
    const commands = new NodeRedisClusterCommands(cluster);
    commands.observe(({ answer }) => {
      remember();
      answer.then(remember, remember);
    });
    return {
      commands,
      async waitForReplicas(replicas, timeoutMs) {
        remember();
        const words = ['WAIT', String(replicas), String(timeoutMs)];
        const counts = await Promise.all(
          [...used].map((client) => send(client, words, commands.#timeoutMs)),
        );
        return isWhole && counts.every((count) => typeof count === 'number' && count >= replicas);
      },
      close: () => destroy(cluster),
    };
  }

  stayConnected(): StandingConnection {
    throw new Error('A cluster is more than one server.');
  }

  whereabouts(): Whereabouts | undefined {
    const master = this.#cluster.masters[0];
    if (master === undefined) return undefined;
    const { socket, username, password } = this.#cluster._options.defaults ?? {};
    return {
      host: master.host,
      port: master.port,
      path: undefined,
      db: 0,
      tls: socket?.tls === true,
      username: username || undefined,
      password: Boolean(password),
    };
  }

  observe(hear: (sent: SentCommand) => void): void {
    this.#hearing.push(hear);
  }

  /**
   * Where to ask for the slots: the primaries, because other root nodes may no longer exist. If the application gave
   * more than an address, its own root nodes.
   */
  #rootNodes(): readonly object[] {
    const { rootNodes, nodeAddressMap } = this.#cluster._options;
    const { masters } = this.#cluster;
    const [first] = rootNodes;
    if (masters.length === 0 || nodeAddressMap || first === undefined || first.url)
      return rootNodes;
    return masters.map(({ host, port }) => ({ ...first, socket: { ...first.socket, host, port } }));
  }

  /**
   * The cluster's own client for this primary. The cluster creates another one if it has discovered the address again;
   * for a node that it has dropped, it would create a client that nobody closes.
   */
  async #clientOf({ address }: NodeRedisMaster): Promise<NodeRedis> {
    const master = this.#cluster.masters.find((one) => one.address === address);
    if (master === undefined)
      throw unavailable(new Error('This node is no longer a primary'), 'refused');
    return this.#cluster.nodeClient(master);
  }

  #send(key: string, words: readonly string[]): Promise<unknown> {
    const answer = abortedInTime(this.#timeoutMs, (options) =>
      this.#cluster.sendCommand(key, false, words, options),
    );
    for (const hear of this.#hearing) hear({ words, answer });
    return answer;
  }
}
