import type { StoreUnavailableError } from '../../../domain/errors.ts';
import type { StandingConnection } from '../clients/redis-commands.ts';
import type { Primary } from '../each-primary.ts';
import { causeOf } from '../redis-errors.ts';
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
  /** A connection failed or is silent, or Redis refuses to track or vouches for nothing. The tracking goes on trying. */
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
  /** Asks the reading connection for a sign of life. Answers why the server vouches for nothing, if it does not. */
  readonly #ask: (reader: StandingConnection) => Promise<string | undefined>;
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
  /** Why Redis vouched for nothing, as it was told; it is not told again at each beat. */
  #doubt: string | undefined;

  constructor(primary: Primary, isCluster: boolean, events: TrackingEvents) {
    const connect = primary.stayConnected;
    this.#ask = isCluster ? askWhetherItServes : ping;
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
      this.#events.failed(this.#failure ?? new Error(SILENCE));
      this.#listener.renew(); // which is `lost`
      this.#reader.renew();
      return;
    }
    const { trust } = this;
    if (trust === undefined) return;
    this.#awaitedSince = now;
    Promise.all([this.#listener.command('PING', []), this.#ask(this.#reader)]).then(
      ([, doubt]) => {
        if (this.trust !== trust) return; // told by 'lost'
        if (doubt !== undefined) return this.#distrust(trust, new Error(doubt));
        this.#awaitedSince = undefined;
        this.#doubt = undefined;
        trust.until = now + PROOF_MS;
      },
      (error) => {
        if (this.trust === trust && !isSilence(error)) this.#distrust(trust, causeOf(error));
      }, // silence is told by 'lost', or by the next beats
    );
  }

  /** Redis answered, and not for what was read. The connections are tracked all the same: the next beat asks again. */
  #distrust(trust: Trust, why: Error): void {
    this.#awaitedSince = undefined;
    this.trust = { until: 0, run: trust.run };
    trust.until = 0;
    this.#events.lost(trust);
    if (why.message === this.#doubt) return;
    this.#doubt = why.message;
    this.#events.failed(why);
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
    this.#doubt = undefined;
    trust.until = 0;
    this.#events.lost(trust);
  }
}

const SEVERAL_SERVERS = 'The connections of the near cache lead to several servers';
const SILENCE = 'The connections of the near cache are silent';
const NOT_SERVING = 'This node is no primary, or its cluster is down';

async function ping(reader: StandingConnection): Promise<undefined> {
  await reader.command('PING', []);
}

/** A node that was demoted or cut off from the others answers a PING, and knows nothing of what they change. */
async function askWhetherItServes(reader: StandingConnection): Promise<string | undefined> {
  const asked = [reader.command('ROLE', []), reader.command('CLUSTER', ['INFO'])];
  const [role, info] = await Promise.all(asked);
  const isPrimary = Array.isArray(role) && role[0] === 'master';
  return isPrimary && /^cluster_state:ok/m.test(String(info)) ? undefined : NOT_SERVING;
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

/** Whether there was no answer, rather than a refusal. */
function isSilence(error: unknown): boolean {
  const { failure } = error as StoreUnavailableError;
  return failure === 'timeout' || failure === 'connection';
}
