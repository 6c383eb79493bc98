import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectRedis, type RedisConnection } from '../../src/adapters/redis/connect-redis.ts';
import { CommandTrace } from '../../src/adapters/redis/inspect/command-trace.ts';
import { RedisJournal } from '../../src/adapters/redis/redis-journal.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { SessionService } from '../../src/index.ts';
import { describeLive, redisUrl, useTestPrefix } from '../support/live-redis.ts';
import { patient } from '../support/patience.ts';

describeLive('CommandTrace', () => {
  const prefix = useTestPrefix();
  let connection: RedisConnection;
  let trace: CommandTrace;
  let service: SessionService;

  beforeAll(async () => {
    connection = await connectRedis({ kind: 'url', url: redisUrl() }, patient);
    trace = new CommandTrace(connection.client);
    const { client } = connection;
    service = new SessionService({ repository: new RedisSessionRepository({ client, prefix }) });
  });
  afterAll(async () => {
    await connection?.close();
  });

  it('tells what work asked, and what it answered', async () => {
    const { token, session } = await service.create({ name: 'Ada Lovelace' });
    await service.peek(token); // from now on the connection knows the script
    const { answer, cost } = await trace.during(() => service.peek(token));
    expect(answer?.fields.name).toBe('Ada Lovelace');
    expect(cost.commands).toEqual([
      `EVALSHA sojournRead 1 ${prefix}${session.id} <secret's hash> ""`,
    ]);
    expect(cost.roundTrips).toBe(1);
    expect(cost.waitedMs).toBeGreaterThan(0);
  });

  it('counts commands that are under way together as one round trip', async () => {
    const { client } = connection;
    const together = await trace.during(() => Promise.all([client.ping(), client.ping()]));
    expect(together.cost).toMatchObject({ commands: ['PING', 'PING'], roundTrips: 1 });
    const inTurn = await trace.during(async () => {
      await client.ping();
      await client.ping();
    });
    expect(inTurn.cost).toMatchObject({ commands: ['PING', 'PING'], roundTrips: 2 });
  });

  it('keeps apart who works at the same time, and counts for nobody outside', async () => {
    const { client } = connection;
    const [one, two] = await Promise.all([
      trace.during(() => client.echo('one')),
      trace.during(() => client.echo('two')),
      client.echo('nobody'),
    ]);
    expect(one.cost.commands).toEqual(['ECHO one']);
    expect(two.cost.commands).toEqual(['ECHO two']);
  });

  it('names the scripts of the journal as well', async () => {
    const journal = new RedisJournal({ client: connection.client, prefix });
    const { cost } = await trace.during(() => journal.read('ada'));
    expect(cost.commands).toEqual([expect.stringMatching(/^EVAL(SHA)? sojournJournalRead 1 /)]);
  });

  it('shows nobody a secret or its hash', async () => {
    const { cost, answer } = await trace.during(() => service.create({ note: "it's" }));
    const [, secret = ''] = answer.token.split('.');
    const text = cost.commands.join('\n');
    expect(text).not.toContain(secret);
    expect(text).toContain(`session_secret <secret's hash> note "it's"`);
  });
});
