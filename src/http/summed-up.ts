/**
 * Returns a function to call whenever something happens. `tell` gets the first time at once, and the number of further
 * times at most every `everyMs` milliseconds, also if nothing happens any more.
 */
export function summedUp(everyMs: number, tell: (times: number) => void): () => void {
  let times = 0;
  let timer: NodeJS.Timeout | undefined;

  return function happened() {
    times += 1;
    if (timer === undefined) tellAll();
  };

  function tellAll(): void {
    timer = undefined;
    if (times === 0) return;
    const now = times;
    times = 0;
    timer = setTimeout(tellAll, everyMs);
    timer.unref(); // must not keep the process alive
    tell(now);
  }
}
