import { closeRedis, memoryCases, redisCases } from './contract.ts';

for (const [name, run] of memoryCases) Deno.test(name, run);
Deno.test('the contract, kept by Redis', async (t) => {
  const sanitize = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
  await Promise.all(redisCases.map(([name, fn]) => t.step({ name, fn, ...sanitize })));
  await closeRedis();
});
