import { SessionError } from './errors.ts';

/** How a field's value becomes the text that a store keeps, and back. Both throw where that is impossible. */
export interface FieldCodec<T> {
  readonly kind: 'text' | 'integer' | 'boolean' | 'json';
  /** The value as it is stored. Throws a `SessionError` (`invalid_value`). */
  encode(value: T): string;
  /** What the stored text stands for. Throws a `SessionError` (`invalid_value`). */
  decode(text: string): T;
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
  | { readonly issues: ReadonlyArray<{ readonly message: string }> };

/** Text as it is. */
export function text(): FieldCodec<string> {
  return {
    kind: 'text',
    encode: (value) => require(typeof value === 'string', value, 'text'),
    decode: (value) => value,
  };
}

/** A whole number in the safe-integer range, as plain decimal digits: what `increment` works on. */
export function integer(): IntegerCodec {
  return {
    kind: 'integer',
    encode: (value) => String(require(Number.isSafeInteger(value), value, 'a safe integer') || 0),
    decode(value) {
      const number = Number(value);
      const plain = /^(0|-?[1-9][0-9]*)$/.test(value) && Number.isSafeInteger(number);
      return require(plain, number, 'a safe integer');
    },
  };
}

/** `1` or `0`. */
export function boolean(): FieldCodec<boolean> {
  return {
    kind: 'boolean',
    encode: (value) => (require(typeof value === 'boolean', value, 'true or false') ? '1' : '0'),
    decode: (value) => require(value === '1' || value === '0', value, 'true or false') === '1',
  };
}

/**
 * Anything that JSON can say. With a schema, what comes from the store is validated by it: a field that another version
 * of the application wrote is an error here and no surprise further on. The schema must answer synchronously.
 */
export function json<T>(schema?: StandardSchema<T>): FieldCodec<T> {
  return {
    kind: 'json',
    encode(value) {
      const encoded: string | undefined = JSON.stringify(value);
      return require(encoded !== undefined, encoded, 'what JSON can say');
    },
    decode(value) {
      const parsed = parseJson(value);
      if (schema === undefined) return parsed as T; // the application said so
      const result = schema['~standard'].validate(parsed);
      if (result instanceof Promise) throw invalid('a schema that answers synchronously');
      if (result.issues !== undefined) throw invalid(`valid: ${result.issues[0]?.message ?? ''}`);
      return result.value;
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('JSON'); // the parser's message would quote the value
  }
}

function require<T>(holds: boolean, value: T, expected: string): T {
  if (holds) return value;
  throw invalid(expected);
}

function invalid(expected: string): SessionError {
  return new SessionError('invalid_value', `The value is not ${expected}.`);
}
