/** Tells on stderr what is going on: in one line at a terminal, else in a line each. */
export function progress(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
}
