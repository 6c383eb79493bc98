/** What one thing costs, as measured: docs/scaling.md says how. */
export const figures = {
  /**
   * Redis' CPU for a `get` that slides, in microseconds, where three come in a millisecond: `npm run bench:fleet`, no near
   * cache. With 64 under way on a connection it is a third of that, as more of them share a packet.
   */
  getUs: 30,
  /** The same for a login of a user: a script on the session and one on the index, and each needs its own round trip. */
  loginUs: 50,
  /** Bytes that Redis sends for a `get` of five short fields: `npm run bench:fleet`. */
  bytesOut: 330,
  /** Application CPU of a request with a session above one of bare Hono, user and system, in microseconds: `npm run bench:http`. */
  applicationUs: 22,
  /** Redis' memory for one session that one near cache has read. */
  trackedBytes: 99,
  /** Sessions that a near cache keeps at most, unless it is told otherwise. */
  keptByNearCache: 10_000,
} as const;
