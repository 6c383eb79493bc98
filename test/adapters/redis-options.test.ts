import { expect, it } from 'vitest';
import type { RedisClient } from '../../src/adapters/redis/clients/tell-apart.ts';
import { openNearCache } from '../../src/near-cache.ts';
import { countSessions, scanSessions } from '../../src/redis.ts';

const client = {} as RedisClient; // nobody gets to it
const wrong = [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '10', null];

it.each(wrong)(
  'a scan by pages of %j keys is refused as an option, not as an outage',
  async (pageSize) => {
    const options = { client, pageSize: pageSize as number };
    const refused = expect.objectContaining({ code: 'invalid_option' });
    expect(() => scanSessions(options)).toThrow(refused);
    await expect(countSessions(options)).rejects.toEqual(refused);
  },
);

it.each(wrong)('a near cache of %j sessions or bytes is refused', (most) => {
  for (const limit of ['maxSessions', 'maxBytes']) {
    expect(() => openNearCache({ client, [limit]: most as number })).toThrow(
      expect.objectContaining({ code: 'invalid_option', message: expect.stringContaining(limit) }),
    );
  }
});
