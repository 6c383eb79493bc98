import { ConfigError } from './config-error.ts';
import { isSecret, type Setting, settings } from './settings.ts';

export type Flags = Readonly<Partial<Record<Setting, string | boolean>>>;
export type Environment = Readonly<Record<string, string | undefined>>;

interface Value {
  readonly text: string;
  /** The flag or variable that it was given by, for messages. */
  readonly source: string;
  readonly byFlag: boolean;
}

/**
 * The values of flags and environment variables. A flag takes precedence over its variable; an empty variable counts as
 * missing.
 */
export class Given {
  /** Variables that were ignored, and why: one line each. */
  readonly notices: readonly string[];
  readonly #values: ReadonlyMap<Setting, Value>;

  private constructor(values: ReadonlyMap<Setting, Value>, notices: readonly string[]) {
    this.#values = values;
    this.notices = notices;
  }

  static by(flags: Flags, env: Environment, understood: readonly Setting[]): Given {
    const values = new Map<Setting, Value>();
    const notices: string[] = [];
    for (const name of understood) {
      const variable = settings[name].env;
      const [flag, text] = [flags[name], env[variable]];
      if (flag !== undefined) {
        values.set(name, { text: String(flag), source: `--${name}`, byFlag: true });
      } else if (text) {
        const foreign = whatElse(name, text);
        if (foreign === undefined) values.set(name, { text, source: variable, byFlag: false });
        else notices.push(`${variable} is ignored: it is ${foreign}`);
      }
    }
    return new Given(values, notices);
  }

  has(name: Setting): boolean {
    return this.#values.has(name);
  }

  byFlag(name: Setting): boolean {
    return this.#values.get(name)?.byFlag === true;
  }

  /** `--port` or `PORT`: the one by which the value was given, or both if it was not given. */
  source(name: Setting): string {
    const { env } = settings[name];
    return this.#values.get(name)?.source ?? (env === '' ? `--${name}` : `--${name} (${env})`);
  }

  /** A copy without the values of these variables. Values of flags stay. */
  withoutVariables(names: readonly Setting[]): Given {
    const left = [...this.#values].filter(([name, { byFlag }]) => byFlag || !names.includes(name));
    return new Given(new Map(left), this.notices);
  }

  /** The parsed value of the setting. Throws a `ConfigError` that names the setting if `parse` returns `undefined`. */
  read<T>(name: Setting, parse: (value: string) => T | undefined, expected: string): T | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    const parsed = parse(value.text);
    if (parsed !== undefined) return parsed;
    // A value of these settings may contain a password in an unexpected place.
    const shown =
      name.startsWith('redis-') || isSecret(name) ? '' : `, not ${JSON.stringify(value.text)}`;
    throw new ConfigError(`${value.source} must be ${expected}${shown}`);
  }

  text(name: Setting): string | undefined {
    return this.read(name, (value) => value || undefined, 'a non-empty text');
  }
}

const SERVICE_LINK = /^(?:tcp|udp|sctp):\/\//i;
const PLATFORM =
  /^\w+-(?:\w+-)?(?:linux-(?:gnu|musl|android|uclibc)\w*|(?:darwin|freebsd|mingw|cygwin)\d[\d.]*)$/i;

/** What the variable holds if another program has set it for its own purposes. */
function whatElse(name: Setting, text: string): string | undefined {
  if (name.endsWith('port') && SERVICE_LINK.test(text)) {
    return 'a service address as Kubernetes and Docker set it, not a port';
  }
  if (name === 'host' && PLATFORM.test(text)) {
    return 'a platform name as conda and compilers set it, not an address to listen on';
  }
  return undefined;
}
