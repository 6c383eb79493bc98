import type { PageView, SessionView } from '../views.ts';
import { Gauge } from './gauge.tsx';

interface SessionBarProps extends Pick<PageView, 'root'> {
  readonly session: SessionView;
}

/** The time that is left and what to do: stays in view while the rest scrolls. */
export function SessionBar({ root, session }: SessionBarProps) {
  return (
    <section class="panel bar" aria-labelledby="session-heading">
      <h2 id="session-heading" class="visually-hidden" tabindex={-1}>
        Your session
      </h2>
      <div data-part="clock">
        <Gauge {...session} />
      </div>
      <div class="actions">
        <form
          method="post"
          action={`${root}increment`}
          data-says="One page view more; its time began anew."
        >
          <button id="increment" type="submit" class="primary">
            Add a page view
          </button>
        </form>
        <form method="post" action={`${root}touch`} data-says="Touched; its time began anew.">
          <button id="touch" type="submit">
            Touch it
          </button>
        </form>
        <form method="post" action={`${root}logout`} data-says="Logged out. The hash is gone.">
          <button id="logout" type="submit">
            Log out
          </button>
        </form>
      </div>
    </section>
  );
}
