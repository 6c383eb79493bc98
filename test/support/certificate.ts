import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Files of a certificate that signs itself. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Writes a certificate for `names` (`DNS:localhost`, `IP:127.0.0.1`) into the folder. */
export async function makeCertificate(
  folder: string,
  names: readonly string[],
): Promise<Certificate> {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2';
  await promisify(execFile)('openssl', [
    ...[...request.split(' '), '-subj', '/CN=localhost', '-keyout', key, '-out', cert],
    ...['-addext', `subjectAltName=${names.join()}`],
  ]);
  return { key, cert };
}
