import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { HostAndPort } from './redis-address.ts';

const PROBE_MS = 500;

/**
 * The likely reason why a server does not answer: it uses TLS and the client does not, or the other way round.
 * `undefined` if that is not the reason. The client only sees a timeout or a reset, so this tries the other way.
 */
export async function tlsMismatch(
  { host, port }: HostAndPort,
  askedByTls: boolean,
): Promise<string | undefined> {
  if (askedByTls) {
    return (await answersPlainly(host, port))
      ? 'it does not use TLS: use redis://, or turn TLS off'
      : undefined;
  }
  return (await shakesHands(host, port)) ? 'it uses TLS: use rediss://, or turn TLS on' : undefined;
}

/** True if the server answers as Redis does, even with a refusal. */
function answersPlainly(host: string, port: number): Promise<boolean> {
  const socket = connectPlain({ host, port }, () => socket.write('PING\r\n'));
  return outcome(socket, (settle) => {
    socket.once('data', (chunk) => settle(/^[+-]/.test(chunk.toString('latin1'))));
  });
}

function shakesHands(host: string, port: number): Promise<boolean> {
  // The certificate does not matter, because nothing is sent.
  const socket = connectTls({ host, port, rejectUnauthorized: false });
  return outcome(socket, (settle) => {
    socket.once('secureConnect', () => settle(true));
  });
}

function outcome(
  socket: Socket,
  listen: (settle: (answer: boolean) => void) => void,
): Promise<boolean> {
  return new Promise<boolean>((resolve) => {
    socket.setTimeout(PROBE_MS, () => resolve(false));
    socket.once('error', () => resolve(false)); // not a TLS mismatch in the other direction
    socket.once('close', () => resolve(false));
    listen(resolve);
  }).finally(() => socket.destroy());
}
