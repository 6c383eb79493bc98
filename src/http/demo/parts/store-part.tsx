import type { PageView } from '../views.ts';

/** The other side: the hash as the store holds it, and how to look at it oneself. */
export function StorePart({ store, session }: PageView) {
  const key = session?.key ?? `${store.prefix}<id>`;
  return (
    <section aria-labelledby="store-heading" class="store">
      <h2 id="store-heading">
        {store.kind === 'redis' ? 'What Redis holds' : 'What the server holds'}
      </h2>
      <div data-part="hash">
        {session === undefined ? (
          <p>
            No key <code>{key}</code> for you. Anonymous visitors cost nothing.
          </p>
        ) : (
          <>
            <dl class="key">
              <div>
                <dt>Key</dt>
                <dd>
                  <code>{key}</code>
                </dd>
              </div>
              <div>
                <dt>Type</dt>
                <dd>
                  <code>hash</code>
                </dd>
              </div>
              <div>
                <dt>TTL</dt>
                <dd>
                  <code id="store-ttl">{Math.ceil(session.remainingMs / 1000)}</code>
                </dd>
              </div>
            </dl>
            <div class="scroll">
              <table>
                <caption class="visually-hidden">The fields of the hash</caption>
                <thead>
                  <tr>
                    <th scope="col">Field</th>
                    <th scope="col">Value</th>
                  </tr>
                </thead>
                <tbody>
                  {Object.entries(session.record).map(([name, value]) => (
                    <tr>
                      <th scope="row">
                        <code>{name}</code>
                      </th>
                      <td data-field={name}>
                        <code>{value}</code>
                      </td>
                    </tr>
                  ))}
                  <tr>
                    <th scope="row">
                      <code>session_secret</code>
                    </th>
                    <td data-field="session_secret">
                      <em>the SHA-256 of secret {session.fingerprint}, not shown</em>
                    </td>
                  </tr>
                </tbody>
              </table>
            </div>
            {store.kind === 'redis' && (
              <>
                <p>See for yourself:</p>
                <Command id="hgetall" line={`redis-cli HGETALL ${key}`} />
                <Command id="ttl-command" line={`redis-cli TTL ${key}`} />
              </>
            )}
          </>
        )}
      </div>
    </section>
  );
}

function Command({ id, line }: { id: string; line: string }) {
  return (
    <p class="command">
      <code id={id}>{line}</code>
      <button id={`copy-${id}`} type="button" data-copy={id} hidden>
        Copy<span class="visually-hidden"> {line}</span>
      </button>
    </p>
  );
}
