import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * From that many open connections on, each new one closes the one that has been idle for longest: between two requests, or
 * before the head of its first is complete. So connections that ask for nothing keep nobody out.
 */
export function closeIdleBeyond(most: number, server: Server): void {
  const idle = new Set<Socket>(); // the longest idle first
  let open = 0;
  server.on('connection', (socket: Socket) => {
    idle.add(socket);
    open += 1;
    socket.once('close', () => {
      idle.delete(socket);
      open -= 1;
    });
    if (open <= most) return;
    const [longest] = idle;
    if (longest !== undefined) idle.delete(longest);
    longest?.destroy();
  });
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket);
    response.once('close', () => {
      if (!socket.destroyed) idle.add(socket);
    });
  });
}
