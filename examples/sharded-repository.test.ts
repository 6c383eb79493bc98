/** The adapter of our own, proven by the contract: `node --test`, or vitest with its `describe` and `it`. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SessionService } from 'sojourn';
import { MemorySessionRepository } from 'sojourn/memory';
import { sessionRepositoryContract } from 'sojourn/testing';
import { ShardedRepository } from './sharded-repository.ts';

let now = Date.parse('2026-04-02T12:34:56Z');
const clock = { now: () => now };
const shards = [1, 2, 3].map(() => new MemorySessionRepository(clock));
const repository = new ShardedRepository(shards);
const elapse = async (ms: number) => {
  now += ms;
};

describe('the contract, kept by ShardedRepository', () => {
  for (const { name, run } of sessionRepositoryContract) {
    it(name, () => run({ repository, elapse }));
  }
});

it('uses every shard', async () => {
  const service = new SessionService({ repository });
  const ids = [];
  for (let i = 0; i < 100; i += 1) ids.push((await service.create()).session.id);
  for (const shard of shards) {
    const found = await Promise.all(ids.map((id) => shard.find(id)));
    assert.notEqual(found.filter((session) => session !== undefined).length, 0);
  }
});
