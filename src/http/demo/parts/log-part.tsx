import { exact } from '../moments.ts';
import type { Crossing } from '../visits.ts';
import { WithId } from './token.tsx';

interface LogProps {
  readonly log: readonly Crossing[];
  readonly id: string | undefined;
}

/** Each request that crossed from the browser to the store and back, newest first: its commands, round trips and time. */
export function LogPart({ log, id }: LogProps) {
  return (
    <section class="panel log" aria-labelledby="log-heading">
      <h2 id="log-heading">Requests and their commands</h2>
      <ol data-part="log">
        {log.map(({ request, at, cost }) => (
          <li class="entry">
            <p class="crossing">
              <time datetime={new Date(at).toISOString()} title={exact(at)}>
                {exact(at).slice(11, 19)}
              </time>
              <code class="request">{request}</code>
              {cost && (
                <>
                  <span class="figure">{count(cost.roundTrips, 'round trip')}</span>
                  <span class="figure">{cost.waitedMs.toFixed(1)} ms</span>
                </>
              )}
            </p>
            {cost ? (
              <ul class="commands">
                {cost.commands.map((command) => (
                  <li>
                    <code>
                      <WithId text={command} id={id} />
                    </code>
                  </li>
                ))}
              </ul>
            ) : (
              <p class="hint">The embedded store takes no commands.</p>
            )}
          </li>
        ))}
      </ol>
      {log.some(({ cost }) => cost !== undefined) && <Legend />}
    </section>
  );
}

function Legend() {
  return (
    <p class="hint">
      Times are UTC. Each <code>EVALSHA</code> is one atomic script: <code>sojournAccess</code>, for
      example, checks the secret, reads the session and slides its expiry in one step.{' '}
      <code>EVAL</code> sends the script's text along, once. Looking at this page is not listed: it
      is a pure read, and keeps nothing alive.
    </p>
  );
}

function count(amount: number, what: string): string {
  return `${amount} ${what}${amount === 1 ? '' : 's'}`;
}
