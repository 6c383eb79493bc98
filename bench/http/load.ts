import { once } from 'node:events';
import { connect } from 'node:net';

export interface Load {
  readonly requests: number;
  readonly seconds: number;
}

/** A session for each connection, as a browser would get it: the cookies of so many logins. */
export async function logIn(port: number, count: number): Promise<string[]> {
  const cookies: string[] = [];
  for (let user = 0; user < count; user++) {
    const response = await fetch(`http://127.0.0.1:${port}/login?user=${user}`, { method: 'POST' });
    const cookie = response.headers.getSetCookie()[0]?.split(';', 1)[0];
    if (!response.ok || cookie === undefined) throw new Error(`No session from port ${port}`);
    cookies.push(cookie);
  }
  return cookies;
}

/** One connection for each cookie, each asking again as soon as it has its answer, for so long. */
export async function load(
  port: number,
  cookies: readonly string[],
  seconds: number,
): Promise<Load> {
  const beganAt = performance.now();
  const endsAt = beganAt + seconds * 1000;
  const counts = await Promise.all(cookies.map((cookie) => ask(port, cookie, endsAt)));
  return {
    requests: counts.reduce((sum, count) => sum + count, 0),
    seconds: (performance.now() - beganAt) / 1000,
  };
}

/** How many answers one connection got. Written on bare sockets, so that the load costs less than any server. */
async function ask(port: number, cookie: string, endsAt: number): Promise<number> {
  const request = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie}\r\n\r\n`;
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  socket.setEncoding('latin1');
  await once(socket, 'connect');
  let answers = 0;
  let received = '';
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('The server closed a connection')));
    socket.on('data', (chunk) => {
      received += chunk;
      if (!isComplete(received)) return;
      if (!received.startsWith('HTTP/1.1 200') || !received.includes('\r\n\r\nHello ')) {
        reject(new Error(`Unexpected answer: ${received}`));
        return;
      }
      received = '';
      answers += 1;
      if (performance.now() < endsAt) {
        socket.write(request);
        return;
      }
      socket.removeAllListeners('close').destroy();
      resolve(answers);
    });
    socket.write(request);
  });
}

function isComplete(response: string): boolean {
  const head = response.indexOf('\r\n\r\n');
  if (head === -1) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(response)?.[1];
  if (length === undefined) throw new Error(`An answer without a length: ${response}`);
  return response.length >= head + 4 + Number(length);
}
