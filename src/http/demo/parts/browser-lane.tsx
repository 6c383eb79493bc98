import type { PageView } from '../views.ts';
import { Id, Secret } from './token.tsx';

/** What the browser carries. The secret is nowhere on the page. */
export function BrowserLane(view: PageView) {
  const { session, root } = view;
  return (
    <section class="panel lane browser" aria-labelledby="browser-heading">
      <div class="head">
        <h3 id="browser-heading">Browser</h3>
        {session && (
          <form
            method="post"
            action={`${root}rotate`}
            data-says="The secret was replaced. The id and the data stayed."
          >
            <button id="rotate" type="submit" class="small">
              Rotate the secret
            </button>
          </form>
        )}
      </div>
      <div data-part="cookie">
        <Cookie {...view} />
      </div>
    </section>
  );
}

function Cookie({ cookie, session, ended, state }: PageView) {
  const { name } = cookie;
  if (session !== undefined) {
    return (
      <>
        <p class="cookie">
          <code>
            {name}=<Id id={session.id} />.<Secret />
          </code>
        </p>
        <p class="hint">
          Path=/ · HttpOnly · {cookie.secure && 'Secure · '}SameSite=Lax · fingerprint of the secret{' '}
          <code id="fingerprint" data-field="fingerprint">
            {session.fingerprint}
          </code>
        </p>
      </>
    );
  }
  if (cookie.isThere && ended?.id !== undefined) {
    return (
      <>
        <p class="cookie void">
          <code>
            {name}=<Id id={ended.id} />.<Secret />
          </code>
        </p>
        <p class="hint">It is still here, and opens nothing. The next session replaces it.</p>
      </>
    );
  }
  if (cookie.isThere && state === 'unavailable') {
    return <p class="hint">Its cookie stays as it is.</p>;
  }
  return (
    <>
      <p class="cookie ghost">
        <code>
          {name}=<Id id="<id>" />.<Secret />
        </code>
      </p>
      <p class="hint">{ended ? 'The cookie is gone.' : 'No cookie yet. It will look like this.'}</p>
    </>
  );
}
