import { OldSessions } from './carry-over/old-sessions.ts';

/** What a repository must be able to do for the store. */
const METHODS = ['create', 'read', 'access', 'update', 'setTtl', 'find', 'end'] as const;

/** Options of connect-redis, which people bring, and what stands for them. */
const INSTEAD: Readonly<Record<string, string>> = {
  client: 'pass `repository: new RedisSessionRepository({ client, prefix })`, of sojourn/redis',
  prefix: 'pass it to `RedisSessionRepository`',
  ttl: 'pass `policy: { ttl }`, in seconds',
  disableTouch: 'pass `policy: { refreshAfter }`, in seconds',
  disableTTL: 'leave it out, because a session never exists without an end',
  serializer: 'leave it out, because values are JSON',
  scanCount: 'pass `pageSize` to `scanSessions`',
};

/** Throws a `TypeError` that says what was wrong with the options of a `SojournStore`, and what to pass instead. */
export function checkOptions(options: unknown): void {
  if (!isObject(options)) throw wrong(`needs options: ${INSTEAD.client}.`);
  for (const [name, instead] of Object.entries(INSTEAD)) {
    if (options[name] !== undefined) throw wrong(`has no option \`${name}\`: ${instead}.`);
  }
  checkRepository(options.repository);
  checkCarryOver(options);
  for (const name of ['scan', 'userOf'] as const) {
    const given = options[name];
    if (given === undefined || typeof given === 'function') continue;
    throw wrong(`needs a function for \`${name}\`, not ${kindOf(given)}.`);
  }
  if (options.policy !== undefined && !isObject(options.policy)) {
    throw wrong(
      `needs an object for \`policy\`, such as { ttl: 3600 }, not ${kindOf(options.policy)}.`,
    );
  }
}

function checkRepository(repository: unknown): void {
  if (repository === undefined) throw wrong(`needs the option \`repository\`: ${INSTEAD.client}.`);
  if (isObject(repository) && typeof repository.then === 'function') {
    throw wrong('was given a promise as `repository`: await it first.');
  }
  const missing = isObject(repository)
    ? METHODS.find((method) => typeof repository[method] !== 'function')
    : METHODS[0];
  if (missing === undefined && isObject(repository) && isObject(repository.users)) return;
  throw wrong(
    `was given ${kindOf(repository)} that is no repository: ${INSTEAD.client}, or a \`MemorySessionRepository\`.`,
  );
}

function checkCarryOver({ carryOver, repository }: Record<string, unknown>): void {
  if (carryOver === undefined) return;
  if (!(carryOver instanceof OldSessions)) {
    throw wrong(
      `needs \`carryOver: fromConnectRedis({ client, phase })\`, not ${kindOf(carryOver)}.`,
    );
  }
  if (isObject(repository) && isObject(repository.moves)) return;
  throw wrong(
    'was given `carryOver` and a repository without `moves`, which takes in no sessions.',
  );
}

function wrong(what: string): TypeError {
  return new TypeError(`SojournStore ${what}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Never the value itself: somebody may have passed a password. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
