/**
 * The operator's console for Hono applications: figures, sessions of a user, and the means to end them.
 *
 * Guide: [The console](../docs/console.md).
 *
 * @module
 */
export { RecentFigures, type RecentFiguresOptions } from './adapters/node/recent-figures.ts';
export { endAll } from './domain/end-all.ts';
export type { PaceOptions } from './domain/pace.ts';
export type { SessionFigures } from './domain/session-figures.ts';
export { operatorConsole } from './http/admin/operator-console.tsx';
export type {
  ConsoleJournalEntry,
  ConsoleStore,
  FiguresSource,
  OperatorAct,
  OperatorConsoleOptions,
  SessionsById,
} from './http/admin/options.ts';
