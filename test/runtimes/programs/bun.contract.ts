import { afterAll, test } from 'bun:test';
import { closeRedis, memoryCases, redisCases } from './contract.ts';

afterAll(closeRedis);
for (const [name, run] of memoryCases) test(name, run);
for (const [name, run] of redisCases) test.concurrent(name, run);
