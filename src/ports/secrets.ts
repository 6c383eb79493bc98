/** The cryptography that sessions need, synchronous so that hashing a token costs no turn of the event loop. */
export interface Secrets {
  /** `byteLength` bytes from a cryptographically secure generator, as unpadded base64url. Throws rather than fall back to a weaker source. */
  random(byteLength: number): string;
  /** The SHA-256 (FIPS 180-4) of the text's UTF-8 bytes, as unpadded base64url: 43 characters. */
  sha256(text: string): string;
}
