import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Once more than `most` connections are open, each new one closes the one that has been idle for the longest: between
 * two requests, or before the headers of its first request are complete. So idle connections cannot keep new clients
 * out.
 */
export function closeIdleBeyond(most: number, server: Server): void {
  const idle = new Set<Socket>(); // longest idle first
  const atWork = new WeakMap<Socket, number>(); // more than one if the client pipelines requests
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
    idle.add(socket); // last, so that it does not close itself if no other is idle
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
