import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Certificate, makeCertificate } from './certificate.ts';
import { until } from './until.ts';

export interface Nginx {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * nginx with TLS and HTTP/2 on a free port of the loopback. `sites` says for each host name where it passes requests on
 * to; it tells them host and scheme in `X-Forwarded-Host` and `X-Forwarded-Proto`, as its documentation advises.
 */
export function startNginx(
  binary: string,
  sites: Readonly<Record<string, string>>,
): Promise<Nginx> {
  return startConfiguredNginx(binary, Object.keys(sites), ({ port, key, cert }) => {
    const servers = Object.entries(sites).map(
      ([host, upstream]) => `
  server {
    listen 127.0.0.1:${port} ssl http2;
    server_name ${host};
    ssl_certificate ${cert};
    ssl_certificate_key ${key};
    location / {
      proxy_pass ${upstream};
      proxy_http_version 1.1;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $upgrade_or_close;
    }
  }`,
    );
    return `map $http_upgrade $upgrade_or_close { default upgrade; '' close; }
${servers.join('\n')}`;
  });
}

/** What a configuration is told of the machine that it is for. */
export interface NginxPlace extends Certificate {
  /** Free; nginx accepts connections there once it runs. */
  readonly port: number;
  /** To put files in. Removed at the end. */
  readonly folder: string;
}

/** nginx with what `configure` answers inside of `http {}`, and a certificate for these hosts. */
export async function startConfiguredNginx(
  binary: string,
  hosts: readonly string[],
  configure: (place: NginxPlace) => string | Promise<string>,
): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), 'sojourn-nginx-'));
  const names = hosts.map((host) => `DNS:${host}`);
  const port = await freePort();
  const http = await configure({ ...(await makeCertificate(folder, names)), port, folder });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `  ${kind}_temp_path ${folder}/${kind};`)
    .join('\n');
  const config = join(folder, 'nginx.conf');
  await writeFile(
    config,
    `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
${temporary}
${http}
}
`,
  );
  const server = spawn(binary, ['-c', config, '-p', folder, '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(server, 'exit');
  let printed = '';
  server.stderr.on('data', (chunk) => {
    printed += chunk;
  });
  const failed = exited.then(() => Promise.reject(new Error(`nginx did not start: ${printed}`)));
  await Promise.race([until('nginx accepts connections', () => answers(port)), failed]);
  failed.catch(() => {}); // from now on it ends when it is told to
  return {
    port,
    async stop() {
      server.kill();
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('The probe has no port');
  return address.port;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false; // not listening yet
  } finally {
    socket.destroy();
  }
}
