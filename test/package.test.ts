import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConsumerProject, createConsumer } from './support/consumer-project.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

/** What exists for ES modules alone cannot resolve for CommonJS, nor for a resolution that knows no `exports`. */
const NOT_FOR = ['node10', 'node16-cjs'];

describe('the package as it is published', () => {
  let folder: string;
  let tarball: Buffer<ArrayBuffer>;
  let file: string;
  let names: string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sojourn-package-'));
    await run(process.execPath, [join('scripts', 'write-sbom.js')], { cwd: root }); // `prepack` would build anew as well
    const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
    const { stdout } = await run('npm', args, { cwd: root });
    const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
    file = join(folder, packed.filename);
    tarball = await readFile(file);
    names = packed.files.map(({ path }) => path);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('holds what it runs, its licence and its documents, and nothing else', () => {
    const top = new Set(names.map((name) => name.split('/')[0]));
    expect([...top].sort()).toEqual([
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'dist',
      'docs',
      'examples',
      'ops',
      'package.json',
      'sbom.cdx.json',
    ]);
    const program = names.filter((name) => !/^(docs|examples|ops)\//.test(name));
    expect(
      program.filter((name) => !/\.(js|js\.map|d\.ts|css|svg|md|json)$|^LICENSE$/.test(name)),
    ).toEqual([]);
    expect(names.filter((name) => /^docs\//.test(name) && !/\.(md|png)$/.test(name))).toEqual([]);
    expect(
      names.filter((name) => /^examples\//.test(name) && !/^[^/]+\/[^/]+\.ts$/.test(name)),
    ).toEqual([]);
  });

  it('holds every file that its README and its guides link to', async () => {
    const documents = names.filter((name) =>
      /^(README|CHANGELOG|SECURITY)\.md$|^docs\/.*\.md$/.test(name),
    );
    const missing: string[] = [];
    for (const document of documents) {
      const { stdout } = await run('tar', ['-xzOf', file, `package/${document}`]);
      const text = stdout.replace(/^```.*?^```/gms, '');
      for (const [, target = ''] of text.matchAll(/(?:\]\(|<img src=")([^)"\s#]+)/g)) {
        if (/^\w+:/.test(target) || names.includes(join(document, '..', target))) continue;
        missing.push(`${document}: ${target}`);
      }
    }
    expect(documents.length).toBeGreaterThan(15);
    expect(missing).toEqual([]);
  });

  it('is not published while the manifest does not say where its documents are', async () => {
    const args = [join('scripts', 'check-manifest.js')];
    const { repository, bugs, homepage } = JSON.parse(
      await readFile(join(root, 'package.json'), 'utf8'),
    );
    const check = run(process.execPath, args, { cwd: root });
    if (repository && bugs && homepage) await check;
    else await expect(check).rejects.toThrow(/package\.json lacks (repository|bugs|homepage)/);
  });

  it('lists what comes along, and nothing of the machine that packed it', async () => {
    const { stdout } = await run('tar', ['-xzOf', file, 'package/sbom.cdx.json']);
    const { bomFormat, metadata, components, dependencies } = JSON.parse(stdout);
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    expect(bomFormat).toBe('CycloneDX');
    expect(metadata.component).toMatchObject({ name: 'sojourn', version: manifest.version });
    // What npm has marked in the lock file as nothing but development's is what must be missing.
    const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
    const needed = Object.entries<{ version: string; dev?: true; devOptional?: true }>(packages)
      .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
      .map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`);
    const listed = components.map((one: { 'bom-ref': string }) => one['bom-ref']);
    expect([...listed].sort()).toEqual(needed.sort());
    for (const name of Object.keys(manifest.dependencies)) {
      expect(dependencies[0].dependsOn.join(' ')).toContain(`${name}@`);
    }
    for (const { hashes, licenses } of components)
      expect([hashes.length, licenses.length]).toEqual([1, 1]);
    expect(stdout).not.toContain(root.replace(/\/$/, ''));
    // Nor does it name where packages were had from: no address but that of the format.
    expect(stdout.match(/\w+:\/\/[^"]*/g)).toEqual([
      'http://cyclonedx.org/schema/bom-1.5.schema.json',
    ]);
  });

  it('passes publint without a remark', async () => {
    const { messages } = await publint({
      pack: { tarball: new Uint8Array(tarball).buffer },
      strict: true,
    });
    expect(messages).toEqual([]);
  });

  it('gives every door its types, as ES modules', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
    if (!analysis.types) throw new Error('The package has no types.');
    const doors = Object.keys(analysis.entrypoints);
    expect(doors).toEqual(
      expect.arrayContaining([
        ...['.', './adapter', './admin', './redis', './express', './prometheus', './testing'],
      ]),
    );
    expect(
      analysis.problems.filter(
        (problem) => !('resolutionKind' in problem && NOT_FOR.includes(problem.resolutionKind)),
      ),
    ).toEqual([]);
  });

  describe('in a project that installed it', () => {
    const packages = [
      'express',
      'express-session',
      'typescript',
      '@types/express-session',
      '@types/node',
    ];
    let consumer: ConsumerProject;

    beforeAll(async () => {
      const files = {
        'app.ts': application,
        'tsconfig.json': JSON.stringify(strictly),
        'common.cts': commonJs,
      };
      consumer = await createConsumer({ root, tarball: file, packages, files });
    });
    afterAll(() => consumer?.remove());

    it('compiles strictly, with every declaration checked, and runs', async () => {
      expect(await tsc()).toBe('');
      expect(await consumer.run(process.execPath, 'app.js')).toBe(
        'true green true 503 ok true true\n',
      );
    }, 60_000);

    it('gives it the program', async () => {
      const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
      expect(await consumer.run('npx', '--no', '--', 'sojourn', '--version')).toBe(`${version}\n`);
      const listing = consumer.run('npx', '--no', '--', 'sojourn', 'ls', '--redis-port', '1');
      await expect(listing).rejects.toThrow(/sojourn: cannot use Redis at localhost:1: /);
    });

    it('compiles for a bundler', async () => {
      expect(await tsc('--noEmit', '--module', 'esnext', '--moduleResolution', 'bundler')).toBe('');
    }, 60_000);

    it('compiles and runs where a CommonJS program requires it', async () => {
      const options = '--strict --module nodenext --target es2023 --types node'.split(' ');
      expect(await tsc('--ignoreConfig', ...options, 'common.cts')).toBe('');
      expect(await consumer.run(process.execPath, 'common.cjs')).toBe('green\n');
    }, 60_000);

    it('declares nothing by the name of a file that it does not hold', async () => {
      const installed = join(consumer.folder, 'node_modules', 'sojourn');
      const declarations = names.filter((name) => name.endsWith('.d.ts'));
      expect(declarations.length).toBeGreaterThan(6);
      for (const name of declarations) {
        const text = await readFile(join(installed, name), 'utf8');
        for (const [, path = ''] of text.matchAll(/(?:from |import\()['"](\.[^'"]*)['"]/g)) {
          const declared = join(name, '..', path).replace(/\.js$/, '.d.ts');
          expect(names, `${path} of ${name}`).toContain(declared);
        }
      }
    });

    const tsc = (...args: string[]) =>
      consumer.run(process.execPath, 'node_modules/typescript/bin/tsc', ...args);

    it('loads its core, the stores and the contract where nothing else is installed', async () => {
      const bare = join(folder, 'bare');
      await mkdir(join(bare, 'node_modules'), { recursive: true });
      const installed = join('node_modules', 'sojourn');
      await cp(join(consumer.folder, installed), join(bare, installed), { recursive: true });
      const code = `
        const doors = ['sojourn', 'sojourn/memory', 'sojourn/redis', 'sojourn/fetch', 'sojourn/adapter', 'sojourn/testing'];
        for (const door of doors) await import(door);
        await import('sojourn/near-cache').catch((error) => console.log(error.code));`;
      const args = ['--input-type=module', '--eval', code];
      const { stdout } = await run(process.execPath, args, { cwd: bare });
      expect(stdout).toBe('ERR_MODULE_NOT_FOUND\n'); // so nothing was found outside of the project either
    });
  });
});

const strictly = {
  compilerOptions: {
    ...{ target: 'es2023', module: 'nodenext', types: ['node'] },
    ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false },
  },
  files: ['app.ts'],
};

const commonJs = `
import session = require('express-session');
import { SojournStore } from 'sojourn/express';
import { MemorySessionRepository } from 'sojourn/memory';

const store = new SojournStore({ repository: new MemorySessionRepository() });
session({ store, secret: 's', resave: false, saveUninitialized: false });
const data = { cookie: { originalMaxAge: null }, color: 'green' };
store
  .set('id', data)
  .then(() => store.get<typeof data>('id'))
  .then((found) => console.log(found?.color));
`;

const application = `
import express from 'express';
import session from 'express-session';
import { Hono } from 'hono';
import { observers, type Session, SessionService, StoreUnavailableError } from 'sojourn';
import { operatorConsole } from 'sojourn/admin';
import { SojournStore } from 'sojourn/express';
import { sessions } from 'sojourn/hono';
import { MemorySessionRepository } from 'sojourn/memory';
import { SessionSpans } from 'sojourn/opentelemetry';
import { SessionMetrics } from 'sojourn/prometheus';
import { connectRedis } from 'sojourn/redis';
import { sessionRepositoryContract } from 'sojourn/testing';

const repository = new MemorySessionRepository();
const metrics = new SessionMetrics({ countSessions: () => repository.count() });
const observer = observers([metrics, new SessionSpans()]);
const service = new SessionService({ repository, observer });
const { token } = await service.create({ color: 'green' });
const found: Session | undefined = await service.get(token);

const app = new Hono();
app.use(sessions({ service }));
app.get('/', async (c) => c.text('ok'));
app.route('/admin', operatorConsole({ service, repository, operator: () => 'ada', audit: console.error }));
const assets = await Promise.all(['css', 'js'].map((name) => app.request(\`/admin/console.\${name}\`)));

express().use(
  session({ store: new SojournStore({ repository }), secret: 's', resave: false, saveUninitialized: false }),
);

const status = await connectRedis({ kind: 'server', host: '127.0.0.1', port: 1 }).then(
  () => 200,
  (error: unknown) => (error instanceof StoreUnavailableError ? 503 : 500),
);
const text = await (await app.request('/')).text();
const counted = (await metrics.registry.metrics()).includes('sojourn_sessions_active 1');
console.log(counted, found?.fields.color, sessionRepositoryContract.length > 40, status, text, ...assets.map(({ ok }) => ok));
`;
