const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true }); // which it would drop otherwise

/** A cut gives up at most so many bytes to keep a character whole; one may be of any length. */
const MOST_GIVEN_UP = 32;

let characters: Intl.Segmenter | undefined;

/** The length in UTF-8. */
export function byteLength(text: string): number {
  return encoder.encode(text).byteLength;
}

/**
 * What of the text fits into so many bytes of UTF-8; what is not well-formed is replaced. No character is cut in half, nor,
 * if it is not overlong, one that people see as one and that is several: a family, a flag, a letter with its accents.
 */
export function cutText(text: string, maxBytes: number): string {
  const bytes = encoder.encode(text);
  if (bytes.byteLength <= maxBytes) return decoder.decode(bytes);
  let end = maxBytes;
  while (isContinuation(bytes[end])) end -= 1;
  // One more than fits: it shows whether the last one that fits goes on.
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
