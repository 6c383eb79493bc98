import type { PageView } from '../views.ts';

/** Why the page shows what it shows, and keeps the rest to itself. */
export function NotesPart({ cookie, store }: Pick<PageView, 'cookie' | 'store'>) {
  return (
    <section class="notes" aria-labelledby="notes-heading">
      <h2 id="notes-heading">How it is kept safe</h2>
      <dl>
        <div>
          <dt>The id names, the secret opens</dt>
          <dd>
            The id may be seen, logged and put in a URL. Anyone with the secret would be logged in
            as you, so it is nowhere on this page, and the server keeps only its hash.
          </dd>
        </div>
        <div>
          <dt>HttpOnly, SameSite=Lax{cookie.secure && ', Secure, __Host-'}</dt>
          <dd>
            No script can read the cookie, and forms of foreign sites are sent without it.
            {cookie.secure && ' It travels by HTTPS only, and only this host can set it.'}
          </dd>
        </div>
        <div>
          <dt>Idle timeout and lifetime</dt>
          <dd>
            A session that nobody uses ends after its idle timeout, the outer ring. Each use starts
            it over, but never beyond the lifetime, the inner ring.
          </dd>
        </div>
        <div>
          <dt>Looking does not count as use</dt>
          <dd>
            This page only reads, so you can watch a session run out.
            {store.kind === 'redis' && ' Redis itself drops it, to the second.'}
          </dd>
        </div>
      </dl>
    </section>
  );
}
