/** Sessions without HTTP: a game server that knows its players by a token in each message. Needs no Redis. */
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

async function devices(): Promise<string> {
  return (await service.list('ada')).map(({ device }) => device.label).join(', ');
}

const say = (step: string) => console.log(`\n${step}`);
const show = (what: string, answer: unknown) => console.log(`  ${what}: ${answer}`);

say('Ada logs in on a phone and on a laptop.');
const phone = await service.create({ level: '1' }, { user: 'ada', device: { label: 'phone' } });
const laptop = await service.create({ level: '1' }, { user: 'ada', device: { label: 'laptop' } });
show('her devices', await devices());

say('Messages are let in by their token.');
show('the phone plays e4', await receive({ token: phone.token, move: 'e4' }));
show('somebody guesses a token', await receive({ token: 'guessed', move: 'e5' }));

say('Three moves that arrive together all count.');
await Promise.all(['d4', 'c4', 'Nf3'].map((move) => receive({ token: phone.token, move })));
show('moves', (await service.peek(phone.token))?.fields.moves);

say('Two sessions are allowed: a tablet takes the place of the oldest.');
await service.create({}, { user: 'ada', device: { label: 'tablet' } });
show('her devices', await devices());
show('the phone plays Qh5', await receive({ token: phone.token, move: 'Qh5' }));

say('A reward is paid once, however often it is claimed.');
await service.update(laptop.token, { set: { reward: 'gold' } });
const claims = await Promise.all([1, 2, 3].map(() => service.take(laptop.token, 'reward')));
show('three claims get', claims.map((claim) => claim ?? 'nothing').join(', '));

say('Her password was changed: she is logged out everywhere.');
show('sessions ended', await service.deleteAll('ada'));
show('the laptop plays Rd1', await receive({ token: laptop.token, move: 'Rd1' }));

say('What the observer heard:');
const heard = events.map((event) => (event.type === 'ended' ? `ended (${event.why})` : event.type));
console.log(`  ${heard.join(', ')}`);
