import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

it('the API reference covers every entry point of the package', async () => {
  const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const { entryPoints } = JSON.parse(await readFile(join(root, 'typedoc.json'), 'utf8'));
  const names = Object.keys(exports).filter((name) => !name.endsWith('.json'));
  const sources = names.map((name) => (name === '.' ? 'src/index.ts' : `src/${name.slice(2)}.ts`));
  expect([...entryPoints].sort()).toEqual(sources.sort());
});

describe('the site that npm run docs builds', () => {
  let clone: string;
  let site: string;
  let pages: ReadonlyMap<string, string>;

  beforeAll(async () => {
    clone = await cleanClone();
    const typedoc = join(root, 'node_modules', 'typedoc', 'bin', 'typedoc');
    // It fails where something is missing that typedoc.json requires, and says what.
    await run(process.execPath, [typedoc], { cwd: clone }).catch((error) => {
      expect(error.stdout + error.stderr).toBe('');
    });
    site = join(clone, 'site');
    const files = await readdir(site, { recursive: true });
    const html = files.filter((name) => name.endsWith('.html'));
    pages = new Map(
      await Promise.all(
        html.map(async (name) => [name, await readFile(join(site, name), 'utf8')] as const),
      ),
    );
  }, 120_000);
  afterAll(() => rm(clone, { recursive: true, force: true }));

  it('has every public symbol, and every guide under its heading', async () => {
    expect(pages.get('classes/express.SojournStore.html')).toContain('express-session');
    for (const name of await readdir(join(root, 'docs'))) {
      if (!name.endsWith('.md')) continue;
      const [, heading] = /^# (.*)$/m.exec(await readFile(join(root, 'docs', name), 'utf8')) ?? [];
      expect(
        [...pages.values()].filter((html) => html.includes(`<h1>${heading}</h1>`)),
      ).toHaveLength(1);
    }
  });

  it('groups the guides as README does', () => {
    const headings = [...(pages.get('modules.html') ?? '').matchAll(/<h2[^>]*>([^<]*)/g)];
    expect(headings.map(([, text]) => text?.trim())).toEqual([
      'For application developers',
      'For operators',
      'Background',
      'Modules',
    ]);
  });

  it('has no link, image or script that leads nowhere', async () => {
    const files = new Set(await readdir(site, { recursive: true }));
    const broken: string[] = [];
    let links = 0;
    for (const [page, html] of pages) {
      for (const target of targetsIn(html)) {
        links += 1;
        const [path = '', anchor = ''] = target.split('#');
        const file = path === '' ? page : join(dirname(page), decodeURIComponent(path));
        const found = files.has(file) && (anchor === '' || hasAnchor(pages.get(file), anchor));
        if (!found) broken.push(`${page}: ${target}`);
      }
    }
    expect(broken).toEqual([]);
    expect(links).toBeGreaterThan(1000);
  });

  it('leads from a guide to other guides, to the API and to the files that operators take', () => {
    const operations = pages.get('documents/Operations.html') ?? '';
    expect(operations).toMatch(/href="Observability\.html#logs"/);
    expect(operations).toMatch(/href="\.\.\/media\/sojourn\.conf"/);
    expect(pages.get('index.html')).toMatch(/href="classes\/express\.SojournStore\.html"/);
    expect(pages.get('documents/Redis_clients.html')).toMatch(
      /href="\.\.\/functions\/redis\.connectRedis\.html"/,
    );
    expect(pages.get('modules/hono.html')).toMatch(
      /href="\.\.\/documents\/The_Hono_middleware\.html"/,
    );
  });

  describe.skipIf(inject('chromiumBinary') === undefined)('opened from a folder', () => {
    it.each([
      ['durably', 'SessionService.durably'],
      ['failover', 'What happens when Redis fails'],
      ['systemd', 'Operations'],
    ])('finds %j without a server: %s', async (query, hit) => {
      const browser = await chromium.launch({ executablePath: inject('chromiumBinary') ?? '' });
      try {
        const page = await browser.newPage();
        await page.goto(pathToFileURL(join(site, 'index.html')).href);
        expect(await page.locator('img').first().evaluate(loaded)).toBe(true);
        await page.locator('#tsd-search-trigger').click();
        await page.locator('#tsd-search-input').fill(query);
        const hits = page.locator('#tsd-search-results li');
        await hits.filter({ hasText: hit }).first().click();
        await page
          .locator('h1')
          .filter({ hasText: hit.split('.')[0] ?? '' })
          .first()
          .waitFor();
      } finally {
        await browser.close();
      }
    });
  });
});

/** The files that git has or would take, and the packages: so nothing that only this folder has can help. */
async function cleanClone(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sojourn-site-'));
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { stdout } = await run('git', args, { cwd: root });
  const tops = new Set(
    stdout
      .split('\0')
      .filter(Boolean)
      .map((path) => path.split('/')[0] ?? ''),
  );
  const listed = new Set(stdout.split('\0').flatMap((path) => [path, ...parentsOf(path)]));
  for (const top of tops) {
    await cp(join(root, top), join(folder, top), {
      recursive: true,
      filter: (source) => listed.has(relative(root, source)),
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error; // removed, and not yet for git
    });
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

function parentsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === '.' ? [] : [parent, ...parentsOf(parent)];
}

/** Every address within the site that the page names. */
function targetsIn(html: string): string[] {
  return [...html.matchAll(/<(?:a|img|script|link)\b[^>]*?\s(?:href|src)="([^"]*)"/g)]
    .map(([, target = '']) => target.replaceAll('&amp;', '&'))
    .filter((target) => !/^\w+:/.test(target));
}

function hasAnchor(html: string | undefined, anchor: string): boolean {
  const id = decodeURIComponent(anchor);
  return html === undefined || html.includes(` id="${id}"`) || html.includes(` id="${anchor}"`);
}

function loaded(image: object): boolean {
  return 'naturalWidth' in image && Number(image.naturalWidth) > 0;
}
