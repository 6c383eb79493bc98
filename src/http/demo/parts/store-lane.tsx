import { exact } from '../moments.ts';
import type { EndedView, PageView, SessionView, StoreView } from '../views.ts';
import { Id, WithId } from './token.tsx';

/** The other side: the hash as the store holds it, and how to look at it oneself. */
export function StoreLane(view: PageView) {
  const { store, state, session, ended } = view;
  return (
    <section class="panel lane store" aria-labelledby="store-heading">
      <div class="head">
        <h3 id="store-heading">{store.kind === 'redis' ? 'Redis' : 'Embedded store'}</h3>
        <p class="type" data-part="type">
          {session && (
            <>
              hash · TTL <code id="store-ttl">{Math.ceil(session.remainingMs / 1000)}</code>
            </>
          )}
        </p>
      </div>
      <div data-part="stale"></div>
      <div data-part="hash">
        {session ? (
          <Hash store={store} session={session} />
        ) : state === 'unavailable' ? (
          <p>It does not answer, so nothing is said here of what it holds.</p>
        ) : ended?.id !== undefined ? (
          <Remains store={store} ended={ended} id={ended.id} />
        ) : (
          <>
            <p class="key ghost">
              <code>
                {store.prefix}
                <Id id="<id>" />
              </code>
            </p>
            <p class="hint">
              The key of your session. A visitor without one costs {name(store)} nothing: no key, no
              command.
            </p>
          </>
        )}
      </div>
    </section>
  );
}

function name({ kind }: StoreView): string {
  return kind === 'redis' ? 'Redis' : 'the store';
}

/** What is asked of those who look by themselves, and the answer. */
function Remains({
  store,
  ended,
  id,
}: {
  readonly store: StoreView;
  readonly ended: EndedView;
  readonly id: string;
}) {
  const key = store.prefix + id;
  if (store.cli === undefined) {
    return (
      <>
        <p class="key void">
          <code>
            {store.prefix}
            <Id id={id} />
          </code>
        </p>
        {ended.isGone && <p class="hint">There is no such key any more.</p>}
      </>
    );
  }
  return (
    <>
      <Command id="hgetall" line={`${store.cli} HGETALL ${key}`} of={id} />
      {ended.isGone && <p class="answer">(empty array)</p>}
      <Command id="ttl-command" line={`${store.cli} TTL ${key}`} of={id} />
      {ended.isGone && (
        <p class="answer">
          (integer) <span id="store-ttl">-2</span>
        </p>
      )}
      {ended.isGone && <p class="hint">-2 says that there is no such key.</p>}
    </>
  );
}

function Hash({ store, session }: { readonly store: StoreView; readonly session: SessionView }) {
  const { id, record, fingerprint, rotated } = session;
  const all = Object.entries(record);
  const own = all.filter(([field]) => !isReserved(field));
  const kept = all.filter(([field]) => isReserved(field));
  const key = store.prefix + id;
  return (
    <>
      <p class="key">
        <code>
          {store.prefix}
          <Id id={id} />
        </code>
      </p>
      <table>
        <caption class="visually-hidden">The fields of the hash</caption>
        <thead class="visually-hidden">
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Value</th>
          </tr>
        </thead>
        <tbody class="own">
          {own.map(([field, value]) => (
            <tr>
              <th scope="row">
                <code>{field}</code>
              </th>
              <td data-field={field}>
                <code>{value}</code>
              </td>
            </tr>
          ))}
        </tbody>
        <tbody class="reserved">
          <tr>
            <th colspan={2} scope="rowgroup">
              Kept by Sojourn
            </th>
          </tr>
          {kept.map(([field, value]) => (
            <tr>
              <th scope="row">
                <FieldName name={field} />
                <span class="hint">{meaning[field]}</span>
              </th>
              <td data-field={field}>
                <code>{value}</code>
                {field === 'session_deadline' && <Instant at={Number(value)} />}
              </td>
            </tr>
          ))}
          <tr>
            <th scope="row">
              <code>session_secret</code>
              <span class="hint">{meaning.session_secret}</span>
            </th>
            <td data-field="session_secret">
              <em>not shown, fingerprint {fingerprint}</em>
            </td>
          </tr>
        </tbody>
      </table>
      {rotated && (
        <p class="hint">
          Beside these it keeps hashes of the secrets that were replaced, to notice old copies of
          the cookie.
        </p>
      )}
      {store.cli !== undefined && (
        <>
          <p class="see">See for yourself:</p>
          <Command id="hgetall" line={`${store.cli} HGETALL ${key}`} of={id} />
          <Command id="ttl-command" line={`${store.cli} TTL ${key}`} of={id} />
        </>
      )}
    </>
  );
}

/** Long names break where their words end. */
function FieldName({ name }: { readonly name: string }) {
  const words = name.split('_');
  return (
    <code>
      {words.map((word, i) => (
        <>
          {word}
          {i < words.length - 1 && '_'}
          <wbr />
        </>
      ))}
    </code>
  );
}

function Instant({ at }: { readonly at: number }) {
  return (
    <time class="hint" datetime={new Date(at).toISOString()}>
      {exact(at)}
    </time>
  );
}

function isReserved(field: string): boolean {
  return field in meaning || field.startsWith('session_');
}

const meaning: Readonly<Record<string, string>> = {
  created_at: 'when it was started',
  last_accessed_at: 'when it was last used',
  session_ttl: 'idle timeout in seconds',
  session_deadline: 'end of the lifetime, in ms since 1970',
  session_user: 'whose it is',
  session_authenticated_at: 'when they proved who they are',
  session_device: 'where it was started',
  session_secret: 'SHA-256 of the secret',
};

interface CommandProps {
  readonly id: string;
  readonly line: string;
  /** The session's id, which stands out. */
  readonly of: string;
}

function Command({ id, line, of }: CommandProps) {
  return (
    <p class="command">
      <code id={id}>
        <WithId text={line} id={of} />
      </code>
      <button id={`copy-${id}`} type="button" class="small" data-copy={id} hidden>
        Copy<span class="visually-hidden"> {line}</span>
      </button>
    </p>
  );
}
