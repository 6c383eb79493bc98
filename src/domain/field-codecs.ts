import { SessionError } from './errors.ts';
import { kindOf, notText, wrongValue } from './wrong-value.ts';

/**
 * Converts a field's value to the text that the store keeps, and back. Both methods throw a `SessionError`
 * (`invalid_value`) if that is not possible. Its message contains the field's `name`, if given, and never the value.
 */
export interface FieldCodec<T> {
  readonly kind: 'text' | 'integer' | 'boolean' | 'json';
  /** Returns the text to store. */
  encode(value: T, name?: string): string;
  /** Returns the value that the stored text stands for. */
  decode(text: string, name?: string): T;
}

/** The codec of a field that `increment` accepts. */
export interface IntegerCodec extends FieldCodec<number> {
  readonly kind: 'integer';
}

/** The codecs of a session's fields, by field name. */
export type FieldCodecs = Readonly<Record<string, FieldCodec<unknown>>>;

/** The type of fields that are not declared: any name, always text. */
export type TextFields = Readonly<Record<string, FieldCodec<string>>>;

/** The type of the value that a codec produces. */
export type ValueOf<Codec> = Codec extends FieldCodec<infer T> ? T : never;

/** The names of the declared fields that `increment` accepts. */
export type IntegerNames<Fields extends FieldCodecs> = string extends keyof Fields
  ? string
  : { [Name in keyof Fields]: Fields[Name] extends IntegerCodec ? Name : never }[keyof Fields] &
      string;

/**
 * The interface that zod, valibot and other validators share (https://standardschema.dev, version 1), as far as it is
 * needed here.
 */
export interface StandardSchema<T> {
  readonly '~standard': {
    /** Returns the validated value, or what is wrong with it. */
    validate(value: unknown): StandardResult<T> | Promise<StandardResult<T>>;
    readonly types?: { readonly output: T } | undefined;
  };
}

type StandardResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** What is wrong, and where. The message is not read, because some libraries quote the value in it. */
interface StandardIssue {
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A field that holds any text. */
export function text(): FieldCodec<string>;
/**
 * A field that holds one of these words. Any other word is refused when it is written and when it is read, so a word
 * that the application no longer knows is an error at once.
 *
 * @example
 * ```ts
 * const fields = { theme: text('light', 'dark'), plan: text(['free', 'paid']) };
 * ```
 */
export function text<const Word extends string>(words: readonly Word[]): FieldCodec<Word>;
/** A field that holds one of these words. */
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

/**
 * A field that holds a whole number in the safe-integer range, stored as plain decimal digits. `increment` works on
 * such fields.
 *
 * @example
 * ```ts
 * const fields = { visits: integer() };
 * ```
 */
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

/** A field that holds `true` or `false`, stored as `1` or `0`. */
export function boolean(): FieldCodec<boolean> {
  return {
    kind: 'boolean',
    encode(value: unknown, name) {
      if (typeof value === 'boolean') return value ? '1' : '0';
      throw wrongValue(`be true or false, not ${kindOf(value)}`, name);
    },
    decode(value, name) {
      if (value === '1' || value === '0') return value === '1';
      throw wrongValue('be stored as 1 or 0', name);
    },
  };
}

/**
 * A field that holds any JSON value. Values come back as JSON keeps them: a `Date` as text, a `Map` as an empty object.
 * With a schema, values read from the store are validated, so a field that another version of the application wrote
 * differently is an error at once. The schema must be synchronous.
 *
 * @example
 * ```ts
 * const fields = { cart: json(z.object({ items: z.array(z.string()) })) };
 * ```
 */
export function json<T>(schema?: StandardSchema<T>): FieldCodec<T> {
  return {
    kind: 'json',
    encode(value, name) {
      const text = toJson(value, name);
      if (text !== undefined) return text;
      throw wrongValue(`be a value that JSON can hold, not ${kindOf(value)}`, name);
    },
    decode(text, name) {
      const value = parse(text, name);
      return schema === undefined ? (value as T) : validated(value, schema, name); // the application declared the type
    },
  };
}

/**
 * The JSON text; `undefined` for what JSON leaves out. Throws a `SessionError` (`invalid_value`) for what JSON cannot
 * hold.
 */
export function toJson(value: unknown, name?: string): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    const must =
      'be a value that JSON can hold: it contains a BigInt or itself, is nested too deeply, or one of its toJSON methods or getters threw';
    throw wrongValue(must, name, { cause });
  }
}

function checkWords(words: readonly string[]): readonly string[] {
  if (words.length > 0 && words.every((word) => typeof word === 'string')) return words;
  throw new SessionError('invalid_policy', 'The words of text() must be one or more strings.');
}

function parse(text: string, name?: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw wrongValue('be stored as JSON', name); // the parser's message would quote the value
  }
}

function validated<T>(value: unknown, schema: StandardSchema<T>, name?: string): T {
  let result: StandardResult<T> | Promise<StandardResult<T>>;
  try {
    result = schema['~standard'].validate(value);
  } catch (cause) {
    throw wrongValue('match its schema, which threw an error', name, { cause });
  }
  if (result instanceof Promise) {
    result.catch(() => {}); // an unhandled rejection would end the process
    throw wrongValue('have a synchronous schema', name);
  }
  if (result.issues === undefined) return result.value;
  throw wrongValue(`match its schema${place(result.issues[0])}`, name);
}

function place(issue: StandardIssue | undefined): string {
  const keys = issue?.path?.map((step) => String(typeof step === 'object' ? step.key : step)) ?? [];
  return keys.length === 0 ? '' : `, but does not at ${JSON.stringify(keys.join('.'))}`;
}
