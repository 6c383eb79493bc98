import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { ConfigError } from './config-error.ts';

/**
 * Returns a function that reads the password from the file each time, so that it can be changed without a restart. A
 * pipe, as in `--redis-password-file <(pass show redis)`, can be read only once, so its content is kept.
 *
 * Throws a `ConfigError`, now and at each call, if no password can be read.
 */
export function passwordFile(path: string, source: string): () => string {
  const first = readPassword(path, source);
  return isRegular(path) ? () => readPassword(path, source) : () => first;
}

/** The token in a file, read once. Throws a `ConfigError` if it cannot be read. */
export function tokenFile(path: string, source: string): string {
  const token = withoutLineEnd(readText(path, source));
  if (token === '')
    throw new ConfigError(`${source} names an empty file: it must contain the token`);
  return token;
}

/** CA certificates in PEM form. Throws a `ConfigError` if there are none. */
export function certificateFile(path: string, source: string): string {
  const text = readText(path, source);
  try {
    new X509Certificate(text);
  } catch {
    throw new ConfigError(`${source} names a file without a certificate in PEM form`); // it may contain a private key instead
  }
  return text;
}

/** Removes the line end that editors and `echo` add. */
export function withoutLineEnd(password: string): string {
  return password.replace(/\r?\n$/, '');
}

function readPassword(path: string, source: string): string {
  const password = withoutLineEnd(readText(path, source));
  if (password === '')
    throw new ConfigError(`${source} names an empty file: it must contain the password`);
  return password;
}

// The message does not repeat the path: it may be a password that was given instead of a file name.
function readText(path: string, source: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new ConfigError(`${source} names a file that cannot be read: ${reasons[code] ?? code}`);
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

function isRegular(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
}
