import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { HostAndPort } from './redis-address.ts';

const PROBE_MS = 500;

/**
 * Why a server that cannot be talked to may not answer: it speaks TLS and was asked without, or the other way round.
 * `undefined` where that is not it. One end alone sees a timeout or a reset and cannot tell, so the other way is tried.
 */
export async function tlsMismatch(
  { host, port }: HostAndPort,
  askedByTls: boolean,
): Promise<string | undefined> {
  if (askedByTls) {
    return (await answersPlainly(host, port))
      ? 'it does not speak TLS: use redis://, or leave TLS out'
      : undefined;
  }
  return (await shakesHands(host, port))
    ? 'it speaks TLS: use rediss://, or turn TLS on'
    : undefined;
}

/** Whether what listens there answers as Redis does, be it by a refusal. */
function answersPlainly(host: string, port: number): Promise<boolean> {
  const socket = connectPlain({ host, port }, () => socket.write('PING\r\n'));
  return outcome(socket, (settle) => {
    socket.once('data', (chunk) => settle(/^[+-]/.test(chunk.toString('latin1'))));
  });
}

function shakesHands(host: string, port: number): Promise<boolean> {
  // Whose certificate it has does not matter: nothing is said.
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
    socket.once('error', () => resolve(false)); // whatever it is, it is not the other way
    socket.once('close', () => resolve(false));
    listen(resolve);
  }).finally(() => socket.destroy());
}
