import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * From that many open connections on, each new one closes the one that has been idle for longest: between two requests, or
 * before the head of its first is complete. So connections that ask for nothing keep nobody out.
 */
export function closeIdleBeyond(most: number, server: Server): void {
  const idle = new Set<Socket>(); // the longest idle first
  const atWork = new WeakMap<Socket, number>(); // more than one request where a client does not wait for the answer
  let open = 0;
  server.on('connection', (socket: Socket) => {
    open += 1;
    socket.once('close', () => {
      idle.delete(socket);
      open -= 1;
    });
    const [longest] = open > most ? idle : [];
    if (longest !== undefined) idle.delete(longest);
    longest?.destroy();
    idle.add(socket); // after that: where no other is idle it must not close itself
  });
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket);
    atWork.set(socket, (atWork.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const left = (atWork.get(socket) ?? 1) - 1;
      atWork.set(socket, left);
      if (left === 0 && !socket.destroyed) idle.add(socket);
    });
  });
}
