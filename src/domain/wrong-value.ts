import { SessionError } from './errors.ts';

/**
 * The error for a field with a wrong value. It says what the value must be, never what it is. `name` is the field's
 * name, if known.
 */
export function wrongValue(must: string, name?: string, options?: ErrorOptions): SessionError {
  const subject = name === undefined ? 'The value' : `The value of ${JSON.stringify(name)}`;
  return new SessionError('invalid_value', `${subject} must ${must}.`, options);
}

/** The error for a value that is not text. It says what kind of value it is, and how to store such a value. */
export function notText(value: unknown, name?: string): SessionError {
  return wrongValue(`be text, not ${kindOf(value)}${adviceFor(value)}`, name);
}

/** The kind of a value, for messages: `an object`. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Date) return 'a Date';
  if (typeof value === 'string') return 'text';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function adviceFor(value: unknown): string {
  if (value === undefined || value === null) return '. Leave the field out, or unset it';
  if (value instanceof Date) {
    return '. Store its toISOString(), or declare the field with json(), which does the same';
  }
  switch (typeof value) {
    case 'object':
      return '. Declare the field with json() to keep such values';
    case 'number':
      return '. Declare the field with integer(), or with json() for fractions';
    case 'boolean':
      return '. Declare the field with boolean()';
    case 'bigint':
      return '. Store it as text';
    default:
      return '';
  }
}
