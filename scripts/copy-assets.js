/** The part of the build that no compiler does: the page's style sheets go beside its compiled scripts. */
import { copyFile, mkdir, readdir } from 'node:fs/promises';

const source = new URL('../src/http/demo/browser/', import.meta.url);
const target = new URL('../dist/http/demo/browser/', import.meta.url);

await mkdir(target, { recursive: true });
for (const name of await readdir(source)) {
  if (name.endsWith('.css')) await copyFile(new URL(name, source), new URL(name, target));
}
