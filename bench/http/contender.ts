/**
 * A server on 127.0.0.1 with two routes: `POST /login` starts a session with the application data of `?user=<index>`,
 * `GET /` greets the user of the session by name. Opens its connections and listens.
 */
export type HttpContender = (redisUrl: string) => Promise<OpenServer>;

export interface OpenServer {
  readonly port: number;
  /** Ends every connection, those to Redis included. */
  close(): Promise<void>;
}

export function greeting(username: string | undefined): string {
  return `Hello ${username}`;
}

/** Resolves when a server of Node has ended. */
export function closeServer(server: { close(ended: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve()));
}
