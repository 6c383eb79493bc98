import { formatDuration } from '../duration.ts';
import type { PageView, SessionView } from '../views.ts';
import { TtlField } from './fields.tsx';

const PRESETS = [10, 60, 1800];

/** What the server makes of it: whose session it is, and by which rules it lives. */
export function ServerLane(view: PageView) {
  const { session, policy, state, store } = view;
  const name = store.kind === 'redis' ? 'Redis' : 'the store';
  return (
    <section class="panel lane server" aria-labelledby="server-heading">
      <div class="head">
        <h3 id="server-heading">Server</h3>
        {session && (
          <p class="who" data-part="who">
            <bdi>{session.record.username}</bdi>
            {` · ${viewsOf(session)}`}
          </p>
        )}
      </div>
      {session ? (
        <Rules view={view} session={session} />
      ) : (
        <>
          <p>
            {state === 'unavailable'
              ? 'It serves this page, and waits.'
              : `It keeps nothing of its own: each request brings the cookie, and ${name} is asked once.`}
          </p>
          <dl class="facts">
            <div class="idle">
              <dt>Idle timeout</dt>
              <dd>{formatDuration(policy.ttl)}, or as you choose</dd>
            </div>
            {policy.lifetime !== undefined && (
              <div class="lifetime">
                <dt>Lifetime</dt>
                <dd>{formatDuration(policy.lifetime)}, however much it is used</dd>
              </div>
            )}
          </dl>
        </>
      )}
    </section>
  );
}

function viewsOf({ record }: SessionView): string {
  return record.page_views === '1' ? '1 page view' : `${record.page_views} page views`;
}

function Rules({ view, session }: { readonly view: PageView; readonly session: SessionView }) {
  const { root, policy, refused } = view;
  return (
    <>
      <form
        method="post"
        action={`${root}ttl`}
        class="inline"
        data-says="The idle timeout has changed."
        novalidate
      >
        <TtlField id="ttl" value={session.configuredTtl} refused={refused} />
        <button id="set-ttl" type="submit">
          Change
        </button>
      </form>
      <div class="actions presets">
        {PRESETS.filter((ttl) => ttl <= policy.maxTtl).map((ttl) => (
          <form
            method="post"
            action={`${root}ttl`}
            data-says={`The idle timeout is ${formatDuration(ttl)}.`}
          >
            <input type="hidden" name="ttl" value={String(ttl)} />
            <button id={`ttl-${ttl}`} type="submit" class="small">
              {formatDuration(ttl)}
            </button>
          </form>
        ))}
      </div>
    </>
  );
}
