/**
 * Sends Node's warnings to a log, so that Node does not print them as text between its lines. If Node was told to print
 * none (`NODE_NO_WARNINGS`), it stays that way.
 */
export function logNodeWarnings(log: (text: string) => void): void {
  // Node's own printer can only be recognised by its name (lib/internal/process/warning.js). Other listeners stay.
  const printer = process.listeners('warning').find(({ name }) => name === 'onWarning');
  if (printer === undefined) return;
  process.off('warning', printer);
  process.on('warning', ({ name, message }) => log(`${name}: ${message}`));
}
