import type { PageView } from '../views.ts';

/** The exact commands of the last action, and how long they took. */
export function CostPart({ store, action }: PageView) {
  return (
    <section aria-labelledby="cost-heading" class="cost">
      <h2 id="cost-heading">What the last action cost</h2>
      <div data-part="cost">
        {store.kind === 'memory' ? (
          <p class="hint">Nothing on the wire: the embedded store takes no commands.</p>
        ) : action === undefined ? (
          <p class="hint">
            Nothing yet. Whoever has no cookie costs no command. Start a session, and every command
            is listed here.
          </p>
        ) : (
          <>
            <p>
              <code>{action.request}</code>
              <span class="tag" id="round-trips">
                {count(action.cost.roundTrips, 'round trip')}
              </span>
              <span class="tag" id="waited">
                {action.cost.waitedMs.toFixed(1)} ms
              </span>
            </p>
            <ol class="commands">
              {action.cost.commands.map((command) => (
                <li>
                  <code>{command}</code>
                </li>
              ))}
            </ol>
            <p class="hint">
              Each <code>EVAL</code> or <code>EVALSHA</code> is one atomic script: it checks the
              secret, acts and slides the expiry in the same step. <code>EVAL</code> brings a script
              along that the connection has not sent before.
            </p>
          </>
        )}
      </div>
    </section>
  );
}

function count(amount: number, what: string): string {
  return `${amount} ${what}${amount === 1 ? '' : 's'}`;
}
