/** A session's id, in its one colour wherever it stands. */
export function Id({ id }: { readonly id: string }) {
  return <span class="id">{id}</span>;
}

/** The secret is never on the page: only that there is one. */
export function Secret() {
  return (
    <span class="secret">
      <span aria-hidden="true">••••••••</span>
      <span class="visually-hidden">secret</span>
    </span>
  );
}

/** A text in which the id stands out. */
export function WithId({ text, id }: { readonly text: string; readonly id: string | undefined }) {
  const parts = id === undefined ? [text] : text.split(id);
  return (
    <>
      {parts.map((part, i) => (
        <>
          {i > 0 && id !== undefined && <Id id={id} />}
          {part}
        </>
      ))}
    </>
  );
}
