/**
 * Sessions and journals in the memory of this process.
 *
 * @module
 */
export { MemoryJournal, type MemoryJournalOptions } from './adapters/memory/memory-journal.ts';
export { MemorySessionRepository } from './adapters/memory/memory-session-repository.ts';
