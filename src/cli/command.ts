import { type Config, ConfigError, type Setting } from '../config.ts';
import { checkUser } from '../domain/session-fields.ts';
import type { Terminal } from './terminal.ts';

/** A flag of one command. A flag without a hint takes no value. */
export interface Flag {
  readonly hint?: string;
  readonly help: string;
}

/** The parsed arguments of a command. */
export interface CommandLine {
  readonly config: Config;
  /** Values of the command's own flags. A flag without a hint is true if it is given. */
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  readonly operand: string | undefined;
  /** Who runs the program, as far as it can tell, for the journal. */
  readonly operator: string;
}

/** A command of the program. */
export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** The forms of the command line, without the program's name. */
  readonly usage: readonly string[];
  /** More text for `--help`. */
  readonly details?: string;
  /** The settings that the command accepts, by flag or environment. It ignores all others. */
  readonly settings: readonly Setting[];
  /** The prefix of keys if none is given. */
  readonly defaultPrefix: string;
  readonly flags: Readonly<Record<string, Flag>>;
  /** Whether the command takes an argument that is not a flag. */
  readonly operand?: 'ID' | 'status';
  /** Rejects with an error that `failureOf` knows. */
  run(line: CommandLine, terminal: Terminal): Promise<void>;
}

export const jsonFlag: Flag = { help: 'print JSON' };

/** For commands that end sessions. */
export const operatorFlag: Flag = {
  hint: 'NAME',
  help: 'your name, for log and journal ($SUDO_USER, $USER)',
};

/** For commands that go through very many sessions. */
export const fastFlag: Flag = { help: 'do not pause for other clients of Redis' };

/** The number given by that flag, if any. Throws a `ConfigError`. */
export function readCount(name: string, flags: CommandLine['flags']): number | undefined {
  const value = flags[name];
  if (value === undefined) return undefined;
  if (/^[1-9]\d{0,14}$/.test(String(value))) return Number(value);
  throw new ConfigError(`--${name} must be a whole number from 1, not ${JSON.stringify(value)}`);
}

/** The user that the command is about. Throws a `ConfigError` or a `SessionError`. */
export function requireUser(command: string, flags: CommandLine['flags']): string {
  const user = readUser(flags);
  if (user === undefined) throw new ConfigError(`${command} needs --user USER`);
  return user;
}

/** The user given by `--user`, if any. Throws a `SessionError`. */
export function readUser({ user }: CommandLine['flags']): string | undefined {
  return typeof user === 'string' ? checkUser(user) : undefined;
}
