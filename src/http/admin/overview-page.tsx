import { printable } from '../../domain/printable.ts';
import { endReasons, type SessionFigures } from '../../domain/session-figures.ts';
import type { EndingAll } from './acts.ts';
import { Chart } from './chart.tsx';
import { Find, Name } from './layout.tsx';
import { bytes, milliseconds, number, percent, sessions } from './words.ts';

/** How far back the charts reach, and how many minutes each point covers. */
export const ranges = [
  { hours: 1, step: 1 },
  { hours: 3, step: 3 },
  { hours: 12, step: 12 },
] as const;

export type Range = (typeof ranges)[number];

/** The first page: the current state, and what can be searched and done. */
export interface OverviewView {
  /** Why the store does not answer; `undefined` while it does. */
  readonly outage: string | undefined;
  readonly range: Range;
  readonly figures: readonly SessionFigures[] | undefined;
  /** The text to type to end all sessions; `undefined` if the console cannot do that. */
  readonly confirmation: string | undefined;
  readonly endingAll: EndingAll | undefined;
}

export function OverviewPage(view: OverviewView) {
  const { outage, figures, range, confirmation, endingAll } = view;
  return (
    <>
      <div id="state" data-live>
        {outage === undefined ? null : (
          <p class="notice failed" role="alert">
            The store does not answer: {printable(outage)}. This logs nobody out: sessions work
            again when the store does.
          </p>
        )}
        {endingAll && <EndingAllNotice {...endingAll} />}
      </div>
      <Find />
      {figures && (
        <section aria-labelledby="figures-heading">
          <h2 id="figures-heading">Recent activity in this process</h2>
          <div id="now" data-live>
            <Now figures={figures} range={range} />
          </div>
          <nav class="pages" aria-label="How far back">
            {ranges.map(({ hours }) => (
              <a
                href={`./?hours=${hours}`}
                aria-current={hours === range.hours ? 'page' : undefined}
              >
                {hours === 1 ? '1 hour' : `${hours} hours`}
              </a>
            ))}
          </nav>
          <div id="charts" class="charts" data-live>
            <Charts figures={figures} range={range} />
          </div>
        </section>
      )}
      {confirmation !== undefined && <EndAll confirmation={confirmation} />}
    </>
  );
}

function EndingAllNotice({ by, ended, state }: EndingAll) {
  const far = `${sessions(ended)} ended`;
  return (
    <p class={state === 'failed' ? 'notice failed' : 'notice'} role="status">
      {state === 'under way' && `All sessions are being ended: ${far} so far. `}
      {state === 'done' && `All sessions were ended: ${far}. `}
      {state === 'failed' && `Not all sessions were ended, because the store failed: ${far}. `}
      Started by <Name of={by} />.{state === 'failed' && ' Repeat it to continue.'}
    </p>
  );
}

function Now({
  figures,
  range,
}: {
  readonly figures: readonly SessionFigures[];
  readonly range: Range;
}) {
  const last = <T,>(of: (span: SessionFigures) => T | undefined) =>
    figures
      .map(of)
      .filter((value) => value !== undefined)
      .at(-1);
  const sum = (of: (span: SessionFigures) => number) =>
    figures.reduce((sum, span) => sum + of(span), 0);
  const alive = last((span) => span.sessions);
  const p99 = last((span) => span.p99Ms);
  const inAll = range.hours === 1 ? 'in the last hour' : `in the last ${range.hours} hours`;
  return (
    <dl class="tiles">
      <Tile
        term="live sessions at the last count"
        value={alive === undefined ? '–' : number(alive)}
      />
      <Tile term={`logins ${inAll}`} value={number(sum(({ started }) => started))} />
      <Tile
        term={`ends ${inAll}`}
        value={number(sum(({ ended }) => endReasons.reduce((all, why) => all + ended[why], 0)))}
      />
      <Tile term="latest store latency p99" value={p99 === undefined ? '–' : milliseconds(p99)} />
      <Tile term={`store failures ${inAll}`} value={number(sum(({ errors }) => errors))} />
    </dl>
  );
}

function Tile({ term, value }: { readonly term: string; readonly value: string }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** The labels of end reasons in a legend. */
const reasons = {
  logout: 'logged out',
  expired: 'expired',
  revoked: 'revoked',
  evicted: 'evicted',
  reused: 'token reused',
} as const satisfies Record<(typeof endReasons)[number], string>;

function Charts({
  figures,
  range,
}: {
  readonly figures: readonly SessionFigures[];
  readonly range: Range;
}) {
  const last = figures.at(-1);
  if (last === undefined) return <p class="hint">No data yet.</p>;
  const until = last.from + last.forMs;
  const axis = {
    at: figures.map(({ from }) => from),
    from: until - range.hours * 3_600_000,
    until,
  };
  const values = (of: (span: SessionFigures) => number | undefined) => figures.map(of);
  const has = (of: (span: SessionFigures) => number | undefined) =>
    figures.some((span) => of(span) !== undefined);
  return (
    <>
      <Chart
        {...axis}
        id="alive"
        title="Sessions alive"
        kind="lines"
        series={[{ name: 'sessions', values: values(({ sessions }) => sessions) }]}
      />
      <Chart
        {...axis}
        id="logins"
        title="Logins"
        kind="bars"
        series={[{ name: 'logins', values: values(({ started }) => started) }]}
      />
      <Chart
        {...axis}
        id="ends"
        title="Ends"
        kind="bars"
        series={endReasons.map((why) => ({
          name: reasons[why],
          values: values(({ ended }) => ended[why]),
        }))}
      />
      <Chart
        {...axis}
        id="latency"
        title="Store latency"
        kind="lines"
        format={milliseconds}
        atLeast={0.1}
        series={[
          { name: 'p50', values: values(({ p50Ms }) => p50Ms) },
          { name: 'p99', values: values(({ p99Ms }) => p99Ms) },
        ]}
      />
      <Chart
        {...axis}
        id="errors"
        title="Store failures"
        kind="bars"
        series={[{ name: 'failures', values: values(({ errors }) => errors) }]}
      />
      {has(({ nearCacheHits }) => nearCacheHits) && (
        <Chart
          {...axis}
          id="hits"
          title="Reads answered by the near cache"
          kind="lines"
          format={percent}
          atLeast={1}
          series={[{ name: 'share', values: values((span) => span.nearCacheHits) }]}
        />
      )}
      {has(({ storeBytes }) => storeBytes) && (
        <Chart
          {...axis}
          id="memory"
          title="Redis memory"
          kind="lines"
          format={bytes}
          series={[{ name: 'used', values: values(({ storeBytes }) => storeBytes) }]}
        />
      )}
    </>
  );
}

function EndAll({ confirmation }: { readonly confirmation: string }) {
  return (
    <details class="danger" id="end-all">
      <summary>End all sessions…</summary>
      <form method="post" action="./end-all">
        <p>
          This logs everybody out and cannot be undone. To confirm, type{' '}
          <code>{printable(confirmation)}</code>.
        </p>
        <label for="confirmation">Confirmation</label>
        <input
          id="confirmation"
          name="confirmation"
          autocomplete="off"
          spellcheck={false}
          required
          data-expects={confirmation}
        />
        <button class="danger" type="submit">
          End all sessions
        </button>
      </form>
    </details>
  );
}
