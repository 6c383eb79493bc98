import { reserved } from '../../src/domain/session-record.ts';

/** A session as far as its memory goes. */
export interface SessionShape {
  /** What the application keeps in it: bytes of each name and each value. */
  readonly fields: readonly { readonly name: number; readonly value: number }[];
  /** Of a user whose name has so many bytes and who has so many of them; nobody's without. */
  readonly user?: {
    readonly name: number;
    readonly sessions: number;
    /** Ended ones that the index still holds. @default 0 */
    readonly ended?: number;
  };
  /** Bytes of the label, the User-Agent and the address, where they are kept. */
  readonly device?: {
    readonly label: number;
    readonly userAgent: number;
    readonly address: number;
  };
  /** Bytes of the prefix of all keys. */
  readonly prefix: number;
}

export interface SessionBytes {
  /** Of the session's own key, with its place in the tables of Redis. */
  readonly session: number;
  /** Of the user's index, this session's share of it. */
  readonly index: number;
}

/**
 * The bytes of Redis' memory for one of so many sessions, worked out from how Redis 7 lays them out: two entries in
 * its tables (the key, and its expiry), the key, and the hash in one piece (a listpack). Fragmentation is not in it, nor
 * is what Redis takes when it is empty.
 */
export function sessionBytes(shape: SessionShape, sessions: number): SessionBytes {
  const { user, prefix } = shape;
  const users = user === undefined ? 0 : sessions / user.sessions;
  const slots = (2 * POINTER * powerOfTwo(sessions + users)) / (sessions + users);
  const session = keyBytes(prefix + ID) + hashBytes(recordOf(shape)) + slots;
  if (user === undefined) return { session, index: 0 };
  const entries = user.sessions + (user.ended ?? 0);
  if (entries > MOST_IN_LISTPACK) {
    throw new RangeError(`More than ${MOST_IN_LISTPACK} entries of a user are not modelled.`);
  }
  const listpack = LISTPACK + entries * (textEntry(ID) + LARGE_INTEGER_ENTRY);
  const index = keyBytes(prefix + 'user:'.length + user.name) + allocated(listpack);
  return { session, index: (index + slots) / user.sessions };
}

type Field = { readonly name: number; readonly value: number | 'small integer' | 'large integer' };

const ID = 22;
const INSTANT = '2026-04-02T12:34:56+00:00'.length;
const SECRET_HASH = 43;

function recordOf({ fields, user, device }: SessionShape): Field[] {
  const own = (name: keyof typeof reserved, value: Field['value']): Field => ({
    name: reserved[name].length,
    value,
  });
  return [
    own('deadline', 'large integer'),
    own('createdAt', INSTANT),
    own('lastAccessedAt', INSTANT),
    own('ttl', 'small integer'),
    own('secret', SECRET_HASH),
    ...(user ? [own('user', user.name), own('authenticatedAt', INSTANT)] : []),
    ...(device
      ? [
          own('deviceLabel', device.label),
          own('userAgent', device.userAgent),
          own('address', device.address),
        ]
      : []),
    ...fields,
  ];
}

const POINTER = 8;
const OBJECT = 16;
const TABLE_ENTRY = 32; // 24, which the allocator rounds up

/** A key that expires: its text, the object that it holds, and an entry in each of two tables. */
function keyBytes(length: number): number {
  return 2 * TABLE_ENTRY + OBJECT + textBytes(length);
}

/** `hash-max-listpack-value` and `zset-max-listpack-entries` of Redis as they are without configuration. */
const LONGEST_IN_LISTPACK = 64;
const MOST_IN_LISTPACK = 128;

const LISTPACK = 7;
const LARGE_INTEGER_ENTRY = 10;
const SMALL_INTEGER_ENTRY = 4;

function hashBytes(record: readonly Field[]): number {
  const long = record.some(({ value }) => typeof value === 'number' && value > LONGEST_IN_LISTPACK);
  if (long || record.length > MOST_IN_LISTPACK) return tableBytes(record);
  const entries = record.map(({ name, value }) => {
    if (value === 'large integer') return textEntry(name) + LARGE_INTEGER_ENTRY;
    if (value === 'small integer') return textEntry(name) + SMALL_INTEGER_ENTRY;
    return textEntry(name) + textEntry(value);
  });
  return allocated(entries.reduce((sum, bytes) => sum + bytes, LISTPACK));
}

/** A text in a listpack, with its length before and behind it. */
function textEntry(length: number): number {
  return length + (length < 64 ? 1 : 2) + (length < 126 ? 1 : 2);
}

const HASH_TABLE = 64;

/** One long value makes a table of the hash, in which each name and each value is a piece of its own. */
function tableBytes(record: readonly Field[]): number {
  const pieces = record.map(({ name, value }) => {
    const length = value === 'large integer' ? 13 : value === 'small integer' ? 4 : value;
    return TABLE_ENTRY + textBytes(name) + textBytes(length);
  });
  const slots = allocated(POINTER * Math.max(4, powerOfTwo(record.length)));
  return pieces.reduce((sum, bytes) => sum + bytes, HASH_TABLE + slots);
}

/** A text by itself, with its length before it and a zero behind. */
function textBytes(length: number): number {
  const header = length < 32 ? 1 : length < 256 ? 3 : 5;
  return allocated(header + length + 1);
}

/** What the allocator (jemalloc) gives for so many bytes: multiples of 16, above 128 four sizes for each doubling. */
function allocated(bytes: number): number {
  const step = bytes <= 128 ? 16 : powerOfTwo(bytes) / 8;
  return Math.ceil(bytes / step) * step;
}

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(atLeast));
}
