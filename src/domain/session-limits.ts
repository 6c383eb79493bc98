/**
 * How much one session may hold. Bytes are UTF-8. Each request reads the whole session, and while Redis reads it nobody else
 * is served; so a policy can allow 1 MiB at most, which every store reads well within its timeout.
 */
export interface SessionLimits {
  /** Application fields, 1024 at most. @default 64 */
  readonly maxFields: number;
  /** Bytes of a field's name, 1024 at most. @default 128 */
  readonly maxNameBytes: number;
  /** Bytes of a field's value, 1048576 at most. @default 4096 */
  readonly maxValueBytes: number;
  /** Bytes of all application fields together, names and values, 1048576 at most. @default 32768 */
  readonly maxTotalBytes: number;
}

/** The most that a policy can allow. */
export const mostLimits: SessionLimits = {
  maxFields: 1024,
  maxNameBytes: 1024,
  maxValueBytes: 2 ** 20,
  maxTotalBytes: 2 ** 20,
};
