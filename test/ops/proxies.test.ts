import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get as getPlain } from 'node:http';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { freePort, startConfiguredNginx } from '../support/nginx.ts';
import { SojournProcess } from '../support/sojourn-process.ts';
import { systemdService } from '../support/systemd-service.ts';
import { until } from '../support/until.ts';

const HOST = 'shop.example';
const ops = fileURLToPath(new URL('../../ops', import.meta.url));

interface Proxy {
  readonly port: number;
  readonly plainPort: number;
  stop(): Promise<void>;
}

/** The text, with what has to be replaced before it can run here; each of which must be in it. */
function replaced(text: string, changes: Readonly<Record<string, string>>): string {
  let changed = text;
  for (const [from, to] of Object.entries(changes)) {
    expect(changed).toContain(from);
    changed = changed.replaceAll(from, to);
  }
  return changed;
}

async function nginx(upstream: string): Promise<Proxy> {
  const plainPort = await freePort();
  const server = await startConfiguredNginx(
    String(inject('nginxBinary')),
    [HOST],
    async ({ port, folder, key, cert }) => {
      await copyFile(join(ops, 'nginx', 'sojourn-proxy.inc'), join(folder, 'sojourn-proxy.inc'));
      return replaced(await readFile(join(ops, 'nginx', 'sojourn.conf'), 'utf8'), {
        '    listen [::]:443 ssl http2 default_server;\n': '',
        '    listen [::]:443 ssl http2;\n': '',
        '    listen [::]:80;\n': '',
        'listen 443 ': `listen 127.0.0.1:${port} `,
        'listen 80;': `listen 127.0.0.1:${plainPort};`,
        '127.0.0.1:8080': upstream,
        '/etc/nginx/': `${folder}/`,
        '/etc/ssl/shop.example/fullchain.pem': cert,
        '/etc/ssl/shop.example/privkey.pem': key,
      });
    },
  );
  return { ...server, plainPort };
}

