import type { PageView } from '../views.ts';

/** What the browser carries, and why its value is nowhere on the page. */
export function CookiePart({ cookie, session }: PageView) {
  return (
    <section aria-labelledby="cookie-heading">
      <h2 id="cookie-heading">What your browser carries</h2>
      <p class="command">
        <code>
          {cookie.name}=<span class="id">{'<id>'}</span>.<span class="secret">{'<secret>'}</span>
          {`; Path=/; HttpOnly${cookie.secure ? '; Secure' : ''}; SameSite=Lax`}
        </code>
      </p>
      <div data-part="fingerprint">
        {session && (
          <p>
            At the moment it is secret{' '}
            <code class="secret" id="fingerprint" data-field="fingerprint">
              {session.fingerprint}
            </code>
            . Rotate it, and it is another one: the id and the data stay, and a stolen copy of the
            old cookie opens nothing.
          </p>
        )}
      </div>
      {session && (
        <form
          method="post"
          action="/rotate"
          data-says="The secret was replaced. The id and the data stayed."
        >
          <button id="rotate" type="submit">
            Rotate the secret
          </button>
        </form>
      )}
      <dl class="notes">
        <dt>The value is not shown</dt>
        <dd>
          The id only names the session, and you saw it. The secret opens it: whoever has it is you.
          The server keeps its hash only. The six characters above are derived from it one way, to
          tell two secrets apart.
        </dd>
        <dt>HttpOnly</dt>
        <dd>No script can read it, neither ours nor one that somebody smuggled in.</dd>
        <dt>SameSite=Lax</dt>
        <dd>Forms of foreign sites are sent without it.</dd>
        {cookie.secure && (
          <>
            <dt>Secure, __Host-</dt>
            <dd>It travels by HTTPS only, and only this host can set it.</dd>
          </>
        )}
      </dl>
    </section>
  );
}
