import { after, describe, it } from 'node:test';
import { closeRedis, memoryCases, redisCases } from './contract.ts';

after(closeRedis);
for (const [name, run] of memoryCases) it(name, run);
describe('at once', { concurrency: true }, () => {
  for (const [name, run] of redisCases) it(name, run);
});
