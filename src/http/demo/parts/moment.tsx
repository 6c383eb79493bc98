import { ago, exact } from '../moments.ts';

/** How long ago, with the exact time for programs and on hover. */
export function Moment({ at, now }: { readonly at: number; readonly now: number }) {
  return (
    <time datetime={new Date(at).toISOString()} title={exact(at)}>
      {ago(at, now)}
    </time>
  );
}
