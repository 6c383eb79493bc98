import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RedisJournal } from '../../src/redis.ts';
import {
  JOURNAL_CONTRACT_MAX_ENTRIES as maxEntries,
  sessionJournalContract,
} from '../../src/testing.ts';
import { type Deployment, deployments } from '../support/deployments.ts';
import {
  describeLive,
  describeWithServers,
  redisUrl,
  useTestPrefix,
} from '../support/live-redis.ts';
import { type ConnectedClient, redisClients } from '../support/redis-clients.ts';

describeLive('the contract of a journal, kept in a shared Redis', { concurrent: true }, () => {
  const prefix = useTestPrefix();
  let client: Redis;
  let journal: RedisJournal;
  beforeAll(() => {
    client = new Redis(redisUrl());
    journal = new RedisJournal({ client, prefix, maxEntries });
  });
  afterAll(() => client.quit());
  for (const { name, run } of sessionJournalContract) {
    it(name, () => run({ journal }));
  }
});

describeWithServers.each(deployments)('the contract of a journal on $name', ({ kind, start }) => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await start();
  });
  afterAll(() => deployment?.stop());

  it.each(redisClients.filter(({ reaches }) => reaches === kind))(
    'is kept by $name',
    async (type) => {
      const prefix = `test:${type.name.replaceAll(/\W+/g, '-')}:`;
      const { client, close }: ConnectedClient = await type.connect(deployment.address);
      try {
        const journal = new RedisJournal({ client, prefix, maxEntries });
        const broken: unknown[] = [];
        for (const { name, run } of sessionJournalContract) {
          await run({ journal }).catch((error: unknown) => broken.push({ name, error }));
        }
        expect(broken).toEqual([]);
      } finally {
        await close();
      }
    },
    60_000,
  );
});
