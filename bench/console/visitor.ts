import { setTimeout as wait } from 'node:timers/promises';
import { answerParent } from '../measure/answer-parent.ts';

/** Opens the page each second for so many milliseconds, as a browser does whose page renews itself. */
export interface Visit {
  readonly url: string;
  readonly milliseconds: number;
}

// Answers how long each page took, in milliseconds. In a process of its own, which costs those that are measured nothing.
answerParent<Visit>(async ({ url, milliseconds }) => {
  const answersMs: number[] = [];
  const endsAt = performance.now() + milliseconds;
  do {
    answersMs.push(await open(url));
    await wait(Math.min(1000, Math.max(0, endsAt - performance.now())));
  } while (performance.now() < endsAt);
  return answersMs;
});

async function open(url: string): Promise<number> {
  const beganAt = performance.now();
  const response = await fetch(url, { headers: { Accept: 'text/html' } });
  const page = await response.text();
  if (!response.ok || !page.includes('</html>')) throw new Error(`It answered ${response.status}`);
  return performance.now() - beganAt;
}
