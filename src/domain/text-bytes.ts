const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true }); // otherwise a leading BOM would be dropped

/**
 * To avoid cutting a visible character in half, at most this many bytes are given up. A visible character can be of any
 * length.
 */
const MOST_GIVEN_UP = 32;

let characters: Intl.Segmenter | undefined;

/** The length in UTF-8. */
export function byteLength(text: string): number {
  return encoder.encode(text).byteLength;
}

/**
 * The beginning of the text that fits into `maxBytes` bytes of UTF-8. Malformed Unicode is replaced. No code point is
 * cut in half, nor, unless it is very long, a visible character that consists of several: a family emoji, a flag, a
 * letter with accents.
 */
export function cutText(text: string, maxBytes: number): string {
  const bytes = encoder.encode(text);
  if (bytes.byteLength <= maxBytes) return decoder.decode(bytes);
  let end = maxBytes;
  while (isContinuation(bytes[end])) end -= 1;
  // One code point more than fits. It shows whether the last visible character that fits would continue.
  const ahead = decoder.decode(bytes.subarray(0, end)) + nextCharacter(bytes, end);
  characters ??= new Intl.Segmenter();
  const last = [...characters.segment(ahead)].at(-1)?.index ?? 0;
  const whole = ahead.slice(0, last);
  return byteLength(whole) >= maxBytes - MOST_GIVEN_UP
    ? whole
    : decoder.decode(bytes.subarray(0, end));
}

function nextCharacter(bytes: Uint8Array, start: number): string {
  let end = start + 1;
  while (isContinuation(bytes[end])) end += 1;
  return decoder.decode(bytes.subarray(start, end));
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
