#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import type { Command } from './cli/command.ts';
import { helpFor, parseCommandLine } from './cli/command-line.ts';
import { completionScript } from './cli/completion.ts';
import { end } from './cli/end.ts';
import { erase } from './cli/erase.ts';
import { exportUser } from './cli/export.ts';
import { EXIT_UNAVAILABLE, EXIT_USAGE, failureOf } from './cli/failure.ts';
import { inspect } from './cli/inspect.ts';
import { journal } from './cli/journal.ts';
import { ls } from './cli/ls.ts';
import { move } from './cli/move.ts';
import { serve } from './cli/serve.ts';
import { stats } from './cli/stats.ts';
import { Terminal } from './cli/terminal.ts';
import { ConfigError } from './config.ts';
import { printable } from './domain/printable.ts';

const commands: ReadonlyMap<string, Command> = new Map(
  Object.entries({ serve, ls, inspect, journal, end, stats, export: exportUser, erase, move }),
);

const help = `Usage: sojourn COMMAND [options]

${[...commands].map(([name, { summary }]) => `  ${name.padEnd(9)}${summary}`).join('\n')}

sojourn COMMAND --help shows the options of a command, sojourn --version prints the version, and
sojourn --completion prints a completion script for bash.`;

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(); // the reader has read enough
  fail(EXIT_UNAVAILABLE, `cannot write: ${error.message}`);
});

const [name, ...args] = process.argv.slice(2);
if (name === undefined) {
  console.error(help);
  process.exitCode = EXIT_USAGE;
} else if (name === '--help' || name === '-h') {
  console.log(help);
} else if (name === '--completion') {
  console.log(completionScript(commands));
} else if (name === '--version') {
  console.log(await version());
} else {
  await run(name, args).catch((error: unknown) => {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    fail(failure.code, failure.line);
  });
}

async function run(name: string, args: readonly string[]): Promise<void> {
  const command = commands.get(name);
  if (command === undefined) {
    const wrong = name.startsWith('-')
      ? `${name} must follow a command`
      : `unknown command ${JSON.stringify(name)}`;
    throw new ConfigError(`${wrong}: see sojourn --help`);
  }
  const line = parseCommandLine(command, args, process.env);
  if (line === 'help') {
    console.log(helpFor(command));
    return;
  }
  const terminal = new Terminal(process.stdout, process.stderr, process.stdin);
  if (command !== serve) for (const notice of line.config.notices) terminal.note(notice); // serve logs them
  await command.run(line, terminal);
}

async function version(): Promise<string> {
  const manifest = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return JSON.parse(manifest).version;
}

function fail(code: number, line: string): never {
  // The message may repeat what was typed in the wrong place, but never a token or a password in a URL.
  const shown = printable(line)
    .replace(/[\w-]{22}\.[\w-]{43}/g, '<token>')
    .replace(/\b(\w+:\/\/).*@/g, '$1<hidden>@');
  console.error(`sojourn: ${shown}`);
  process.exit(code);
}
