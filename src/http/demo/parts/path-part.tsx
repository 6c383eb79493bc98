import { type Step, steps } from '../steps.ts';
import type { PageView } from '../views.ts';

const words: Readonly<Record<Step, readonly [title: string, hint: string]>> = {
  start: ['Start a session', 'Any name will do.'],
  use: ['Touch it', 'Each use gives it its whole idle timeout again.'],
  expire: ['Let it run out', 'Set 10 seconds, and do nothing.'],
  second: ['Open a second browser', 'A private window, under the same name.'],
  look: ['Look into Redis', 'Copy a command, and run it.'],
  everywhere: ['Log out everywhere', 'It ends each session of that name.'],
};

/** What to try, in order. What was done is ticked off by itself. */
export function PathPart({ steps: done, store }: Pick<PageView, 'steps' | 'store'>) {
  const shown = steps.filter((step) => step !== 'look' || store.kind === 'redis');
  const next = shown.find((step) => !done.has(step));
  return (
    <nav class="path" aria-label="Things to try">
      <ol data-part="path">
        {shown.map((step, i) => (
          <li
            data-step={step}
            class={done.has(step) ? 'done' : undefined}
            aria-current={step === next ? 'step' : undefined}
          >
            <span class="mark" data-number={String(i + 1)} aria-hidden="true"></span>
            <span class="words">
              <strong>{words[step][0]}</strong>
              {done.has(step) && <span class="visually-hidden"> (done)</span>}
              <span class="hint">{words[step][1]}</span>
            </span>
          </li>
        ))}
      </ol>
    </nav>
  );
}
