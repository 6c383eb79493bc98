/**
 * Calls `act` after a time, like `setTimeout`, but tolerates an event loop delay. After a delay, because the process was
 * busy or suspended, Node runs overdue timers before it reads from sockets, so that a plain timeout gives up answers
 * that have arrived. This one is two timers of half its length: the first may be overdue, but during the second the
 * process has time to send and read. At the end, what has arrived is read before `act` is called. Answers read at that
 * moment come too late to clear a timer, so `act` must do no harm after an answer.
 *
 * @param keep Receives each timer, so that it can be cleared.
 */
export function setTolerantTimeout(
  act: () => void,
  ms: number,
  keep: (timer: NodeJS.Timeout) => void,
): void {
  const readFirst = () => setImmediate(act);
  keep(setTimeout(() => keep(setTimeout(readFirst, ms / 2)), ms / 2));
}
