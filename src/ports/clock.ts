/** The current time, used for timestamps that people read. The store's own clock decides when a session ends. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
}
