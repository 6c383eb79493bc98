/**
 * Where a session was started, for the list in which users recognise their own devices. It is personal data: nothing is
 * kept unless the application hands it over. Each text is cut to 60 bytes, which keeps a session's hash compact.
 */
export interface Device {
  /** A name that means something to the user: `Firefox on Linux`. */
  readonly label?: string;
  readonly userAgent?: string;
  /** The address that the request came from. */
  readonly address?: string;
}

const MAX_BYTES = 60;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The device as it is kept. */
export function cutDevice({ label, userAgent, address }: Device): Device {
  return {
    ...(label !== undefined && { label: cut(label) }),
    ...(userAgent !== undefined && { userAgent: cut(userAgent) }),
    ...(address !== undefined && { address: cut(address) }),
  };
}

/** Never cuts in the middle of a character. */
function cut(text: string): string {
  const bytes = encoder.encode(text);
  if (bytes.byteLength <= MAX_BYTES) return decoder.decode(bytes);
  return decoder.decode(bytes.subarray(0, MAX_BYTES)).replace(/\uFFFD+$/, '');
}
