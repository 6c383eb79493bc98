import { build } from 'esbuild';

await build({
  entryPoints: ['worker.ts'],
  outfile: 'build/worker.js',
  bundle: true,
  format: 'esm',
  platform: 'node',
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire('/');",
  }, // ioredis is CommonJS
});
