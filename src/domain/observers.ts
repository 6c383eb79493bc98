import type { SessionObserver } from '../ports/session-observer.ts';

/**
 * Combines several observers into one. If one of them throws or rejects, the others and the service are not affected. `onError`
 * gets the first error of each observer.
 *
 * @example
 * ```ts
 * const service = new SessionService({ repository, observer: observers([metrics, endings]) });
 * ```
 */
export function observers(
  list: readonly SessionObserver[],
  onError: (error: unknown) => void = console.error,
): SessionObserver {
  const failed = new Set<SessionObserver>();

  function safely<T>(observer: SessionObserver, tell: () => T): T | undefined {
    try {
      const answer = tell();
      if (answer instanceof Promise) answer.catch((error) => report(observer, error)); // an async method is accepted as well
      return answer;
    } catch (error) {
      report(observer, error);
      return undefined;
    }
  }

  function report(observer: SessionObserver, error: unknown): void {
    if (failed.has(observer)) return;
    failed.add(observer);
    onError(error);
  }

  const asked = list.filter(({ storeAsked }) => storeAsked !== undefined);
  return {
    notify(event) {
      for (const observer of list) safely(observer, () => observer.notify(event));
    },
    ...(asked.length > 0 && {
      storeAsked(operation) {
        const answered = asked.map((observer) =>
          safely(observer, () => observer.storeAsked?.(operation)),
        );
        return (answer) => {
          for (const [i, observer] of asked.entries()) {
            safely(observer, () => answered[i]?.(answer));
          }
        };
      },
    }),
  };
}
