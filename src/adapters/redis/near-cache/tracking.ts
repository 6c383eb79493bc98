import type { StoreUnavailableError } from '../../../domain/errors.ts';
import type { StandingConnection } from '../clients/redis-commands.ts';
import type { Primary } from '../each-primary.ts';
import type { RunScript } from '../redis-session-repository.ts';

/** What Redis vouches for, from when it began to track one pair of connections until either of them is lost. */
export interface Trust {
  /**
   * On the clock of `performance.now()`: until then no change of a key that was read by `run` is unknown for longer than
   * the staleness bound. It moves on with each proof, and stays 0 once a connection is lost.
   */
  until: number;
  /** On the connection that is tracked. */
  readonly run: RunScript;
}

export interface TrackingEvents {
  /** A key that was read was written, removed or has run out. Redis says so once, until it is read again. */
  changed(key: string): void;
  /** Anything may have changed: all that was read is to be forgotten, also where the answer is still on its way. */
  lost(trust: Trust): void;
  /** A connection failed, or Redis refuses to track. The tracking goes on trying. */
  failed(error: Error): void;
}

const CHANNEL = '__redis__:invalidate';

/** How often both connections are asked for a sign of life. */
export const PING_INTERVAL_MS = 400;

/** How long after both pings were sent their answers vouch for. The rest up to two seconds is for timers that are late. */
const PROOF_MS = 1800;

/**
 * Two connections to one server: Redis tracks what is read on one of them, and tells the other of changes. They have no
 * common order: a change may be told before the answer that does not show it yet. On each of them Redis answers in
 * order: the answer to a ping on the listening one has behind it every change before that ping; on the reading one it
 * says that Redis still tracks.
 */
export class Tracking {
  /** None while Redis does not track. */
  trust: Trust | undefined;
  readonly #reader: StandingConnection;
  readonly #listener: StandingConnection;
  readonly #isAlive: (reader: StandingConnection) => Promise<boolean>;
  /** Asks by the client: what it writes must be told of here. */
  readonly #askClient: () => Promise<unknown>;
  readonly #events: TrackingEvents;
  /** Which server the reading connection leads to; of the other one also the id. Each is there as long as the connection. */
  #reading: Promise<string> | undefined;
  #listening: Promise<{ readonly id: string; readonly server: string }> | undefined;
  /** Since when Redis owes the arming or a proof. */
  #awaitedSince: number | undefined;
  /** Why the last attempt to arm failed: the next beat makes another. */
  #failure: Error | undefined;

  constructor(primary: Primary, isCluster: boolean, events: TrackingEvents) {
    const connect = primary.stayConnected;
    this.#isAlive = isCluster ? servesItsSlots : answers;
    this.#askClient = () => primary.command('INFO', ['server']);
    this.#events = events;
    const failed = (error: Error) => events.failed(causeOf(error));
    this.#listener = connect({
      ready: () => {
        this.#listening = heeded(this.#listen());
        void this.#arm();
      },
      lost: () => {
        this.#listening = undefined;
        this.#lose();
      },
      failed,
      heard: (_channel, keys) => this.#hear(keys),
    });
    this.#reader = connect({
      ready: () => {
        this.#reading = heeded(askWho(() => this.#reader.command('INFO', ['server'])));
        void this.#arm();
      },
      lost: () => {
        this.#reading = undefined;
        this.#lose();
      },
      failed,
      heard() {},
    });
  }

  close(): void {
    this.#reading = undefined; // so that nothing that is under way arms
    this.#listening = undefined;
    this.#lose();
    this.#listener.close();
    this.#reader.close();
  }

  /** To be called every `PING_INTERVAL_MS`. */
  beat(): void {
    const now = performance.now();
    if (this.#awaitedSince !== undefined) {
      if (now - this.#awaitedSince < PROOF_MS - PING_INTERVAL_MS) {
        if (this.#failure !== undefined) void this.#arm();
        return;
      }
      if (this.#failure !== undefined) this.#events.failed(this.#failure);
      this.#listener.renew(); // which is `lost`
      this.#reader.renew();
      return;
    }
    const { trust } = this;
    if (trust === undefined) return;
    this.#awaitedSince = now;
    Promise.all([this.#listener.command('PING', []), this.#isAlive(this.#reader)]).then(
      ([, isAlive]) => {
        if (this.trust !== trust || !isAlive) return; // told by 'lost', or by the next beats
        this.#awaitedSince = undefined;
        trust.until = now + PROOF_MS;
      },
      () => {}, // likewise
    );
  }

  async #listen(): Promise<{ readonly id: string; readonly server: string }> {
    const listener = this.#listener;
    const id = String(await listener.command('CLIENT', ['ID']));
    const server = await askWho(() => listener.command('INFO', ['server']));
    await listener.subscribe(CHANNEL);
    return { id, server };
  }

  /** Once both connections stand, each time that either was made anew. */
  async #arm(): Promise<void> {
    const [reading, listening] = [this.#reading, this.#listening];
    if (reading === undefined || listening === undefined) return;
    const isCurrent = () => reading === this.#reading && listening === this.#listening;
    this.#awaitedSince ??= performance.now(); // `beat` gives the connections up unless this succeeds
    this.#failure = undefined;
    try {
      const [{ id, server }, ...others] = await Promise.all([
        listening,
        reading,
        askWho(this.#askClient),
      ]);
      // The id would be another connection's there, and nothing would ever be told.
      if (others.some((other) => other !== server)) throw new Error(SEVERAL_SERVERS);
      if (!isCurrent()) return; // else this might come after what the next attempt sends
      await this.#reader.command('CLIENT', ['TRACKING', 'ON', 'REDIRECT', id, 'NOLOOP']);
      if (!isCurrent()) return;
    } catch (error) {
      if (isCurrent()) this.#failure = causeOf(error);
      return;
    }
    const reader = this.#reader;
    this.trust = { until: 0, run: (script, key, args) => reader.script(script, key, args) };
    this.#awaitedSince = undefined;
    this.beat();
  }

  #hear(keys: string | readonly string[] | null): void {
    if (Array.isArray(keys)) for (const key of keys) this.#events.changed(key);
    else if (this.trust !== undefined) this.#events.lost(this.trust); // the database was emptied
  }

  #lose(): void {
    const { trust } = this;
    this.trust = undefined;
    this.#awaitedSince = undefined;
    this.#failure = undefined;
    if (trust === undefined) return;
    trust.until = 0;
    this.#events.lost(trust);
  }
}

const SEVERAL_SERVERS = 'The connections of the near cache lead to several servers';

async function answers(reader: StandingConnection): Promise<boolean> {
  await reader.command('PING', []);
  return true;
}

/** A node that was demoted or cut off from the others answers a PING, and knows nothing of what they change. */
async function servesItsSlots(reader: StandingConnection): Promise<boolean> {
  const asked = [reader.command('ROLE', []), reader.command('CLUSTER', ['INFO'])];
  const [role, info] = await Promise.all(asked);
  return Array.isArray(role) && role[0] === 'master' && /^cluster_state:ok/m.test(String(info));
}

/** Which run of which server answers. */
async function askWho(ask: () => Promise<unknown>): Promise<string> {
  const [, id] = /^run_id:(\w+)/m.exec(String(await ask())) ?? [];
  if (id === undefined) throw new Error('Redis does not say its run_id');
  return id;
}

/** Its failure is told when both connections stand. */
function heeded<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** What Redis or the client said. */
function causeOf(error: unknown): Error {
  const { cause } = error as StoreUnavailableError;
  return cause instanceof Error ? cause : (error as Error);
}
