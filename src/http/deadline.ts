import { StoreUnavailableError } from '../domain/errors.ts';

/** The answer, or a `StoreUnavailableError` (outcome `unknown`) if there is none after so many milliseconds. */
export function within<T>(deadlineMs: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new StoreUnavailableError('unknown', { failure: 'timeout' })),
      deadlineMs,
    );
    answer.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
