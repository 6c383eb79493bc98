/** The parts of the build that no compiler does. */
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';

// Style sheets and pictures go beside the bundled scripts.
for (const folder of ['http/browser/', 'http/demo/browser/', 'http/admin/browser/']) {
  const source = new URL(`../src/${folder}`, import.meta.url);
  const target = new URL(`../dist/${folder}`, import.meta.url);
  await mkdir(target, { recursive: true });
  for (const name of await readdir(source)) {
    if (/\.(css|svg)$/.test(name)) await copyFile(new URL(name, source), new URL(name, target));
  }
}

// The compiler leaves `./session.ts` in declarations, a file that is not published; other tools than TypeScript look for it.
const dist = new URL('../dist/', import.meta.url);
for (const name of await readdir(dist, { recursive: true })) {
  if (!name.endsWith('.d.ts')) continue;
  const file = new URL(name, dist);
  const text = await readFile(file, 'utf8');
  const published = text.replace(/(\bfrom |\bimport\()(['"])(\.[^'"]*)\.tsx?\2/g, '$1$2$3.js$2');
  if (published !== text) await writeFile(file, published);
}
