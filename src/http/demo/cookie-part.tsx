import type { PageView } from './page.tsx';

/** What the browser carries, and why its value is nowhere on the page. */
export function CookiePart({ cookie }: PageView) {
  return (
    <section aria-labelledby="cookie-heading">
      <h2 id="cookie-heading">What your browser carries</h2>
      <p class="command">
        <code>
          {cookie.name}=&lt;id&gt;.&lt;secret&gt;; Path=/; HttpOnly{cookie.secure ? '; Secure' : ''}
          ; SameSite=Lax
        </code>
      </p>
      <dl class="notes">
        <dt>The value is not shown</dt>
        <dd>
          The id only names the session, and you saw it. The secret opens it: whoever has it is you.
          The server keeps its hash and could not show it if it wanted to.
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
