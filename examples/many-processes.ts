/**
 * Several server processes behind one Redis: a visitor may meet any of them at each request. It starts three of
 * `hono-app`, walks a session through them, says what they answer, and ends what it started.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const APP = fileURLToPath(new URL('./hono-app.js', import.meta.url));

const say = (step: string) => console.log(`\n${step}`);

say('Starting three servers that share one Redis.');
const servers = await Promise.all([start(), start(), start()]);
try {
  await visit(servers.map(({ url }) => url));
} finally {
  say('Stopping the servers.');
  await Promise.all(servers.map(({ child }) => stop(child)));
}

async function visit(urls: readonly string[]): Promise<void> {
  let requests = 0;
  /** The next request goes to the next server, as a load balancer would have it. */
  const send = async (path: string, cookie: string, form?: Record<string, string>) => {
    const number = requests++ % urls.length;
    const body = form && { method: 'POST', body: new URLSearchParams(form) };
    const response = await fetch(urls[number] + path, { headers: { Cookie: cookie }, ...body });
    return { server: `server ${number + 1}`, response };
  };
  const ask = async (path: string, cookie: string, form?: Record<string, string>) => {
    const { server, response } = await send(path, cookie, form);
    const request = `${form === undefined ? 'GET' : 'POST'} ${path}`;
    console.log(`  ${server}, ${request}: ${await response.text()}`);
  };
  const logIn = async () => {
    const { server, response } = await send('/login', '', { user: 'ada' });
    console.log(`  ${server}, POST /login: ${await response.text()}`);
    return response.headers.get('Set-Cookie')?.split(';')[0] ?? '';
  };

  say('Ada logs in at one server, and the next one knows her.');
  const cookie = await logIn();
  await ask('/', cookie);

  say('Thirty pages at once, ten from each server: every one counts.');
  await Promise.all(Array.from({ length: 30 }, () => send('/', cookie)));
  await ask('/', cookie);

  say('What one server writes, the next one reads.');
  for (const item of ['tea', 'milk', 'cake']) await ask('/cart', cookie, { item });

  say('She logs in on a second device, and logs out on the first: at one server, and so at all.');
  const other = await logIn();
  await ask('/logout', cookie, {});
  for (const _server of urls) await ask('/', cookie);

  say('The second device is still logged in, until she logs out everywhere.');
  await ask('/', other);
  await ask('/logout-everywhere', other, {});
  await ask('/', other);
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