async function caddy(upstream: string): Promise<Proxy> {
  const folder = await mkdtemp(join(tmpdir(), 'sojourn-caddy-'));
  const { key, cert } = await makeCertificate(folder, [`DNS:${HOST}`]);
  const [port, plainPort] = [await freePort(), await freePort()];
  const global = `{
    admin off
    http_port ${plainPort}
    https_port ${port}
    default_bind 127.0.0.1
    storage file_system ${folder}
  }
`;
  const site = replaced(await readFile(join(ops, 'caddy', 'Caddyfile'), 'utf8'), {
    'shop.example {': `shop.example {\n\ttls ${cert} ${key}`,
    '127.0.0.1:8080': upstream,
  });
  const config = join(folder, 'Caddyfile');
  await writeFile(config, global + site);
  const server = spawn(
    String(inject('caddyBinary')),
    ['run', '--config', config, '--adapter', 'caddyfile'],
    { env: { HOME: folder }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let printed = '';
  server.stderr.on('data', (chunk) => {
    printed += chunk;
  });
  const exited = once(server, 'exit');
  await until(`Caddy serves: ${printed}`, async () =>
    printed.includes('serving initial configuration'),
  );
  return {
    port,
    plainPort,
    async stop() {
      server.kill();
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

const proxies = [
  { name: 'nginx', start: nginx, missing: inject('nginxBinary') === undefined },
  { name: 'Caddy', start: caddy, missing: inject('caddyBinary') === undefined },
];

for (const { name, start, missing } of proxies) {
  /** CI does not let the proxy be missing. */
  describe.skipIf(missing)(
    `${name} as configured in ops, before a server that is started as the systemd unit starts it`,
    () => {
      let credentials: string;
      let sojourn: SojournProcess;
      let proxy: Proxy;

      beforeAll(async () => {
        credentials = await mkdtemp(join(tmpdir(), 'sojourn-credentials-'));
        await writeFile(join(credentials, 'redis-password'), 'x');
        const { args, env } = await systemdService(credentials);
        const here = [
          '--port',
          '0',
          '--admin-port',
          '0',
          '--store',
          'memory',
          '--log-level',
          'info',
        ];
        sojourn = new SojournProcess([...args.slice(1), ...here], env);
        proxy = await start(`127.0.0.1:${new URL(await sojourn.url()).port}`);
      });
      afterAll(async () => {
        await proxy?.stop();
        await sojourn?.stop();
        await rm(credentials, { recursive: true });
      });

      const origin = () => `https://${HOST}:${proxy.port}`;

      /** By HTTP/2, as a browser asks for that site. */
      async function ask(path: string, headers: Record<string, string> = {}, body?: string) {
        const session = connect(origin(), {
          rejectUnauthorized: false, // the certificate signs itself
          createConnection: () =>
            connectTls({
              ...{ host: '127.0.0.1', port: proxy.port, servername: HOST },
              ...{ ALPNProtocols: ['h2'], rejectUnauthorized: false },
            }),
        });
        try {
          const form = body !== undefined && {
            ':method': 'POST',
            'content-type': 'application/x-www-form-urlencoded',
          };
          const request = session.request({ ':path': path, ...form, ...headers });
          request.end(body);
          const [answer] = (await once(request, 'response')) as [IncomingHttpHeaders];
          let text = '';
          request.setEncoding('utf8').on('data', (chunk) => {
            text += chunk;
          });
          await once(request, 'close');
          return { status: Number(answer[':status']), headers: answer, text };
        } finally {
          session.close();
        }
      }

      it('serves the page by HTTP/2, over TLS only', async () => {
        const page = await ask('/');
        expect(page.status).toBe(200);
        expect(page.text).toContain('Sojourn');
        expect(page.headers['strict-transport-security']).toBeDefined();
        const [answer] = await once(
          getPlain({
            port: proxy.plainPort,
            host: '127.0.0.1',
            path: '/x',
            headers: { Host: HOST },
          }),
          'response',
        );
        answer.resume();
        expect([301, 308]).toContain(answer.statusCode);
        expect(answer.headers.location).toMatch(/^https:\/\/shop\.example(:\d+)?\/x$/);
      });

      it('logs in from its own pages, with a cookie that browsers keep, and not from others', async () => {
        const login = await ask('/login', { origin: origin() }, 'username=ada');
        expect([login.status, login.text]).toEqual([200, expect.stringContaining('"ada"')]);
        expect(String(login.headers['set-cookie'])).toMatch(/^__Host-sid=.*; Secure/);
        const cookie = String(login.headers['set-cookie']).split(';')[0] ?? '';
        expect((await ask('/session', { cookie })).text).toContain('"authenticated":true');
        const foreign = await ask('/login', { origin: 'https://evil.example' }, 'username=ada');
        expect(foreign.status).toBe(403);
      });

      it.each([
        [{ 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }],
        [{ forwarded: 'host=evil.example;proto=https' }],
        [{ 'x-forwarded-host': 'evil.example, shop.example', forwarded: 'host=evil.example' }],
      ])('believes no client that says it is a proxy: %j', async (forged) => {
        const foreign = { origin: 'https://evil.example', ...forged };
        expect((await ask('/login', foreign, 'username=ada')).status).toBe(403);
        const own = { origin: origin(), ...forged };
        expect((await ask('/login', own, 'username=ada')).status).toBe(200);
      });

      it('keeps what is for operators to itself', async () => {
        for (const path of [
          '/metrics',
          '/readyz',
          '/metrics?x',
          '/%6detrics',
          '//metrics',
          '/x/../metrics',
        ]) {
          const { status, text } = await ask(path);
          expect([path, status]).toEqual([path, 404]);
          expect(text).not.toContain('sojourn_');
        }
        // As the comments in the configurations say.
        const own = await sojourn.url();
        expect((await fetch(new URL('/readyz', own))).status).toBe(200);
        expect((await fetch(new URL('/metrics', own))).status).toBe(404);
      });

      it('refuses what is larger than any form', async () => {
        const { status } = await ask(
          '/login',
          { origin: origin() },
          `username=${'x'.repeat(9000)}`,
        );
        expect(status).toBe(413);
      });

      it('gives names that are not its own no answer', async () => {
        const socket = connectTls({
          ...{ host: '127.0.0.1', port: proxy.port, servername: 'evil.example' },
          rejectUnauthorized: false,
        });
        const [error] = await once(socket, 'error');
        expect(error.message).toMatch(/unrecognized.name|internal.error|alert/i);
      });

      if (name === 'nginx') {
        it('limits how many sessions one address may start, and nothing else', async () => {
          const many = (path: string, body?: string) =>
            Promise.all(Array.from({ length: 40 }, () => ask(path, { origin: origin() }, body)));
          const logins = (await many('/login', 'username=ada')).map(({ status }) => status);
          expect(new Set(logins)).toEqual(new Set([200, 429]));
          for (const { status } of await many('/session')) expect(status).toBe(200);
        });

        it('writes its request id into the log of Sojourn', async () => {
          const { headers } = await ask('/session');
          expect(headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
          await until('it is logged', async () =>
            sojourn.stderr.includes(`"requestId":"${headers['x-request-id']}"`),
          );
        });
      }
    },
  );
}

describe.skipIf(inject('caddyBinary') === undefined)('the Caddyfile', () => {
  it('is valid, and written as Caddy writes it', async () => {
    const home = await mkdtemp(join(tmpdir(), 'sojourn-caddy-'));
    try {
      const run = (...args: string[]) =>
        promisify(execFile)(String(inject('caddyBinary')), args, { env: { HOME: home } });
      const file = join(ops, 'caddy', 'Caddyfile');
      const { stdout } = await run('validate', '--config', file, '--adapter', 'caddyfile');
      expect(stdout).toContain('Valid configuration');
      expect((await run('fmt', file)).stdout).toBe(await readFile(file, 'utf8'));
    } finally {
      await rm(home, { recursive: true });
    }
  });
});
