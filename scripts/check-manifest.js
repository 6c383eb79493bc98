import { readFileSync } from 'node:fs';

// npm resolves the relative links and images of README.md against `repository`: without it the package's page is full of
// dead ones.
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const missing = ['repository', 'bugs', 'homepage'].filter((field) => !manifest[field]);
if (missing.length > 0) {
  console.error(`package.json lacks ${missing.join(', ')}: see "Releases" in CONTRIBUTING.md`);
  process.exitCode = 1;
}
