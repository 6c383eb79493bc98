import type { Step } from './steps.ts';
import type { Cause, Crossing } from './visits.ts';

/** Everything that the page shows. The routes gather it; the page asks nobody. */
export interface PageView {
  /**
   * `ended`: the browser had a session that is over. `unavailable`: the store cannot be asked, so nobody can say what the browser's
   * cookie opens, or a form could not be done.
   */
  readonly state: 'anonymous' | 'active' | 'ended' | 'unavailable';
  /** From the page's own address to the server's first page: `./`, or `../` for a path that is deeper. */
  readonly root: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly store: StoreView;
  readonly policy: {
    readonly ttl: number;
    readonly maxTtl: number;
    readonly lifetime: number | undefined;
  };
  readonly cookie: {
    readonly name: string;
    readonly secure: boolean;
    /** Whether the browser brought one. */
    readonly isThere: boolean;
  };
  readonly session: SessionView | undefined;
  readonly ended: EndedView | undefined;
  readonly failed: FailedView | undefined;
  /** The user's newest sessions, and this one. */
  readonly devices: readonly DeviceView[];
  /** How many more the user has. */
  readonly olderDevices: number;
  /** What happened lately to the user's sessions; `undefined` where no journal is kept. */
  readonly activity: readonly ActivityView[] | 'unreadable' | undefined;
  /** What this session did last, newest first, as far as this server knows. */
  readonly log: readonly Crossing[];
  readonly steps: ReadonlySet<Step>;
  readonly refused: RefusedView | undefined;
}

/** What the page says of the store. */
export interface StoreView {
  readonly kind: 'redis' | 'memory';
  readonly label: string;
  readonly prefix: string;
  /** How `redis-cli` begins that asks this store: `redis-cli -h redis.internal`. */
  readonly cli?: string | undefined;
}

export interface SessionView {
  readonly id: string;
  /** The hash as stored, without any secret's hash. */
  readonly record: Readonly<Record<string, string>>;
  readonly configuredTtl: number;
  readonly remainingMs: number;
  /** The end of the lifetime, in milliseconds since 1970, and what is left until then. */
  readonly endsAt: number | undefined;
  readonly lifetimeLeftMs: number | undefined;
  /** Milliseconds from the start to the end of the lifetime. */
  readonly lifetimeMs: number | undefined;
  /** Another one after every rotation; tells nothing of the secret. */
  readonly fingerprint: string;
  /** Whether the secret has been replaced, as far as this server knows. */
  readonly rotated: boolean;
}

/** A session that is over. */
export interface EndedView {
  readonly cause: Cause;
  /** `undefined` where the browser brought no cookie and nothing is remembered. */
  readonly id: string | undefined;
  /** Whether it is certain that the store holds nothing of it. */
  readonly isGone: boolean;
  readonly name: string | undefined;
  readonly ttl: number | undefined;
}

/** A form that the store's failure kept from being done. */
export interface FailedView {
  /** As its button calls it. */
  readonly label: string;
  /** Below the root: `logout`. */
  readonly action: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** `refused`: it was certainly not done. */
  readonly outcome: 'refused' | 'unknown';
}

/** Why the form that led here was not done as asked, and which of its fields is to blame. */
export interface RefusedView {
  readonly message: string;
  readonly field: 'ttl' | 'username' | undefined;
}

export interface DeviceView {
  readonly id: string;
  /** Where it was started: `Firefox on Linux`. */
  readonly label: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly lastAccessedAt: number;
  /** The one that this page belongs to. */
  readonly current: boolean;
}

export interface ActivityView {
  readonly what: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** It happened then, or before. */
  readonly isLatest: boolean;
  /** Where the session was started, as far as that is known. */
  readonly device: string | undefined;
}
