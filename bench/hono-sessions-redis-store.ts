import type { SessionData, Store } from 'hono-sessions';
import type { Redis } from 'ioredis';
import { TTL_SECONDS } from './fixture.ts';

/** hono-sessions brings no store for Redis; this is the shortest one, with the client that was the fastest. */
export class HonoSessionsRedisStore implements Store {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async getSessionById(id?: string): Promise<SessionData | undefined> {
    const stored = await this.#redis.get(`hono:${id}`);
    return stored === null ? undefined : (JSON.parse(stored) as SessionData);
  }

  createSession(id: string, data: SessionData): Promise<void> {
    return this.persistSessionData(id, data);
  }

  async persistSessionData(id: string, data: SessionData): Promise<void> {
    await this.#redis.set(`hono:${id}`, JSON.stringify(data), 'EX', TTL_SECONDS);
  }

  async deleteSession(id: string): Promise<void> {
    await this.#redis.del(`hono:${id}`);
  }
}
