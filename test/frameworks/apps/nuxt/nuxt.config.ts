export default defineNuxtConfig({
  compatibilityDate: '2026-11-01',
  telemetry: false,
  nitro: { esbuild: { options: { target: 'es2023' } } }, // sessions.ts awaits at its top
});
