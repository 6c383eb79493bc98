import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Port } from './ask-redis.ts';

/** What may happen to bytes from a server on their way to the client. To drop them is to do nothing. */
export interface Passage {
  /** When they came, on the clock of `performance.now()`: perhaps long ago, as pieces wait for those before them. */
  readonly arrivedAt: number;
  /** Passes them on. */
  pass(bytes: Buffer): void;
  /** Ends the connection on both sides. */
  cut(): void;
}

/** Deals with each piece that a server sends; the next piece waits until it is done. */
export type Disturbance = (piece: Buffer, passage: Passage) => void | Promise<void>;

/** A network between clients and one server, which can be disturbed. */
export interface TcpProxy extends Port {
  /** From now on, on connections old and new. The bytes of clients always reach the server. */
  disturb(disturbance: Disturbance): void;
  calm(): void;
  /** Leads new connections to another server. */
  lead(server: Port): void;
  /** Ends all connections. */
  stop(): Promise<void>;
}

const undisturbed: Disturbance = (piece, { pass }) => pass(piece);

export async function startTcpProxy(server: Port): Promise<TcpProxy> {
  let disturbance = undisturbed;
  let target = server;
  const sockets = new Set<Socket>();
  const listener = createServer((client) => {
    const upstream = connect(target.port, target.host);
    const cut = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', cut);
      socket.on('close', () => {
        sockets.delete(socket);
        cut();
      });
    }
    client.on('data', (piece) => upstream.write(piece));
    const pass = (bytes: Buffer) => void client.write(bytes);
    let before: void | Promise<void>;
    upstream.on('data', (piece) => {
      const passage = { arrivedAt: performance.now(), pass, cut };
      before = Promise.resolve(before).then(() => disturbance(piece, passage));
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    host: '127.0.0.1',
    port: (listener.address() as AddressInfo).port,
    disturb(next) {
      disturbance = next;
    },
    calm() {
      disturbance = undisturbed;
    },
    lead(next) {
      target = next;
    },
    async stop() {
      listener.close();
      for (const socket of sockets) socket.destroy();
      await once(listener, 'close');
    },
  };
}

/** Loses about one reply in `n`, after the server did what it was asked, and the connection with it. */
export function losingReplies(n: number): Disturbance {
  return (piece, { pass, cut }) => (oneIn(n) ? cut() : pass(piece));
}

/** Ends about one connection in `n` in the middle of a reply. */
export function cuttingReplies(n: number): Disturbance {
  return (piece, { pass, cut }) => {
    if (!oneIn(n)) return pass(piece);
    pass(piece.subarray(0, piece.length / 2));
    cut();
  };
}

export function delayingReplies(ms: number): Disturbance {
  return async (piece, { pass }) => {
    await wait(ms);
    pass(piece);
  };
}

/** Every reply byte by byte, each in a turn of its own. */
export const dribblingReplies: Disturbance = async (piece, { pass }) => {
  for (let i = 0; i < piece.length; i += 1) {
    pass(piece.subarray(i, i + 1));
    await wait(0);
  }
};

/** Connections stay open and nothing comes. */
export const silence: Disturbance = () => {};

function oneIn(n: number): boolean {
  return Math.random() < 1 / n;
}
