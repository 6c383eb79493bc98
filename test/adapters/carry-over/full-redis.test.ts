import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fromConnectRedis } from '../../../src/adapters/express/carry-over/from-connect-redis.ts';
import { nodeSecrets } from '../../../src/adapters/node/node-secrets.ts';
import { deriveCredential, mintSession } from '../../../src/domain/session-token.ts';
import {
  type Credential,
  carryOver,
  type MovableRepository,
  type SessionCopy,
  type SessionRepository,
  StoreUnavailableError,
} from '../../../src/index.ts';
import { RedisSessionRepository } from '../../../src/redis.ts';
import { describeWithServers, redisBinary } from '../../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../../support/redis-server.ts';
import { until } from '../../support/until.ts';

const TTL = 3600;
const at = '2026-04-02T12:40:00+00:00';
const limits = { maxFields: 9, maxTotalBytes: 999 };

/** Whose sessions move, from the first server to the second of a pair. */
interface Move {
  readonly credential: Credential;
  readonly from: MovableRepository;
  readonly to: MovableRepository;
  begin(): Promise<unknown>;
  servers(phase: 'prepare' | 'move'): SessionRepository;
}

const to = (client: Redis) => new RedisSessionRepository({ client, prefix: 'new:' });

const kinds = {
  "a session of Sojourn's own"(there: Redis, here: Redis): Move {
    const { credential } = mintSession(nodeSecrets);
    const two = {
      from: new RedisSessionRepository({ client: there, prefix: 'old:' }),
      to: to(here),
    };
    return {
      ...two,
      credential,
      async begin() {
        await two.from.users.add({ user: 'ada', id: credential.id, keepMs: 1e7, max: undefined });
        await two.from.create({
          ...{ credential, user: 'ada', fields: new Map([['a', '1']]), ttl: TTL, at },
          ...{ lifetime: undefined, device: {}, persistent: false },
        });
      },
      servers: (phase) => carryOver({ ...two, phase }),
    };
  },
  'a session of connect-redis'(there: Redis, here: Redis): Move {
    const sid = randomUUID();
    const credential = deriveCredential(sid, nodeSecrets);
    const own = to(here);
    const of = (phase: 'prepare' | 'move') =>
      fromConnectRedis({ client: there, phase })
        .onTheWayTo(own, { clock: Date, userOf: () => 'ada', lifetime: undefined })
        .of(sid, credential);
    return {
      ...{ from: of('move').from, to: own, credential },
      begin: () => {
        const session = { cookie: { originalMaxAge: TTL * 1000, path: '/' }, a: 1 };
        return there.set(`sess:${sid}`, JSON.stringify(session), 'EX', TTL);
      },
      servers: (phase) => of(phase).repository,
    };
  },
};

