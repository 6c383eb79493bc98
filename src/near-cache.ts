/**
 * Sessions in Redis, with those in use also kept in this process.
 *
 * @module
 */
export {
  type NearCache,
  type NearCacheOptions,
  openNearCache,
} from './adapters/redis/near-cache/near-cache.ts';
