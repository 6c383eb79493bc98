import type { LastAction } from './last-actions.ts';

/** Everything that the page shows. The routes gather it; the page asks nobody. */
export interface PageView {
  /**
   * `expired`: the browser brought a cookie that opens nothing any more. `unavailable`: there is a cookie, and the store
   * cannot be asked what it opens.
   */
  readonly state: 'anonymous' | 'active' | 'expired' | 'unavailable';
  readonly store: {
    readonly kind: 'redis' | 'memory';
    readonly label: string;
    readonly prefix: string;
  };
  readonly policy: {
    readonly ttl: number;
    readonly maxTtl: number;
    readonly lifetime: number | undefined;
  };
  readonly cookie: { readonly name: string; readonly secure: boolean };
  readonly session: SessionView | undefined;
  /** The user's newest sessions, and this one. */
  readonly devices: readonly DeviceView[];
  /** How many more the user has. */
  readonly olderDevices: number;
  /** What happened lately to the user's sessions; `undefined` where no journal is kept. */
  readonly activity: readonly ActivityView[] | 'unreadable' | undefined;
  /** What this session did last, as far as this server knows. */
  readonly action: LastAction | undefined;
  /** Why the form that led here was not done as asked. */
  readonly notice: string | undefined;
}

export interface SessionView {
  readonly id: string;
  readonly key: string;
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
}

export interface DeviceView {
  readonly id: string;
  /** Where it was started: `Firefox on Linux`. */
  readonly label: string;
  readonly createdAt: string;
  readonly lastAccessedAt: string;
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
