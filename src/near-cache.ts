/**
 * Sessions in Redis, those in use kept in this process as well.
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
