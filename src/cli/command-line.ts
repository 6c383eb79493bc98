import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { ConfigError, isSecret, readConfig, settings } from '../config.ts';
import { parseSessionId } from '../domain/session-token.ts';
import type { Command, CommandLine } from './command.ts';

type ParseOptions = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;

/** Parses the arguments of the command. Throws a `ConfigError`. */
export function parseCommandLine(
  command: Command,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): CommandLine | 'help' {
  refuseSecrets(command, args);
  // One id in 64 begins with a dash.
  const ids = command.operand === undefined ? [] : args.filter(isDashedId);
  const rest = ids.length === 0 ? args : args.filter((arg) => !isDashedId(arg));
  const { values, positionals } = parse(rest, optionsOf(command));
  if (values.help) return 'help';
  const operands = [...ids, ...positionals];
  const unexpected = operands[command.operand === undefined ? 0 : 1];
  if (unexpected !== undefined) {
    throw new ConfigError(`unexpected argument ${JSON.stringify(unexpected)}`);
  }
  return {
    config: readConfig(values, env, command.settings, command.defaultPrefix),
    flags: values,
    operand: operands[0],
    operator: operatorOf(values, env),
  };
}

function operatorOf(
  { operator }: Readonly<Record<string, string | boolean>>,
  env: Readonly<Record<string, string | undefined>>,
): string {
  // The user who called sudo is more useful than root.
  return String(operator || env.SUDO_USER || env.USER || env.LOGNAME || accountName());
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown'; // an account without a name, as in containers
  }
}

/** The text of `--help` for a command. */
export function helpFor(command: Command): string {
  const own = Object.entries(command.flags).map(([name, { hint = '', help }]) =>
    describe(name, hint, '', help),
  );
  const shared = command.settings.map((name) => {
    const { env, hint, help } = settings[name];
    const shown = name === 'prefix' ? `${help} (${command.defaultPrefix})` : help;
    return describe(isSecret(name) ? undefined : name, hint, env, shown);
  });
  return `${command.usage.map((usage, i) => `${i === 0 ? 'Usage:' : '      '} sojourn ${usage} [options]`).join('\n')}

${command.summary}.${command.details === undefined ? '' : `\n${command.details}`}

${[...own, ...shared, describe('help', '', '', 'show this help')].join('\n')}

The second column is the environment variable. A flag takes precedence over it.`;
}

function describe(name: string | undefined, hint: string, env: string, help: string): string {
  const flag = name === undefined ? '' : `--${name} ${hint}`.trimEnd();
  return `  ${cell(flag, 2, FLAG_WIDTH)}${cell(env, 2 + FLAG_WIDTH, ENV_WIDTH)}${help}`;
}

const FLAG_WIDTH = 33;
const ENV_WIDTH = 21;

/** After a text that is too long for its column, the next column continues on a line of its own. */
function cell(text: string, from: number, width: number): string {
  return text.length < width ? text.padEnd(width) : `${text}\n${' '.repeat(from + width)}`;
}

function refuseSecrets({ settings: understood }: Command, args: readonly string[]): void {
  const given = understood.find(
    (name) =>
      isSecret(name) && args.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`)),
  );
  if (given === undefined) return;
  throw new ConfigError(
    `--${given} is not accepted, because the process list would show its value: use --${given}-file FILE or ${settings[given].env}`,
  );
}

function optionsOf({ settings: understood, flags }: Command): ParseOptions {
  const hints = [
    ...understood
      .filter((name) => !isSecret(name))
      .map((name) => [name, settings[name].hint] as const),
    ...Object.entries(flags).map(([name, { hint }]) => [name, hint ?? ''] as const),
  ];
  return {
    ...Object.fromEntries(
      hints.map(([name, hint]) => [name, { type: hint === '' ? 'boolean' : 'string' } as const]),
    ),
    help: { type: 'boolean', short: 'h' },
  };
}

function parse(args: readonly string[], options: ParseOptions) {
  try {
    const { values, positionals, tokens } = parseArgs({
      ...{ args: [...args], options, strict: true, allowPositionals: true, tokens: true },
    });
    refuseRepeated(tokens);
    return { values: values as Record<string, string | boolean>, positionals };
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(explained(error as Error));
  }
}

/** Of two values, parseArgs takes the last one. Whoever gives two probably means both. */
function refuseRepeated(tokens: ReturnType<typeof parseArgs>['tokens'] = []): void {
  const given = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== 'option' || token.value === undefined) continue;
    if (given.has(token.name)) throw new ConfigError(`--${token.name} is given more than once`);
    given.add(token.name);
  }
}

/** parseArgs names the flag in its first sentence; the rest is advice, over several lines. */
function explained({ message }: Error): string {
  const [what = ''] = message.split(/\.\s|\n/);
  const [, flag] = /^Option '(?:-\w, )?(--[\w-]+).*' argument is ambiguous$/.exec(what) ?? [];
  return flag === undefined
    ? what
    : `${flag} needs a value; write one that begins with a dash as ${flag}=-...`;
}

function isDashedId(arg: string): boolean {
  return arg.startsWith('-') && parseSessionId(arg) !== undefined;
}
