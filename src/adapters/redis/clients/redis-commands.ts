/** A Lua script that works on one key. */
export interface RedisScript {
  /** What operators see in its place. */
  readonly name: string;
  readonly lua: string;
}

/**
 * All that Sojourn asks of a Redis client. Each client has an adapter, which is the only one to know its name.
 *
 * Whatever cannot be answered rejects with `StoreUnavailableError`: `refused` where the client or Redis says that the
 * command was not applied, `unknown` for all else. No command is sent a second time unless the first one was certainly
 * not applied.
 */
export interface RedisCommands {
  /** Whether the keys are spread over several primaries. */
  readonly isCluster: boolean;
  /**
   * Runs a script on a key: by its digest, and by its text where Redis does not know it. Never part of a pipeline or a
   * transaction, where that second attempt would come too late.
   */
  script(script: RedisScript, key: string, args: readonly (string | number)[]): Promise<unknown>;
  /** Runs a command whose first argument is a key, on the primary that has it. */
  command(name: string, key: string, args: readonly (string | number)[]): Promise<unknown>;
  /** Every server that keys are written to, as far as the client knows. */
  primaries(): Promise<readonly RedisServer[]>;
  /** Has the client look for them anew, on a cluster. */
  findPrimaries(): Promise<void>;
  /** Which of them, on a cluster, the client takes for the owner of a slot: its name. */
  primaryOf(slot: number): string | undefined;
  /**
   * Connects once more to the same place. The connection never reconnects: a new one would know nothing of what was
   * written on the old one. Connecting, and each command, may take as long as a command of the client may, and `waitMs`
   * longer, for which replicas will be waited for.
   */
  openOwn(waitMs: number): Promise<OwnCommands>;
  /**
   * Connects once more, to the one server that there is: on a cluster each primary has this for itself. When the client's
   * own connection breaks this one is given up too, since the next may lead to another server.
   */
  stayConnected(events: ConnectionEvents): StandingConnection;
  /** Where the client connects to; `undefined` where it keeps that to itself. */
  whereabouts(): Whereabouts | undefined;
  /** Tells of every command from now on, in the asynchronous context of whoever sends it. */
  observe(hear: (sent: SentCommand) => void): void;
}

/** One server of those that a client connects to. */
export interface RedisServer {
  /** `host:port` or a path. */
  readonly name: string;
  command(name: string, args: readonly (string | number)[]): Promise<unknown>;
  /** Connects once more, to this server. */
  stayConnected(events: ConnectionEvents): StandingConnection;
}

/** A connection that nobody else writes on. */
export interface OwnCommands {
  readonly commands: RedisCommands;
  /**
   * Whether so many replicas have what was written on this connection, on each server that it wrote to. Waits for at
   * most `timeoutMs`. Rejects when the connection is gone.
   */
  waitForReplicas(replicas: number, timeoutMs: number): Promise<boolean>;
  close(): void;
}

/** What happens to a standing connection. */
export interface ConnectionEvents {
  /** There is a new connection, of which the server knows nothing yet. */
  ready(): void;
  /** The connection is gone, or will be replaced. May come several times. */
  lost(): void;
  /** The connection failed; another attempt follows. The error carries no argument of a command, as passwords are. */
  failed(error: Error): void;
  /** What was published; Redis itself publishes lists of keys, or `null` for all keys. */
  heard(channel: string, message: string | readonly string[] | null): void;
}

/**
 * A connection that nobody else uses, and that is made again whenever it breaks. It speaks RESP2, whatever the client
 * does. Commands are sent on the connection that is there now, or rejected; none is sent again on the next one.
 */
export interface StandingConnection {
  /** The number of the database that the connection uses. */
  readonly database: number;
  command(name: string, args: readonly (string | number)[]): Promise<unknown>;
  /** As `RedisCommands.script`, on this connection. */
  script(script: RedisScript, key: string, args: readonly (string | number)[]): Promise<unknown>;
  /** From then on the connection takes no scripts, and of commands `PING` alone. */
  subscribe(channel: string): Promise<void>;
  /** Gives the connection up and makes another, unless that is under way. */
  renew(): void;
  close(): void;
}

/** How Redis' own tool would connect to the same place. */
export interface Whereabouts {
  readonly host: string;
  readonly port: number;
  readonly path: string | undefined;
  readonly db: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: boolean;
}

export interface SentCommand {
  /** The command and its arguments. */
  readonly words: readonly string[];
  readonly answer: Promise<unknown>;
}
