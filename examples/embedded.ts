/** Sessions without HTTP: a game server that knows its players by a token in their first message. Needs no Redis. */
import assert from 'node:assert/strict';
import { type SessionEvent, SessionService } from 'sojourn';
import { MemorySessionRepository } from 'sojourn/memory';

const events: SessionEvent[] = [];
const service = new SessionService({
  repository: new MemorySessionRepository(), // or RedisSessionRepository, and nothing else changes
  policy: { ttl: 300, maxSessions: 2 },
  observer: { notify: (event) => void events.push(event) },
});

/** What a connection does with a message, and the answer to send. */
async function receive(message: { token: string; move: string }): Promise<string> {
  const session = await service.get(message.token);
  if (session === undefined) return 'log in first';
  const moves = await service.increment(message.token, 'moves');
  await service.update(message.token, { set: { last_move: message.move } });
  return `${session.user}, move ${moves}: ${message.move}`;
}

// A player logs in on a phone, and on a laptop.
const phone = await service.create({ level: '1' }, { user: 'ada', device: { label: 'phone' } });
const laptop = await service.create({ level: '1' }, { user: 'ada', device: { label: 'laptop' } });
assert.equal(await receive({ token: phone.token, move: 'e4' }), 'ada, move 1: e4');
assert.equal(await receive({ token: 'guessed', move: 'e5' }), 'log in first');

// Moves that arrive together all count.
await Promise.all(['d4', 'c4', 'Nf3'].map((move) => receive({ token: phone.token, move })));
assert.equal((await service.peek(phone.token))?.fields.moves, '4');

// A third device takes the place of the oldest.
await service.create({}, { user: 'ada', device: { label: 'tablet' } });
assert.equal(await receive({ token: phone.token, move: 'Qh5' }), 'log in first');
const labels = (await service.list('ada')).map(({ device }) => device.label);
assert.deepEqual(labels, ['laptop', 'tablet']);

// A reward is paid once, however often it is claimed.
await service.update(laptop.token, { set: { reward: 'gold' } });
const claims = await Promise.all([1, 2, 3].map(() => service.take(laptop.token, 'reward')));
assert.deepEqual(
  claims.filter((claim) => claim !== undefined),
  ['gold'],
);

// The password was changed: out everywhere.
assert.equal(await service.deleteAll('ada'), 2);
assert.equal(await service.get(laptop.token), undefined);
const ends = events.flatMap((event) => (event.type === 'ended' ? event.why : []));
assert.deepEqual(ends, ['evicted', 'revoked', 'revoked']);
console.log('ok');
