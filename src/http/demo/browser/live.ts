/**
 * Makes the page live. The server renders everything, and this script only brings it in: it sends the forms without
 * leaving the page, looks again from time to time by a pure read, and lets the clock run down by itself.
 */
import { startClock } from './clock.ts';
import { copyFrom } from './copy.ts';
import { enhance } from './enhance.ts';
import { act, follow, look, lookLater } from './look.ts';

const tabs = new BroadcastChannel('sojourn');

document.addEventListener('submit', (event) => {
  event.preventDefault();
  const form = event.target as HTMLFormElement;
  void act(form).then((done) => done && tabs.postMessage(done));
});

document.addEventListener('click', (event) => {
  const { copy } = (event.target as Element).closest('button')?.dataset ?? {};
  if (copy) void copyFrom(copy);
});

tabs.addEventListener('message', ({ data }) => void follow(data));
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') void look();
});

enhance(document);
startClock(performance.now(), () => void look());
lookLater();
