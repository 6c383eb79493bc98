/**
 * For `connectRedis` where a test is not about timeouts: a machine that is busy with other things is slow, and that is no
 * failure of the store.
 */
export const patient = { connectTimeoutMs: 10_000, commandTimeoutMs: 10_000 } as const;
