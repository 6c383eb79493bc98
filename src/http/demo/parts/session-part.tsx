import type { PageView, SessionView } from '../views.ts';
import { formatDuration, Gauge } from './gauge.tsx';

const PRESETS = [10, 60, 1800];

/** The friendly side: who you are, how long it lasts, what you can do. */
export function SessionPart({ state, policy, session }: PageView) {
  if (session !== undefined) return <Active session={session} policy={policy} />;
  return (
    <section aria-labelledby="session-heading">
      <h2 id="session-heading" tabindex={-1}>
        Your session
      </h2>
      {state === 'expired' && <Expired />}
      {state === 'anonymous' && (
        <p>You have none. Nothing is stored about you until you start one.</p>
      )}
      {state === 'unavailable' ? <Unavailable /> : <Login policy={policy} />}
    </section>
  );
}

function Login({ policy }: Pick<PageView, 'policy'>) {
  return (
    <form method="post" action="/login" data-says="Session started.">
      <label for="username">Name</label>
      <input
        id="username"
        name="username"
        maxlength={64}
        autocomplete="nickname"
        placeholder="Guest"
      />
      <TtlInput id="login-ttl" value={policy.ttl} policy={policy} />
      <p id="login-ttl-hint" class="hint">
        Seconds without use after which it ends. Choose 10 and watch it expire.
      </p>
      <button id="login" type="submit" class="primary">
        Start a session
      </button>
    </form>
  );
}

/** What a countdown leaves behind. A session that was ended on another device looks the same from here. */
function Expired() {
  return (
    <div class="gauge over">
      <svg viewBox="0 0 100 100" aria-hidden="true">
        <circle class="track" cx="50" cy="50" r="44" />
      </svg>
      <p>
        <strong>expired</strong>{' '}
        <span class="hint">
          Nobody used it for its idle timeout, or it was ended elsewhere. The key is gone, and no
          cookie brings it back.
        </span>
      </p>
    </div>
  );
}

function Unavailable() {
  return (
    <>
      <p>
        The session store cannot be reached, so nobody can say what your cookie opens. It stays in
        your browser untouched, and nobody was logged out.
      </p>
      <p>
        <a href="/">Try again</a>
      </p>
    </>
  );
}

function Active({ session, policy }: { session: SessionView; policy: PageView['policy'] }) {
  const { record, configuredTtl } = session;
  return (
    <section aria-labelledby="session-heading">
      <h2 id="session-heading" tabindex={-1}>
        Your session
      </h2>
      <div data-part="clock">
        <Gauge {...session} />
      </div>
      <dl class="facts" data-part="facts">
        <div>
          <dt>Name</dt>
          <dd>{record.username}</dd>
        </div>
        <div>
          <dt>Page views</dt>
          <dd data-field="page_views" class="number">
            {record.page_views}
          </dd>
        </div>
        <div>
          <dt>Idle timeout</dt>
          <dd>{formatDuration(configuredTtl)}</dd>
        </div>
      </dl>
      <div class="actions">
        <form method="post" action="/increment" data-says="One page view more; the expiry slid.">
          <button id="increment" type="submit" class="primary">
            Add a page view
          </button>
        </form>
        <button id="touch" type="button" hidden>
          Just touch it
        </button>
        <form method="post" action="/logout" data-says="Logged out. The hash is gone.">
          <button id="logout" type="submit">
            Log out
          </button>
        </form>
      </div>
      <form method="post" action="/ttl" class="inline" data-says="The idle timeout has changed.">
        <TtlInput id="ttl" value={configuredTtl} policy={policy} />
        <button id="set-ttl" type="submit">
          Change
        </button>
      </form>
      <p id="ttl-hint" class="hint">
        Seconds the session lives without being used; it takes effect at once.
      </p>
      <div class="actions">
        {PRESETS.filter((ttl) => ttl <= policy.maxTtl).map((ttl) => (
          <form
            method="post"
            action="/ttl"
            data-says={`The idle timeout is ${formatDuration(ttl)}.`}
          >
            <input type="hidden" name="ttl" value={String(ttl)} />
            <button id={`ttl-${ttl}`} type="submit" class="quiet">
              {formatDuration(ttl)}
            </button>
          </form>
        ))}
      </div>
    </section>
  );
}

function TtlInput({
  id,
  value,
  policy,
}: {
  id: string;
  value: number;
  policy: PageView['policy'];
}) {
  return (
    <>
      <label for={id}>Idle timeout in seconds</label>
      <input
        id={id}
        name="ttl"
        type="number"
        inputmode="numeric"
        min="1"
        max={String(policy.maxTtl)}
        step="1"
        required
        value={String(value)}
        aria-describedby={`${id}-hint`}
      />
    </>
  );
}
