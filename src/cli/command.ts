import { type Config, ConfigError, type Setting } from '../config.ts';
import { checkUser } from '../domain/session-fields.ts';
import type { Terminal } from './terminal.ts';

/** A flag of a command's own. One without a hint takes no value. */
export interface Flag {
  readonly hint?: string;
  readonly help: string;
}

/** What a command was given. */
export interface CommandLine {
  readonly config: Config;
  /** The values of its own flags; of those without a hint, whether they are there. */
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  readonly operand: string | undefined;
  /** Who runs the program, as far as it can know: for the journal. */
  readonly operator: string;
}

/** One thing that the program can be asked for. */
export interface Command {
  /** For the list of commands. */
  readonly summary: string;
  /** How it is called, without the program's name. */
  readonly usage: readonly string[];
  /** What `--help` says besides. */
  readonly details?: string;
  /** Which settings it understands: it accepts no others, by flag or from the environment. */
  readonly settings: readonly Setting[];
  /** What keys begin with where nobody says otherwise. */
  readonly defaultPrefix: string;
  readonly flags: Readonly<Record<string, Flag>>;
  /** Whether something may stand in the line without a flag. */
  readonly operand?: 'ID' | 'status | finish';
  /** Rejects with an error that `failureOf` knows. */
  run(line: CommandLine, terminal: Terminal): Promise<void>;
}

export const jsonFlag: Flag = { help: 'as JSON, for programs' };

/** For commands that end sessions. */
export const operatorFlag: Flag = {
  hint: 'NAME',
  help: 'who does it, for log and journal ($SUDO_USER, $USER)',
};

/** For commands that go through very many sessions. */
export const fastFlag: Flag = { help: 'without rests for other clients of Redis' };

/** How many, if that flag says so. Throws a `ConfigError`. */
export function readCount(name: string, flags: CommandLine['flags']): number | undefined {
  const value = flags[name];
  if (value === undefined) return undefined;
  if (/^[1-9]\d{0,14}$/.test(String(value))) return Number(value);
  throw new ConfigError(`--${name} must be a whole number from 1, not ${JSON.stringify(value)}`);
}

/** Whose, where a command is about one user. Throws a `ConfigError` or a `SessionError`. */
export function requireUser(command: string, flags: CommandLine['flags']): string {
  const user = readUser(flags);
  if (user === undefined) throw new ConfigError(`${command} needs --user USER`);
  return user;
}

/** Whose sessions, if `--user` says so. Throws a `SessionError`. */
export function readUser({ user }: CommandLine['flags']): string | undefined {
  return typeof user === 'string' ? checkUser(user) : undefined;
}
