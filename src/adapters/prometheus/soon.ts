/** How long a scrape waits. Later results are for the next scrape. */
const WAIT_MS = 100;

/** Resolves when the work is done, or after a short time for which a scrape can wait. The work must not reject. */
export function soon(work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, WAIT_MS);
    void work.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
