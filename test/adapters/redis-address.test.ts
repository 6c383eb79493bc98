import { describe, expect, it } from 'vitest';
import { parseRedisUrl } from '../../src/adapters/redis/redis-address.ts';

describe('a Redis URL', () => {
  it.each<[string, object]>([
    ['redis://', { host: 'localhost', port: 6379 }],
    ['redis://redis.internal', { host: 'redis.internal', port: 6379 }],
    ['redis://redis.internal:6380/0', { host: 'redis.internal', port: 6380, db: 0 }],
    ['redis://h/', { host: 'h', port: 6379 }],
    ['redis://h?db=3', { host: 'h', port: 6379, db: 3 }],
    ['redis://h/3?db=3', { host: 'h', port: 6379, db: 3 }],
    ['redis://h?family=6', { host: 'h', port: 6379, family: 6 }],
    ['redis://bücher.example', { host: 'bücher.example', port: 6379 }],
    ['redis://b%C3%BCcher.example', { host: 'bücher.example', port: 6379 }],
    ['redis://[::1]:7000', { host: '::1', port: 7000 }],
    ['redis://:secret@h', { host: 'h', port: 6379, password: 'secret' }],
    [
      'redis://ada:p%40ss%2Fw%23rd@h',
      { host: 'h', port: 6379, username: 'ada', password: 'p@ss/w#rd' },
    ],
    ['rediss://h:6380', { host: 'h', port: 6380, tls: {} }],
    ['REDISS://h', { host: 'h', port: 6379, tls: {} }],
    ['valkey://h', { host: 'h', port: 6379 }],
    ['valkeys://h', { host: 'h', port: 6379, tls: {} }],
  ])('%s is %j', (url, expected) => {
    expect(parseRedisUrl(url)).toEqual(expected);
  });

  it.each<[string, RegExp]>([
    ['redis.internal:6380/0', /must begin with redis:\/\//],
    ['http://h', /must begin with redis:\/\//],
    ['redis:h', /must begin with redis:\/\//],
    ['h', /must begin with redis:\/\//],
    ['', /must begin with redis:\/\//],
    ['redis://h/main', /number of a database/],
    ['redis://h/-1', /number of a database/],
    ['redis://h/1.5', /number of a database/],
    ['redis://h/99999999999', /number of a database/],
    ['redis://h?db=', /number of a database/],
    ['redis://h/1?db=2', /one database/],
    ['redis://h?family=5', /family=4/],
    ['redis://h?keyPrefix=x', /"keyPrefix"/],
    ['redis://h?enableOfflineQueue=true', /"enableOfflineQueue"/],
    ['redis://h:0', /port from 1/],
    ['redis://h:99999', /port from 1/],
    ['redis://:Se#cret@h', /# as %23/],
    ['redis://h#Secret', /# as %23/],
    ['redis://:Se/cret@h', /\/ as %2F/],
    ['redis://ada:12/Secret@h', /number of a database/],
    ['redis://:Se?cret@h', /\? as %3F/],
    ['redis://ada:Secret%zz@h', /%/],
    ['redis://ada:Secret%@h', /%/],
  ])('%j is refused, in words that repeat no password', (url, message) => {
    const parse = () => parseRedisUrl(url);
    expect(parse).toThrow(expect.objectContaining({ code: 'invalid_option' }));
    expect(parse).toThrow(message);
    expect(parse).not.toThrow(/cret/);
  });
});
