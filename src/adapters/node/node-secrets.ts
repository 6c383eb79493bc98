import { hash, randomBytes } from 'node:crypto';
import type { Secrets } from '../../ports/secrets.ts';

/** Random bytes and SHA-256 from node:crypto (OpenSSL's CSPRNG, seeded by the operating system). */
export const nodeSecrets: Secrets = {
  random: (byteLength) => randomBytes(byteLength).toString('base64url'),
  sha256: (text) => hash('sha256', text, 'base64url'),
};
