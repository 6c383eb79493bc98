import type { FieldCodec, FieldCodecs } from './field-codecs.ts';

/** The value as it is stored. Undeclared fields are text; the service refuses anything else. */
export function encodeField(fields: FieldCodecs | undefined, name: string, value: unknown): string {
  const codec = codecOf(fields, name);
  return codec === undefined ? (value as string) : codec.encode(value, name);
}

/** The value that the stored text stands for; `undefined` for a missing field. */
export function decodeField(
  fields: FieldCodecs | undefined,
  name: string,
  stored: string | undefined,
): unknown {
  const codec = codecOf(fields, name);
  return stored === undefined || codec === undefined ? stored : codec.decode(stored, name);
}

// The application chooses the names, so `constructor` and `__proto__` must not find inherited properties.
function codecOf(fields: FieldCodecs | undefined, name: string): FieldCodec<unknown> | undefined {
  return fields !== undefined && Object.hasOwn(fields, name) ? fields[name] : undefined;
}
