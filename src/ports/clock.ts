/** Tells the time. Sojourn uses it for timestamps that people read; when a session ends is decided by the store's own clock. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
}
