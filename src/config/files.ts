import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { ConfigError } from './config-error.ts';

/**
 * The password in a file: a function that reads it anew each time, so that it can be changed without a restart. A pipe, as in
 * `--redis-password-file <(pass show redis)`, can be read only once and keeps its answer.
 *
 * Throws a `ConfigError`, now and at each call, where there is no password to be read.
 */
export function passwordFile(path: string, source: string): () => string {
  const first = readPassword(path, source);
  return isRegular(path) ? () => readPassword(path, source) : () => first;
}

/** The token in a file, read once. Throws a `ConfigError` where there is none to be read. */
export function tokenFile(path: string, source: string): string {
  const token = withoutLineEnd(readText(path, source));
  if (token === '') throw new ConfigError(`${source} holds no token: the file is empty`);
  return token;
}

/** Certificates of authorities. Throws a `ConfigError`. */
export function certificateFile(path: string, source: string): string {
  const text = readText(path, source);
  try {
    new X509Certificate(text);
  } catch {
    throw new ConfigError(`${source} holds no certificate in PEM form`); // what else it holds may be a key
  }
  return text;
}

/** Without the line end that editors and `echo` add. */
export function withoutLineEnd(password: string): string {
  return password.replace(/\r?\n$/, '');
}

function readPassword(path: string, source: string): string {
  const password = withoutLineEnd(readText(path, source));
  if (password === '') throw new ConfigError(`${source} holds no password: the file is empty`);
  return password;
}

// The path is not repeated: it may be a password that was given where the name of a file belongs.
function readText(path: string, source: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new ConfigError(`${source} names a file that cannot be read: ${reasons[code] ?? code}`);
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is none of that name',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
};

function isRegular(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
}
