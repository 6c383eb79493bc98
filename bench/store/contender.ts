/** One way to keep sessions in Redis, as an application uses it in one request. */
export interface Contender {
  readonly name: string;
  /**
   * Seconds until it costs what it goes on to cost: for those that put work off. It is warmed up and measured for as
   * long at least.
   *
   * @default 0
   */
  readonly steadyAfterSeconds?: number;
  /** Connects, and fills the store with that many sessions. */
  open(redisUrl: string, sessions: number): Promise<OpenContender>;
}

export interface OpenContender {
  /** The measured operation, on the session of that index. Answers what is truthy where it finds one. */
  run(index: number): Promise<unknown>;
  /** Ends every connection. What was put off is done first. */
  close(): Promise<void>;
}
