/**
 * The cryptography that sessions need. It is synchronous, so that hashing a token does not cost a turn of the event
 * loop.
 */
export interface Secrets {
  /**
   * `byteLength` bytes from a cryptographically secure generator, as unpadded base64url.
   *
   * @throws if no secure source is available. It must never fall back to a weaker one.
   */
  random(byteLength: number): string;
  /** The SHA-256 (FIPS 180-4) of the text's UTF-8 bytes, as unpadded base64url: 43 characters. */
  sha256(text: string): string;
}
