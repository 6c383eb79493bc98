export interface GaugeProps {
  readonly remainingMs: number;
  /** Seconds. */
  readonly configuredTtl: number;
  /** The end of the lifetime; all three are missing where it has none. */
  readonly endsAt: number | undefined;
  readonly lifetimeLeftMs: number | undefined;
  readonly lifetimeMs: number | undefined;
}

/**
 * The time that is left, as two rings and in words, as of the moment of the page: outside what is left of the idle window, inside what
 * is left of the lifetime. The script lets both run down by the data attributes, without asking the server.
 */
export function Gauge(props: GaugeProps) {
  const { remainingMs, configuredTtl, endsAt, lifetimeLeftMs, lifetimeMs } = props;
  return (
    <div
      class="gauge"
      id="gauge"
      data-remaining-ms={String(remainingMs)}
      data-ttl-ms={String(configuredTtl * 1000)}
      data-lifetime-left-ms={lifetimeLeftMs === undefined ? undefined : String(lifetimeLeftMs)}
      data-lifetime-ms={lifetimeMs === undefined ? undefined : String(lifetimeMs)}
    >
      <svg viewBox="0 0 100 100" aria-hidden="true">
        <Ring radius={44} name="idle" id="ring" left={remainingMs / (configuredTtl * 1000)} />
        {lifetimeLeftMs !== undefined && lifetimeMs !== undefined && (
          <Ring radius={33} name="lifetime" id="lifetime-ring" left={lifetimeLeftMs / lifetimeMs} />
        )}
      </svg>
      <dl>
        <div class="idle">
          <dt>Ends, if nobody uses it, in</dt>
          <dd>
            <strong id="remaining" role="timer" aria-live="off">
              {formatDuration(Math.ceil(remainingMs / 1000))}
            </strong>
          </dd>
        </div>
        {lifetimeLeftMs !== undefined && (
          <div class="lifetime">
            <dt>However busy, in</dt>
            <dd>
              <span id="lifetime">{formatDuration(Math.ceil(lifetimeLeftMs / 1000))}</span>
              {endsAt !== undefined && <span class="hint at"> at {formatInstant(endsAt)}</span>}
            </dd>
          </div>
        )}
      </dl>
    </div>
  );
}

function Ring({
  radius,
  name,
  id,
  left,
}: {
  radius: number;
  name: string;
  id: string;
  left: number;
}) {
  const circle = { cx: '50', cy: '50', r: String(radius), pathLength: '100' };
  return (
    <g class={name}>
      <circle class="track" {...circle} />
      <circle
        class="left"
        id={id}
        {...circle}
        stroke-dasharray={`${Math.min(100, left * 100).toFixed(2)} 100`}
        transform="rotate(-90 50 50)"
      />
    </g>
  );
}

/** `7 d`, `29 min 58 s`: the two largest units that are not zero. */
export function formatDuration(seconds: number): string {
  const units: [string, number][] = [
    ['d', Math.floor(seconds / 86_400)],
    ['h', Math.floor(seconds / 3600) % 24],
    ['min', Math.floor(seconds / 60) % 60],
    ['s', seconds % 60],
  ];
  const parts = units
    .filter(([, amount]) => amount > 0)
    .map(([unit, amount]) => `${amount} ${unit}`);
  return parts.slice(0, 2).join(' ') || '0 s';
}

function formatInstant(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
