/** Sessions in this process. */
export { MemorySessionRepository } from './adapters/memory/memory-session-repository.ts';
