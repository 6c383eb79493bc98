import type { ServiceSession } from './service-session.ts';

const open = new WeakMap<Request, readonly ServiceSession[]>();

/** The session of that cookie if the request is being handled with one already, by whichever layer opened it. */
export function openSession(request: Request, cookieName: string): ServiceSession | undefined {
  return sessionsOf(request).find((session) => session.cookieName === cookieName);
}

/** Does the application's work on a request. While it runs, `openSession` finds the session. */
export async function whileOpen<T>(
  request: Request,
  session: ServiceSession,
  work: () => Promise<T>,
): Promise<T> {
  open.set(request, [...sessionsOf(request), session]);
  try {
    return await work();
  } finally {
    const others = sessionsOf(request).filter((other) => other !== session);
    open.set(request, others);
  }
}

function sessionsOf(request: Request): readonly ServiceSession[] {
  return open.get(request) ?? [];
}
