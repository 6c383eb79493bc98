import { ConfigError } from './config-error.ts';
import { isSecret, type Setting, settings } from './settings.ts';

export type Flags = Readonly<Partial<Record<Setting, string | boolean>>>;
export type Environment = Readonly<Record<string, string | undefined>>;

interface Value {
  readonly text: string;
  /** The name by which it was given, for messages. */
  readonly source: string;
  readonly byFlag: boolean;
}

/** What flags and environment say. A flag is stronger than its variable; an empty variable says nothing. */
export class Given {
  /** Which variables were passed over, and why: a line each. */
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
        else notices.push(`${variable} is ignored: it holds ${foreign}`);
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

  /** `--port` or `PORT`: whatever it was given by; both where it was not. */
  source(name: Setting): string {
    const { env } = settings[name];
    return this.#values.get(name)?.source ?? (env === '' ? `--${name}` : `--${name} (${env})`);
  }

  /** Without what these variables say. What flags say stays. */
  withoutVariables(names: readonly Setting[]): Given {
    const left = [...this.#values].filter(([name, { byFlag }]) => byFlag || !names.includes(name));
    return new Given(new Map(left), this.notices);
  }

  /** What the setting says. Throws a `ConfigError` that names it where `parse` makes nothing of it. */
  read<T>(name: Setting, parse: (value: string) => T | undefined, expected: string): T | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    const parsed = parse(value.text);
    if (parsed !== undefined) return parsed;
    // Passwords get into the strangest places of what says where Redis is.
    const shown =
      name.startsWith('redis-') || isSecret(name) ? '' : `, not ${JSON.stringify(value.text)}`;
    throw new ConfigError(`${value.source} must be ${expected}${shown}`);
  }

  text(name: Setting): string | undefined {
    return this.read(name, (value) => value || undefined, 'a text');
  }
}

const SERVICE_LINK = /^(?:tcp|udp|sctp):\/\//i;
const PLATFORM =
  /^\w+-(?:\w+-)?(?:linux-(?:gnu|musl|android|uclibc)\w*|(?:darwin|freebsd|mingw|cygwin)\d[\d.]*)$/i;

/** What a variable of that name holds that others have set for purposes of their own. */
function whatElse(name: Setting, text: string): string | undefined {
  if (name.endsWith('port') && SERVICE_LINK.test(text)) {
    return 'the address of a service, as Kubernetes and Docker inject it, and no port';
  }
  if (name === 'host' && PLATFORM.test(text)) {
    return 'the name of a platform, as conda and compilers set it, and no address to listen on';
  }
  return undefined;
}
