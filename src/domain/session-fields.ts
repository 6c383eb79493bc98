import { SessionError } from './errors.ts';
import { mostLimits, type SessionLimits } from './session-limits.ts';
import { isReserved } from './session-record.ts';
import { byteLength } from './text-bytes.ts';
import { notText, wrongValue } from './wrong-value.ts';

/** Field names with their new values. */
export type FieldValues = Readonly<Record<string, string>>;

const MAX_USER_BYTES = 256;
const MAX_UNSET = 10_000;

/** The application's part of the data, each name and value checked; reserved names are left out. Throws a `SessionError`. */
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
 * The names of fields to remove, each once; reserved names are left out. Throws a `SessionError`, also for more names than
 * any store takes in one step.
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

/** The name, if a verb may act on that field. Throws a `SessionError`. */
export function checkField(name: string, limits: SessionLimits): string {
  checkName(name, limits);
  if (isReserved(name)) {
    throw new SessionError('reserved_field', `The field ${JSON.stringify(name)} is reserved.`);
  }
  return name;
}

/** The value, if the field may hold it. Throws a `SessionError`. */
export function checkValue(name: string, value: string, limits: SessionLimits): string {
  if (isText(value, limits.maxValueBytes)) return value;
  if (typeof value !== 'string') throw notText(value, name);
  throw wrongValue(`be well-formed text of at most ${limits.maxValueBytes} bytes`, name);
}

/** The owner's name, if sessions can be started for it. Throws a `SessionError` (`invalid_user`). */
export function checkUser(user: string): string {
  if (isText(user, MAX_USER_BYTES) && user !== '') return user;
  throw new SessionError(
    'invalid_user',
    `user must be well-formed text of 1 to ${MAX_USER_BYTES} bytes.`,
  );
}

/** Which of the limits on a whole session the application fields would pass, if any. */
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

/** The limit that a change passes by so much that no store is asked, whatever else the session holds. */
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

// A lone surrogate has no UTF-8 form: the store would keep another text than it was given.
function isText(text: string, maxBytes: number): boolean {
  return (
    typeof text === 'string' &&
    text.length <= maxBytes &&
    byteLength(text) <= maxBytes &&
    text.isWellFormed()
  );
}
