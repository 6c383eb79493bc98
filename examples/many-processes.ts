/**
 * Several server processes behind one Redis: a visitor may meet any of them at each request. It starts three of
 * `hono-app`, walks a session through them, and ends what it started.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const APP = fileURLToPath(new URL('./hono-app.js', import.meta.url));

const servers = await Promise.all([start(), start(), start()]);
try {
  await visit(servers.map(({ url }) => url));
  console.log('ok');
} finally {
  await Promise.all(servers.map(({ child }) => stop(child)));
}

async function visit(urls: readonly string[]): Promise<void> {
  let request = 0;
  /** The next request goes to the next server, as a load balancer would have it. */
  const send = async (path: string, cookie: string, form?: Record<string, string>) => {
    const url = urls[request++ % urls.length] + path;
    const body = form && { method: 'POST', body: new URLSearchParams(form) };
    return fetch(url, { headers: { Cookie: cookie }, ...body });
  };
  const login = async () => {
    const response = await send('/login', '', { user: 'ada' });
    return response.headers.get('Set-Cookie')?.split(';')[0] ?? '';
  };

  // Thirty page views at once, at all servers: each one counts.
  const cookie = await login();
  await Promise.all(Array.from({ length: 30 }, () => send('/', cookie)));
  assert.equal(await (await send('/', cookie)).text(), 'Hello ada, page 31 here.');

  // What one server wrote, the next one reads.
  for (const item of ['tea', 'milk', 'cake']) await send('/cart', cookie, { item });
  assert.deepEqual(await (await send('/cart', cookie, { item: 'jam' })).json(), [
    ...['tea', 'milk', 'cake', 'jam'],
  ]);

  // Logged out at one, logged out at all.
  const other = await login();
  const devices = (await (await send('/devices', other)).json()) as unknown[];
  assert.equal(devices.length, 2);
  await send('/logout', cookie, {});
  const answers = await Promise.all(urls.map(async () => (await send('/', cookie)).text()));
  assert.deepEqual(answers, ['Hello stranger.', 'Hello stranger.', 'Hello stranger.']);
  assert.equal(await (await send('/logout-everywhere', other, {})).text(), 'Ended 1 sessions.');
}

async function start(): Promise<{ child: ChildProcess; url: string }> {
  const env = { ...process.env, PORT: '0' };
  const child = spawn(process.execPath, [APP], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  return { child, url: String(line).trim() };
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
