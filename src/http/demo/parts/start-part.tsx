import { formatDuration } from '../duration.ts';
import type { EndedView, FailedView, PageView } from '../views.ts';
import type { Cause } from '../visits.ts';
import { Field, TtlField } from './fields.tsx';
import { EmptyGauge } from './gauge.tsx';

/** Where a session begins: for those who have none, and for those whose session is over. */
export function StartPart(view: PageView) {
  const { state, ended, root } = view;
  if (state === 'unavailable') return <Unavailable {...view} />;
  return (
    <section class="panel start" aria-labelledby="session-heading">
      <div class="why">
        {ended && <EmptyGauge />}
        <div>
          <h2 id="session-heading" tabindex={-1}>
            {ended ? titles[ended.cause] : 'Start a session'}
          </h2>
          {ended ? (
            <p id="cause">{causeOf(ended)}</p>
          ) : (
            <p>You have none yet, and nothing is stored about you until you start one.</p>
          )}
        </div>
      </div>
      <Login view={view} root={root} again={ended !== undefined} />
    </section>
  );
}

const titles: Readonly<Record<Cause, string>> = {
  expired: 'Session expired',
  logout: 'Logged out',
  everywhere: 'Logged out everywhere',
  elsewhere: 'Session ended',
  evicted: 'Session ended',
  operator: 'Session ended',
  reused: 'Session ended',
  replaced: 'Another secret opens this session',
  unknown: 'Session expired or ended',
};

function causeOf({ cause, ttl }: EndedView): string {
  const idle =
    ttl === undefined ? 'its idle timeout' : `its idle timeout of ${formatDuration(ttl)}`;
  const words: Readonly<Record<Cause, string>> = {
    expired: `It was not used for ${idle}. Its key is gone, and no cookie brings it back.`,
    logout: 'You ended it in this browser. Its key is gone, and so is the cookie.',
    everywhere: 'Every session of that name was ended at once.',
    elsewhere: 'It was ended from another browser.',
    evicted: 'Too many sessions of that name were started, and the oldest made room.',
    operator: 'An operator ended it.',
    reused: 'An old copy of its cookie was presented, so it was ended for safety.',
    replaced:
      'Its secret was replaced in another browser. This cookie is a copy of the old one, and opens nothing.',
    unknown:
      'Your cookie opens nothing any more: the session was not used for its idle timeout, it was ended elsewhere, or the store has lost it.',
  };
  return words[cause];
}

interface LoginProps {
  readonly view: PageView;
  readonly root: string;
  readonly again: boolean;
}

function Login({ view, root, again }: LoginProps) {
  const { policy, ended, refused } = view;
  return (
    <form
      class="login"
      method="post"
      action={`${root}login`}
      data-says="Session started."
      novalidate
    >
      <Field
        id="username"
        label="Name"
        name="username"
        value={ended?.name}
        refused={refused}
        maxlength={64}
        autocomplete="nickname"
        placeholder="Guest"
      />
      <TtlField
        id="login-ttl"
        value={ended?.ttl ?? policy.ttl}
        refused={refused}
        hint="It ends when it is not used for this long."
      />
      <button id="login" type="submit" class="primary">
        {again ? 'Start a session again' : 'Start a session'}
      </button>
    </form>
  );
}

function Unavailable({ root, cookie, failed, store }: PageView) {
  const name = store.kind === 'redis' ? 'Redis' : 'The store';
  return (
    <section class="panel start" aria-labelledby="session-heading">
      <div class="why">
        <div>
          <h2 id="session-heading" tabindex={-1}>
            {name} cannot be reached
          </h2>
          {failed && <p id="failed">{failedWords(failed)}</p>}
          {cookie.isThere ? (
            <p>
              So nobody can say what your cookie opens. It stays in your browser untouched, and
              nobody was logged out.
            </p>
          ) : (
            <p>You have no session, and lose nothing by waiting.</p>
          )}
        </div>
      </div>
      <div class="actions">
        {failed && (
          <form method="post" action={root + failed.action}>
            {failed.fields.map(([name, value]) => (
              <input type="hidden" name={name} value={value} />
            ))}
            <button type="submit" class="primary">
              {failed.label}, once more
            </button>
          </form>
        )}
        <a class="button" href={root}>
          Try again
        </a>
      </div>
    </section>
  );
}

function failedWords({ label, outcome }: FailedView): string {
  return outcome === 'refused'
    ? `“${label}” was not done.`
    : `“${label}” got no answer in time, so it may have been done or not.`;
}
