import { connect } from 'node:net';

/** What the server says to these bytes, until it closes the connection. */
export async function say(url: string, bytes: string | Uint8Array): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
  });
  socket.on('error', () => {}); // a reset is an answer too
  socket.end(bytes);
  // not by `once`, which rejects at an error
  await new Promise((resolve) => socket.on('close', resolve));
  return answer;
}