describeWithServers('where the memory of Redis is full', () => {
  let servers: RedisServer[] = [];
  let clients: Redis[] = [];
  beforeAll(async () => {
    servers = await Promise.all([1, 2].map(() => startRedisServer({ binary: redisBinary() })));
    clients = servers.map(({ url }) => new Redis(url));
  });
  beforeEach(async () => {
    await fill(0);
    for (const client of clients) await client.flushall();
  });
  afterAll(async () => {
    for (const client of clients) client.disconnect();
    for (const server of servers) await server.stop();
  });
  const client = (i: number) => clients[i] as Redis;

  /** `0` empties them. */
  async function fill(maxmemory: 0 | 1, ...which: number[]): Promise<void> {
    for (const i of which.length > 0 ? which : [0, 1]) {
      await client(i).config('SET', 'maxmemory', maxmemory);
    }
  }

  const get = ({ credential, servers }: Move) =>
    servers('move').access(credential, { at, refreshAfterMs: 0 });

  describe.each(Object.entries(kinds))('%s', (_kind, open) => {
    describe.each([
      ['both places in one full Redis', 0, [0]],
      ['a full new place', 1, [1]],
      ['a full old and a full new place', 1, [0, 1]],
    ] as const)('%s', (_name, here, full) => {
      it('stays in use in the old place where the new one refuses it', async () => {
        const move = open(client(0), client(here));
        await move.begin();
        await fill(1, ...full);
        const moving = move.servers('move');
        const write = { set: new Map([['b', '2']]), unset: [], limits, ttl: undefined, at };
        for (const use of [() => get(move), () => moving.update(move.credential, write)]) {
          const refused = await use().catch((error: unknown) => error);
          expect(refused).toBeInstanceOf(StoreUnavailableError);
          expect(refused).toMatchObject({ outcome: 'refused' });
          const session = await move.servers('prepare').read(move.credential);
          expect(session).toMatchObject({ fields: { a: '1' } });
          expect(await move.to.find(move.credential.id)).toBeUndefined();
        }
        await fill(0);
        expect(await get(move)).toMatchObject({ fields: { a: '1' }, ttl: TTL });
      });

      it.each(['adopted', 'released'] as const)(
        'is used where its move had got to `%s` before',
        async (stage) => {
          const move = open(client(0), client(here));
          await move.begin();
          const { claim } = await beginMove(move, stage);
          await fill(1, ...full);
          const session = await get(move);
          expect(session).toMatchObject({ fields: { a: '1' }, ttl: TTL });
          await until('the session opens in the new place alone', async () => {
            return (await move.to.read(move.credential)) !== undefined;
          });
          expect(await move.to.read(move.credential)).toMatchObject({ user: 'ada' });
          expect(await move.to.moves.placeOf('ada', move.credential.id)).toBeDefined();
          expect(await move.from.moves.release(move.credential.id, claim)).toBe(false);
        },
      );

      it('ends by a logout, however far its move had got', async () => {
        for (const stage of ['frozen', 'adopted', 'released'] as const) {
          await fill(0);
          for (const one of clients) await one.flushall();
          const move = open(client(0), client(here));
          await move.begin();
          await beginMove(move, stage);
          await fill(1, ...full);
          expect(await move.servers('move').end(move.credential.id, { unbornMs: 0 })).toBeDefined();
          await fill(0);
          expect(await get(move)).toBeUndefined();
        }
      });
    });

    it('a full old place gives it up to one that has room, also to a program that uses none', async () => {
      for (const freeze of [{}, { use: { at, refreshAfterMs: 0 } }]) {
        const move = open(client(0), client(1));
        await fill(0);
        await move.begin();
        await fill(1, 0);
        const frozen = await move.from.moves.freeze(move.credential, freeze);
        expect(frozen).toHaveProperty('copy');
        expect(await get(move)).toMatchObject({ fields: { a: '1' } });
        await until(
          'nothing is left in the old place',
          async () => (await client(0).dbsize()) === 0,
        );
        expect(await move.to.read(move.credential)).toMatchObject({ fields: { a: '1' } });
        await client(1).flushall();
      }
    });

    it('what is left of it in the old place keeps its expiry', async () => {
      const move = open(client(0), client(1));
      await move.begin();
      await beginMove(move, 'released');
      const [key = ''] = (await client(0).keys('*')).filter((name) => !name.includes('user'));
      expect(await client(0).hkeys(key)).toEqual(['session_released']);
      expect(await client(0).ttl(key)).toBeGreaterThan(TTL - 60);
    });
  });
});

/** Goes so far, and no further. */
async function beginMove(
  { from, to, credential }: Move,
  stage: 'frozen' | 'adopted' | 'released',
): Promise<SessionCopy> {
  const frozen = await from.moves.freeze(credential);
  if (typeof frozen !== 'object' || !('copy' in frozen)) throw new Error('Not frozen.');
  const { copy } = frozen;
  if (stage !== 'frozen') expect(await to.moves.adopt(copy)).toMatchObject({ isNew: true });
  if (stage === 'released') expect(await from.moves.release(copy.id, copy.claim)).toBe(true);
  return copy;
}
