/**
 * How much one session may hold. Bytes are counted in UTF-8. Each request reads the whole session, and Redis serves
 * nobody else while it reads. A policy can therefore allow at most 1 MiB, which every store reads well within its
 * timeout.
 */
export interface SessionLimits {
  /** Number of application fields, at most 1024. @default 64 */
  readonly maxFields: number;
  /** Bytes of a field's name, at most 1024. @default 128 */
  readonly maxNameBytes: number;
  /** Bytes of a field's value, at most 1048576. @default 4096 */
  readonly maxValueBytes: number;
  /** Bytes of all application fields together, names and values, at most 1048576. @default 32768 */
  readonly maxTotalBytes: number;
}

/** The highest limits that a policy can set. */
export const mostLimits: SessionLimits = {
  maxFields: 1024,
  maxNameBytes: 1024,
  maxValueBytes: 2 ** 20,
  maxTotalBytes: 2 ** 20,
};
