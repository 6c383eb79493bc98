import { SessionError } from './errors.ts';
import { kindOf, notText, wrongValue } from './wrong-value.ts';

/**
 * How a field's value becomes the text that a store keeps, and back. Both throw a `SessionError` (`invalid_value`) where
 * that is impossible; its message has the field's `name`, where that is given, and never the value.
 */
export interface FieldCodec<T> {
  readonly kind: 'text' | 'integer' | 'boolean' | 'json';
  /** The value as it is stored. */
  encode(value: T, name?: string): string;
  /** What the stored text stands for. */
  decode(text: string, name?: string): T;
}

/** The codec of a field that may be incremented. */
export interface IntegerCodec extends FieldCodec<number> {
  readonly kind: 'integer';
}

/** The codecs of a session's fields by name, declared once. */
export type FieldCodecs = Readonly<Record<string, FieldCodec<unknown>>>;

/** Fields that were not declared: any name, text. */
export type TextFields = Readonly<Record<string, FieldCodec<string>>>;

/** What a field of that codec holds for the application. */
export type ValueOf<Codec> = Codec extends FieldCodec<infer T> ? T : never;

/** The names among the declared fields that may be incremented. */
export type IntegerNames<Fields extends FieldCodecs> = string extends keyof Fields
  ? string
  : { [Name in keyof Fields]: Fields[Name] extends IntegerCodec ? Name : never }[keyof Fields] &
      string;

/** What zod, valibot and others have in common (https://standardschema.dev, version 1), as far as it is needed here. */
export interface StandardSchema<T> {
  readonly '~standard': {
    /** The value as the schema wants it, or what is wrong with it. */
    validate(value: unknown): StandardResult<T> | Promise<StandardResult<T>>;
    readonly types?: { readonly output: T } | undefined;
  };
}

type StandardResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** What is wrong, and where. Its message is not read: that of some libraries quotes the value. */
interface StandardIssue {
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Text as it is. */
export function text(): FieldCodec<string>;
/**
 * One of these words. Any other is refused when it is written and when it is read, so a word that the application no longer
 * knows is an error here and no surprise further on.
 *
 * @example
 * ```ts
 * const fields = { theme: text('light', 'dark'), plan: text(['free', 'paid']) };
 * ```
 */
export function text<const Word extends string>(words: readonly Word[]): FieldCodec<Word>;
/** One of these words. */
export function text<const Word extends string>(...words: readonly Word[]): FieldCodec<Word>;
export function text(...given: readonly (string | readonly string[])[]): FieldCodec<string> {
  const words = given.length > 0 ? new Set(checkWords(given.flat())) : undefined;
  function known(value: string, name?: string): string {
    if (words === undefined || words.has(value)) return value;
    throw wrongValue(
      `be one of ${[...words].map((word) => JSON.stringify(word)).join(', ')}`,
      name,
    );
  }
  return {
    kind: 'text',
    encode(value: unknown, name) {
      if (typeof value !== 'string') throw notText(value, name);
      return known(value, name);
    },
    decode: known,
  };
}

/** A whole number in the safe-integer range, as plain decimal digits: what `increment` works on. */
export function integer(): IntegerCodec {
  const must = 'be a whole number in the safe-integer range';
  return {
    kind: 'integer',
    encode(value: unknown, name) {
      if (Number.isSafeInteger(value)) return String(value); // -0 becomes 0
      throw wrongValue(typeof value === 'number' ? must : `${must}, not ${kindOf(value)}`, name);
    },
    decode(value, name) {
      const number = Number(value);
      if (/^(0|-?[1-9][0-9]*)$/.test(value) && Number.isSafeInteger(number)) return number;
      throw wrongValue(must, name);
    },
  };
}

/** `1` or `0`. */
export function boolean(): FieldCodec<boolean> {
  return {
    kind: 'boolean',
    encode(value: unknown, name) {
      if (typeof value === 'boolean') return value ? '1' : '0';
      throw wrongValue(`be true or false, not ${kindOf(value)}`, name);
    },
    decode(value, name) {
      if (value === '1' || value === '0') return value === '1';
      throw wrongValue('be 1 or 0 where it is stored', name);
    },
  };
}

/**
 * Anything that JSON can hold, and as JSON holds it: a `Date` comes back as text, a `Map` as an empty object. With a schema,
 * what comes from the store is validated by it: a field that another version of the application wrote is an error here
 * and no surprise further on. The schema must answer synchronously.
 */
export function json<T>(schema?: StandardSchema<T>): FieldCodec<T> {
  return {
    kind: 'json',
    encode(value, name) {
      const text = toJson(value, name);
      if (text !== undefined) return text;
      throw wrongValue(`be something that JSON can hold, not ${kindOf(value)}`, name);
    },
    decode(text, name) {
      const value = parse(text, name);
      return schema === undefined ? (value as T) : validated(value, schema, name); // the application said so
    },
  };
}

/** `undefined` for what JSON leaves out. Throws a `SessionError` (`invalid_value`) for what it cannot hold. */
export function toJson(value: unknown, name?: string): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    const must =
      'be something that JSON can hold: it has a BigInt or itself inside, is nested too deeply, or a toJSON or getter of it threw';
    throw wrongValue(must, name, { cause });
  }
}

function checkWords(words: readonly string[]): readonly string[] {
  if (words.length > 0 && words.every((word) => typeof word === 'string')) return words;
  throw new SessionError('invalid_policy', 'text() takes no words, or one or more texts.');
}

function parse(text: string, name?: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw wrongValue('be JSON where it is stored', name); // the parser's message would quote the value
  }
}

function validated<T>(value: unknown, schema: StandardSchema<T>, name?: string): T {
  let result: StandardResult<T> | Promise<StandardResult<T>>;
  try {
    result = schema['~standard'].validate(value);
  } catch (cause) {
    throw wrongValue('be valid by its schema, which threw', name, { cause });
  }
  if (result instanceof Promise) {
    result.catch(() => {}); // nobody waits for it, and what nobody hears of would end the process
    throw wrongValue('have a schema that answers synchronously', name);
  }
  if (result.issues === undefined) return result.value;
  throw wrongValue(`be valid by its schema${place(result.issues[0])}`, name);
}

function place(issue: StandardIssue | undefined): string {
  const keys = issue?.path?.map((step) => String(typeof step === 'object' ? step.key : step)) ?? [];
  return keys.length === 0 ? '' : `, and is not at ${JSON.stringify(keys.join('.'))}`;
}
