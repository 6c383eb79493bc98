import type { FieldCodec, FieldCodecs } from './field-codecs.ts';

/** The value as it is stored. Fields that were not declared are text; the service refuses what is none. */
export function encodeField(fields: FieldCodecs | undefined, name: string, value: unknown): string {
  const codec = codecOf(fields, name);
  return codec === undefined ? (value as string) : codec.encode(value, name);
}

/** What the stored text stands for; `undefined` for a missing one. */
export function decodeField(
  fields: FieldCodecs | undefined,
  name: string,
  stored: string | undefined,
): unknown {
  const codec = codecOf(fields, name);
  return stored === undefined || codec === undefined ? stored : codec.decode(stored, name);
}

// Applications choose the names: `constructor` and `__proto__` must not find what every object inherits.
function codecOf(fields: FieldCodecs | undefined, name: string): FieldCodec<unknown> | undefined {
  return fields !== undefined && Object.hasOwn(fields, name) ? fields[name] : undefined;
}
