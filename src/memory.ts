/**
 * Sessions in this process.
 *
 * @module
 */
export { MemorySessionRepository } from './adapters/memory/memory-session-repository.ts';
