import { StoreUnavailableError } from '../domain/errors.ts';

/** The answer, or a `StoreUnavailableError` (outcome `unknown`) if there is none after so many milliseconds. */
export async function within<T>(deadlineMs: number, answer: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new StoreUnavailableError('unknown')), deadlineMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
