/**
 * Sessions in Redis, with those in use also kept in this process.
 *
 * Guide: [The near cache](../docs/near-cache.md).
 *
 * @module
 */
export {
  type NearCache,
  type NearCacheOptions,
  openNearCache,
} from './adapters/redis/near-cache/near-cache.ts';
