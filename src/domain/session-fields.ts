import { SessionError } from './errors.ts';
import { mostLimits, type SessionLimits } from './session-limits.ts';
import { isReserved } from './session-record.ts';
import { byteLength } from './text-bytes.ts';
import { notText, wrongValue } from './wrong-value.ts';

/** Field names with their new values. */
export type FieldValues = Readonly<Record<string, string>>;

const MAX_USER_BYTES = 256;
const MAX_UNSET = 10_000;

/**
 * The application's fields, checked; reserved names are left out. Throws a `SessionError` for a name or value that is
 * not allowed.
 */
export function checkFields(data: FieldValues, limits: SessionLimits): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [name, value] of Object.entries(data)) {
    if (isReserved(name)) continue;
    checkName(name, limits);
    fields.set(name, checkValue(name, value, limits));
  }
  return fields;
}

/**
 * The names of the fields to remove, without duplicates and reserved names. Throws a `SessionError` for a name that is
 * not allowed, and for more names than a store accepts in one step.
 */
export function checkUnset(names: readonly string[], limits: SessionLimits): Set<string> {
  const removed = new Set(names.filter((name) => !isReserved(name)));
  for (const name of removed) checkName(name, limits);
  if (removed.size <= MAX_UNSET) return removed;
  throw new SessionError(
    'too_many_fields',
    `One update can remove at most ${MAX_UNSET} fields, not ${removed.size}.`,
  );
}

/** Returns the name if the application may read and write that field. Throws a `SessionError` otherwise. */
export function checkField(name: string, limits: SessionLimits): string {
  checkName(name, limits);
  if (isReserved(name)) {
    throw new SessionError(
      'reserved_field',
      `The field ${JSON.stringify(name)} is reserved for Sojourn; choose another name.`,
    );
  }
  return name;
}

/** Returns the value if the field may hold it. Throws a `SessionError` otherwise. */
export function checkValue(name: string, value: string, limits: SessionLimits): string {
  if (isText(value, limits.maxValueBytes)) return value;
  if (typeof value !== 'string') throw notText(value, name);
  throw wrongValue(`be well-formed text of at most ${limits.maxValueBytes} bytes`, name);
}

/** Throws a `SessionError` (`invalid_value`) if it is not well-formed text, which no field can hold. */
export function checkText(name: string, value: string): void {
  if (typeof value !== 'string') throw notText(value, name);
  if (!value.isWellFormed()) throw wrongValue('be well-formed text', name);
}

/** Returns the owner's name if it is allowed. Throws a `SessionError` (`invalid_user`) otherwise. */
export function checkUser(user: string): string {
  if (isText(user, MAX_USER_BYTES) && user !== '') return user;
  throw new SessionError(
    'invalid_user',
    `user must be well-formed text of 1 to ${MAX_USER_BYTES} bytes.`,
  );
}

/** Which limit on the whole session these fields exceed, if any. */
export function exceededLimit(
  fields: Iterable<readonly [name: string, value: string]>,
  limits: Pick<SessionLimits, 'maxFields' | 'maxTotalBytes'>,
): 'too_many_fields' | 'too_large' | undefined {
  let count = 0;
  let bytes = 0;
  for (const [name, value] of fields) {
    if (isReserved(name)) continue;
    count += 1;
    bytes += byteLength(name) + byteLength(value);
  }
  if (count > limits.maxFields) return 'too_many_fields';
  return bytes > limits.maxTotalBytes ? 'too_large' : undefined;
}

/** Which limit a change exceeds on its own, whatever else the session holds. The store need not be asked then. */
export function exceededAlone(
  set: ReadonlyMap<string, string>,
  { maxFields }: Pick<SessionLimits, 'maxFields'>,
): 'too_many_fields' | 'too_large' | undefined {
  return exceededLimit(set, { maxFields, maxTotalBytes: mostLimits.maxTotalBytes });
}

function checkName(name: string, limits: SessionLimits): void {
  if (isText(name, limits.maxNameBytes) && name !== '') return;
  throw new SessionError(
    'invalid_field',
    `A field name must be well-formed text of 1 to ${limits.maxNameBytes} bytes.`,
  );
}

// A lone surrogate has no UTF-8 form, so the store would keep a different text.
function isText(text: string, maxBytes: number): boolean {
  return (
    typeof text === 'string' &&
    text.length <= maxBytes &&
    byteLength(text) <= maxBytes &&
    text.isWellFormed()
  );
}
