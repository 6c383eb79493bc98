/**
 * A server on 127.0.0.1 with two routes: `POST /login` starts a session with the application data of `?user=<index>`,
 * `GET /` greets the user of the session by name. Answers its port.
 */
export type HttpContender = (redisUrl: string) => Promise<number>;

export function greeting(username: string | undefined): string {
  return `Hello ${username}`;
}
