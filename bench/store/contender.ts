/** One way to keep sessions in Redis, as an application uses it in one request. */
export interface Contender {
  readonly name: string;
  /** Connects, and fills the store with that many sessions. */
  open(redisUrl: string, sessions: number): Promise<OpenContender>;
}

export interface OpenContender {
  /** The measured operation, on the session of that index. */
  run(index: number): Promise<unknown>;
  /** Resolves when what was measured has no work left behind that would disturb the next one. */
  settle?(): Promise<void>;
  close(): Promise<void>;
}
