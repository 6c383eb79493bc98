import { StoreUnavailableError } from '../../../domain/errors.ts';
import type { PaceOptions } from '../../../domain/pace.ts';
import { reserved } from '../../../domain/session-record.ts';
import type { SessionId } from '../../../domain/session-token.ts';
import { isTexts, notUnderstood } from '../answers.ts';
import type { RedisCommands, RedisScript } from '../clients/redis-commands.ts';
import { commandsOf, type RedisClient } from '../clients/tell-apart.ts';
import { type FoundPrefixes, findPrefixes } from './find-prefixes.ts';
import { type ScanOptions, scanSessions, scanUsers } from './scan-sessions.ts';

/** What a server reports about itself; `undefined` for what it does not report. */
export interface ServerFacts {
  /** `host:port` */
  readonly server: string;
  /** `redis 7.0.15` */
  readonly version: string;
  /** Differs from that of every other server, and changes with each start. */
  readonly runId: string | undefined;
  readonly role: string | undefined;
  readonly uptimeSeconds: number | undefined;
  readonly usedBytes: number | undefined;
  /** 0 if there is no limit. */
  readonly maxBytes: number | undefined;
  readonly evictionPolicy: string | undefined;
  /** Number of keys evicted since the server started. */
  readonly evictedKeys: number | undefined;
  readonly replicas: number | undefined;
  /** What it failed to write to disk at the last attempt. */
  readonly failedToWrite: readonly ('append-only file' | 'snapshot')[];
}

/** Clients return HGETALL in different forms, but not the answer of a script. Returns {} if the key is not a hash. */
const hash: RedisScript = {
  name: 'sojournHash',
  lua: `
local flat = redis.pcall('HGETALL', KEYS[1])
if flat.err and string.find(flat.err, 'WRONGTYPE', 1, true) then return {} end
return flat
`,
};

/** SHA-256 in base64url. */
const SECRET_HASH = /^[\w-]{43}$/;

/** Which Redis to inspect, and which keys. */
export interface RedisInspectionOptions {
  readonly client: RedisClient;
  readonly prefix: string;
}

/**
 * What operators need beyond single sessions. It only reads. Every method rejects with `StoreUnavailableError` if Redis
 * fails.
 */
export class RedisInspection {
  readonly #client: RedisClient;
  readonly #commands: RedisCommands;
  readonly #prefix: string;

  constructor({ client, prefix }: RedisInspectionOptions) {
    this.#client = client;
    this.#commands = commandsOf(client);
    this.#prefix = prefix;
  }

  /** `scanSessions`: an id may appear twice. */
  sessions(pace?: PaceOptions): AsyncGenerator<SessionId[]> {
    return scanSessions(this.#scan(pace));
  }

  /** `scanUsers`: a user may appear twice. */
  users(pace?: PaceOptions): AsyncGenerator<string[]> {
    return scanUsers(this.#scan(pace));
  }

  /**
   * The content of a key that was written as a session but is no longer a valid one, because something overwrote or
   * removed Sojourn's fields. Without hashes of secrets.
   */
  async brokenRecord(id: SessionId): Promise<Record<string, string> | undefined> {
    const flat = await this.#commands.script(hash, this.#prefix + id, []);
    if (!isTexts(flat)) throw notUnderstood(flat);
    const record: Record<string, string> = Object.create(null);
    for (let i = 0; i + 1 < flat.length; i += 2) record[flat[i] as string] = flat[i + 1] as string;
    if (!SECRET_HASH.test(record[reserved.secret] ?? '')) return undefined; // not written by Sojourn
    delete record[reserved.secret];
    delete record[reserved.previousSecret];
    delete record[reserved.frozenSecret];
    delete record[reserved.frozenPreviousSecret];
    return record;
  }

  /** `findPrefixes`: the prefixes that have sessions, not only this one. */
  prefixes(): Promise<FoundPrefixes> {
    return findPrefixes(this.#client);
  }

  /** Facts about each server that holds sessions. */
  async servers(): Promise<ServerFacts[]> {
    const primaries = await this.#commands.primaries();
    return Promise.all(
      primaries.map(async ({ name, command }) => {
        const info = await command('INFO', []);
        if (typeof info !== 'string') throw notUnderstood(info);
        return factsOf(name, info);
      }),
    );
  }

  /**
   * Whether both look at the same keys: the same prefix and database of the same server or cluster, at whatever addresses.
   * False if the servers do not say who they are.
   */
  async isSamePlaceAs(other: RedisInspection): Promise<boolean> {
    if (this.#prefix !== other.#prefix || this.#database !== other.#database) return false;
    const [own, others] = await Promise.all([this.#runIds(), other.#runIds()]);
    return own.some((id) => others.includes(id));
  }

  get #database(): number {
    return this.#commands.whereabouts()?.db ?? 0;
  }

  /** None if INFO is not permitted. */
  async #runIds(): Promise<string[]> {
    try {
      const runIds = (await this.servers()).map(({ runId }) => runId);
      return runIds.filter((id) => id !== undefined);
    } catch (error) {
      if (error instanceof StoreUnavailableError && error.failure === 'denied') return [];
      throw error;
    }
  }

  /**
   * The redis-cli commands that show this session. They need no right that Sojourn does not need itself, and ask for a
   * password if one is needed.
   */
  commandsFor(id: SessionId): string[] {
    const key = shellWord(this.#prefix + id);
    const command = ['redis-cli', ...this.#connectionFlags().map(shellWord)].join(' ');
    return [`${command} HGETALL ${key}`, `${command} PTTL ${key}`];
  }

  #scan(pace?: PaceOptions): ScanOptions {
    return { client: this.#client, prefix: this.#prefix, ...pace };
  }

  #connectionFlags(): string[] {
    const { isCluster } = this.#commands;
    const where = this.#commands.whereabouts();
    if (where === undefined) return isCluster ? ['-c'] : [];
    const { host, port, path, db, tls, username, password } = where;
    return [
      ...(path ? ['-s', path] : []),
      ...(path || host === 'localhost' ? [] : ['-h', host]),
      ...(path || port === 6379 ? [] : ['-p', String(port)]),
      ...(isCluster ? ['-c'] : []),
      ...(db ? ['-n', String(db)] : []),
      ...(tls ? ['--tls'] : []),
      ...(username ? ['--user', username] : []),
      ...(password ? ['--askpass'] : []),
    ];
  }
}

function factsOf(server: string, info: string): ServerFacts {
  const says = new Map(
    [...info.matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
  const number = (name: string) => {
    const value = says.get(name);
    return value === undefined ? undefined : Number(value);
  };
  const version = says.get('valkey_version') ?? says.get('redis_version') ?? 'unknown';
  return {
    server,
    version: `${says.get('server_name') ?? 'redis'} ${version}`,
    runId: says.get('run_id'),
    role: says.get('role'),
    uptimeSeconds: number('uptime_in_seconds'),
    usedBytes: number('used_memory'),
    maxBytes: number('maxmemory'),
    evictionPolicy: says.get('maxmemory_policy'),
    evictedKeys: number('evicted_keys'),
    replicas: number('connected_slaves'),
    failedToWrite: [
      ...(says.get('aof_last_write_status') === 'err' ? (['append-only file'] as const) : []),
      ...(says.get('rdb_last_bgsave_status') === 'err' ? (['snapshot'] as const) : []),
    ],
  };
}

/** The text as one word for a POSIX shell. */
function shellWord(text: string): string {
  return /^[\w:./@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
