/** A Lua script that works on one key. */
export interface RedisScript {
  /** The name that operators see instead of the script. */
  readonly name: string;
  readonly lua: string;
}

/**
 * Everything that Sojourn needs from a Redis client. Each client library has an adapter, and nothing else depends on
 * the library.
 *
 * A command without an answer rejects with `StoreUnavailableError`: `refused` if the client or Redis says that the
 * command was not applied, `unknown` otherwise. No command is sent a second time unless the first was certainly not
 * applied.
 */
export interface RedisCommands {
  /** Whether keys are spread over several primaries. */
  readonly isCluster: boolean;
  /**
   * Runs a script on a key: by its digest, and then by its text if Redis does not know the digest. Never part of a
   * pipeline or transaction, where the second attempt would come too late.
   */
  script(script: RedisScript, key: string, args: readonly (string | number)[]): Promise<unknown>;
  /** Runs a command whose first argument is a key, on the primary that holds the key. */
  command(name: string, key: string, args: readonly (string | number)[]): Promise<unknown>;
  /** All servers that keys are written to, as far as the client knows. */
  primaries(): Promise<readonly RedisServer[]>;
  /** Makes the client look for the primaries again, on a cluster. */
  findPrimaries(): Promise<void>;
  /** On a cluster, the name of the primary that the client considers the owner of a slot. */
  primaryOf(slot: number): string | undefined;
  /**
   * Opens another connection to the same place. It never reconnects, because a new connection would know nothing about
   * earlier writes. Connecting, and each command, may take as long as a command of the client, plus `waitMs` for the
   * wait for replicas.
   */
  openOwn(waitMs: number): Promise<OwnCommands>;
  /**
   * Opens another connection to the single server; on a cluster each primary has this method. When the client's own
   * connection breaks, this one is given up too, because the next may lead to another server.
   */
  stayConnected(events: ConnectionEvents): StandingConnection;
  /** Where the client connects to; `undefined` if the client does not say. */
  whereabouts(): Whereabouts | undefined;
  /** Reports every command from now on, in the asynchronous context of its caller. */
  observe(hear: (sent: SentCommand) => void): void;
}

/** One of the servers that a client is connected to. */
export interface RedisServer {
  /** `host:port` or a path. */
  readonly name: string;
  command(name: string, args: readonly (string | number)[]): Promise<unknown>;
  /** Opens another connection to this server. */
  stayConnected(events: ConnectionEvents): StandingConnection;
}

/** A connection that nothing else writes on. */
export interface OwnCommands {
  readonly commands: RedisCommands;
  /**
   * Whether that many replicas have everything written on this connection, for each server that was written to. Waits
   * for at most `timeoutMs`. Rejects if the connection is lost.
   */
  waitForReplicas(replicas: number, timeoutMs: number): Promise<boolean>;
  close(): void;
}

/** Events of a standing connection. */
export interface ConnectionEvents {
  /** There is a new connection; the server has no state for it yet. */
  ready(): void;
  /** The connection is lost or will be replaced. May be called several times. */
  lost(): void;
  /**
   * The connection failed; another attempt follows. The error contains no arguments of commands, which may be
   * passwords.
   */
  failed(error: Error): void;
  /** A published message. Redis itself publishes lists of keys, or `null` for all keys. */
  heard(channel: string, message: string | readonly string[] | null): void;
}

/**
 * A connection of its own that is opened again whenever it breaks. It uses RESP2, whatever the client uses. Commands
 * are sent on the current connection or rejected; none is sent again on the next one.
 */
export interface StandingConnection {
  /** The number of the database that the connection uses. */
  readonly database: number;
  command(name: string, args: readonly (string | number)[]): Promise<unknown>;
  /** Like `RedisCommands.script`, on this connection. */
  script(script: RedisScript, key: string, args: readonly (string | number)[]): Promise<unknown>;
  /** After this, the connection accepts no scripts, and of commands only `PING`. */
  subscribe(channel: string): Promise<void>;
  /** Gives up the connection and opens another, unless that is under way. */
  renew(): void;
  close(): void;
}

/** How redis-cli would connect to the same place. */
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
