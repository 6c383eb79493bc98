/** The cluster slot of a key: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ */
export function slotOf(key: string): number {
  let crc = 0;
  for (const byte of encoder.encode(hashed(key))) {
    crc = ((crc << 8) ^ (table[((crc >> 8) ^ byte) & 0xff] as number)) & 0xffff; // the table has 256 numbers
  }
  return crc % 16_384;
}

const encoder = new TextEncoder();

/** CRC-16/XMODEM. */
const table = Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

/**
 * The part between the first brace and the next closing one, if there is one: keys with the same part share a slot.
 */
function hashed(key: string): string {
  const start = key.indexOf('{');
  const end = start < 0 ? -1 : key.indexOf('}', start);
  return end > start + 1 ? key.slice(start + 1, end) : key;
}
