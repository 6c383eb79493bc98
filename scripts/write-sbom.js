/**
 * Writes sbom.cdx.json: what a program that installs Sojourn gets along, in the versions that were tested, as CycloneDX. From the
 * lock file, so that it says nothing of this machine or of where the packages were downloaded.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = new URL('../', import.meta.url);
const read = async (file) => JSON.parse(await readFile(new URL(file, root), 'utf8'));
const { name, dependencies } = await read('package.json');
const { packages } = await read('package-lock.json');

const { npm_execpath: npm } = process.env;
const [program, ...first] = npm === undefined ? ['npm'] : [process.execPath, npm];
const args = [...first, 'sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
// Inside of `npm pack` its own options are in the environment, and would be options of this one too.
const env = Object.fromEntries(
  Object.entries(process.env).filter(([variable]) => !variable.startsWith('npm_config_')),
);
const { stdout } = await promisify(execFile)(program, args, {
  cwd: fileURLToPath(root),
  env,
  maxBuffer: 64 * 1024 * 1024,
});
const sbom = JSON.parse(stdout);

// `--omit dev` leaves out what development needs as well, ioredis among it. So from all packages those that are reached are taken.
const edges = new Map(sbom.dependencies.map(({ ref, dependsOn = [] }) => [ref, dependsOn]));
const self = sbom.metadata.component['bom-ref'];
const direct = Object.keys(dependencies).map(
  (dependency) => `${dependency}@${packages[`node_modules/${dependency}`].version}`,
);
edges.set(self, direct);
const reached = new Set([self]);
for (const ref of reached) for (const next of edges.get(ref) ?? []) reached.add(next); // grows as it is walked through

sbom.metadata.component.name = name; // npm takes the folder's
sbom.components = sbom.components.filter((component) => reached.has(component['bom-ref']));
sbom.dependencies = [...edges]
  .filter(([ref]) => reached.has(ref))
  .map(([ref, dependsOn]) => ({ ref, dependsOn: dependsOn.filter((one) => reached.has(one)) }));
await writeFile(new URL('sbom.cdx.json', root), `${JSON.stringify(sbom, undefined, 2)}\n`);
