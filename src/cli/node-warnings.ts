/**
 * Hands Node's warnings to a log, rather than have Node print them as text among its lines. Where Node was told to print
 * none (`NODE_NO_WARNINGS`), it stays so.
 */
export function logNodeWarnings(log: (text: string) => void): void {
  // Node's own printer has no handle but its name (lib/internal/process/warning.js). Of others that listen nobody is removed.
  const printer = process.listeners('warning').find(({ name }) => name === 'onWarning');
  if (printer === undefined) return;
  process.off('warning', printer);
  process.on('warning', ({ name, message }) => log(`${name}: ${message}`));
}
