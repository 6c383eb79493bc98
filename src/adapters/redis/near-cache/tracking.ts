import type { StoreUnavailableError } from '../../../domain/errors.ts';
import type { StandingConnection } from '../clients/redis-commands.ts';
import type { Primary } from '../each-primary.ts';
import { causeOf } from '../redis-errors.ts';
import type { RunScript } from '../redis-session-repository.ts';

/** The period for which Redis tracks one pair of connections: from when it began until either connection is lost. */
export interface Trust {
  /**
   * On the clock of `performance.now()`. Until then no change of a key that was read by `run` stays unknown for longer
   * than the staleness bound. Each proof extends it; it is 0 after a connection is lost.
   */
  until: number;
  /** Runs a script on the tracked connection. */
  readonly run: RunScript;
}

export interface TrackingEvents {
  /**
   * A key that was read has been written, removed or has expired. Redis reports this once, until the key is read again.
   */
  changed(key: string): void;
  /**
   * Anything may have changed: everything that was read must be forgotten, including answers that are still on their
   * way.
   */
  lost(trust: Trust): void;
  /**
   * A connection failed or does not answer, or Redis refuses to track or does not confirm. The tracking keeps trying.
   */
  failed(error: Error): void;
}

const CHANNEL = '__redis__:invalidate';

/** How often both connections are checked with a ping. */
export const PING_INTERVAL_MS = 400;

/**
 * How long answers count as proof after both pings were sent. The rest of the two seconds is a margin for late timers.
 */
const PROOF_MS = 1800;

/**
 * Two connections to one server: Redis tracks the keys read on one of them, and reports their changes on the other. The
 * two have no common order: a change may be reported before the arrival of an answer that does not show it yet. On each
 * connection Redis answers in order. So the answer to a ping on the listening connection follows every change before
 * that ping, and on the reading one it shows that Redis still tracks.
 */
export class Tracking {
  /** `undefined` while Redis does not track. */
  trust: Trust | undefined;
  readonly #reader: StandingConnection;
  readonly #listener: StandingConnection;
  /** Pings the reading connection. Returns the reason if the server does not confirm. */
  readonly #ask: (reader: StandingConnection) => Promise<string | undefined>;
  /** Asks through the client: its writes must be reported here. */
  readonly #askClient: () => Promise<unknown>;
  readonly #events: TrackingEvents;
  /**
   * The server that the reading connection leads to; for the listening one also its id. Both are set while the
   * connection exists.
   */
  #reading: Promise<string> | undefined;
  #listening: Promise<{ readonly id: string; readonly server: string }> | undefined;
  /** Since when an answer to the arming or to a ping has been awaited. */
  #awaitedSince: number | undefined;
  /** Why the last attempt to arm failed. The next beat retries. */
  #failure: Error | undefined;
  /** The reason, last reported, why Redis did not confirm. It is not reported again at each beat. */
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
    this.#reading = undefined; // so that an attempt under way does not arm
    this.#listening = undefined;
    this.#lose();
    this.#listener.close();
    this.#reader.close();
  }

  /** Call it every `PING_INTERVAL_MS`. */
  beat(): void {
    const now = performance.now();
    if (this.#awaitedSince !== undefined) {
      if (now - this.#awaitedSince < PROOF_MS - PING_INTERVAL_MS) {
        if (this.#failure !== undefined) void this.#arm();
        return;
      }
      this.#events.failed(this.#failure ?? new Error(SILENCE));
      this.#listener.renew(); // this calls `lost`
      this.#reader.renew();
      return;
    }
    const { trust } = this;
    if (trust === undefined) return;
    this.#awaitedSince = now;
    Promise.all([this.#listener.command('PING', []), this.#ask(this.#reader)]).then(
      ([, doubt]) => {
        if (this.trust !== trust) return; // `lost` has reported it
        if (doubt !== undefined) return this.#distrust(trust, new Error(doubt));
        this.#awaitedSince = undefined;
        this.#doubt = undefined;
        trust.until = now + PROOF_MS;
      },
      (error) => {
        if (this.trust === trust && !isSilence(error)) this.#distrust(trust, causeOf(error));
      }, // a missing answer is reported by `lost` or by the next beats
    );
  }

  /** Redis answered but does not confirm. The connections are still tracked, and the next beat asks again. */
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

  /** Called when both connections are open, each time one of them was opened. */
  async #arm(): Promise<void> {
    const [reading, listening] = [this.#reading, this.#listening];
    if (reading === undefined || listening === undefined) return;
    const isCurrent = () => reading === this.#reading && listening === this.#listening;
    this.#awaitedSince ??= performance.now(); // `beat` gives up the connections unless this succeeds
    this.#failure = undefined;
    try {
      const [{ id, server }, ...others] = await Promise.all([
        listening,
        reading,
        askWho(this.#askClient),
      ]);
      // The id would belong to another connection there, and changes would never be reported.
      if (others.some((other) => other !== server)) throw new Error(SEVERAL_SERVERS);
      if (!isCurrent()) return; // otherwise this command could follow those of the next attempt
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

const SEVERAL_SERVERS = 'The connections of the near cache lead to different servers';
const SILENCE = 'The connections of the near cache do not answer';
const NOT_SERVING = 'This node is not a primary, or its cluster is down';

async function ping(reader: StandingConnection): Promise<undefined> {
  await reader.command('PING', []);
}

/** A node that was demoted or cut off from the others still answers a PING, but does not know what they change. */
async function askWhetherItServes(reader: StandingConnection): Promise<string | undefined> {
  const asked = [reader.command('ROLE', []), reader.command('CLUSTER', ['INFO'])];
  const [role, info] = await Promise.all(asked);
  const isPrimary = Array.isArray(role) && role[0] === 'master';
  return isPrimary && /^cluster_state:ok/m.test(String(info)) ? undefined : NOT_SERVING;
}

/** The identity of the running server that answers. */
async function askWho(ask: () => Promise<unknown>): Promise<string> {
  const [, id] = /^run_id:(\w+)/m.exec(String(await ask())) ?? [];
  if (id === undefined) throw new Error('Redis does not report its run_id');
  return id;
}

/** The error is reported when both connections are open. */
function heeded<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** True if there was no answer, rather than a refusal. */
function isSilence(error: unknown): boolean {
  const { failure } = error as StoreUnavailableError;
  return failure === 'timeout' || failure === 'connection';
}
