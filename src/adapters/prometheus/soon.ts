/** What is quickly there is waited for; the rest is for the next who asks. */
const WAIT_MS = 100;

/** Resolves when the work is done, or after a moment in which a scrape can wait. The work must not reject. */
export function soon(work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, WAIT_MS);
    void work.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
