export interface GaugeProps {
  readonly remainingMs: number;
  /** Seconds. */
  readonly configuredTtl: number;
  readonly endsAt: number | undefined;
}

/**
 * The time that is left, as a ring and in words, as of the moment of the page. The script lets it run down by
 * `data-remaining-ms`, without asking the server.
 */
export function Gauge({ remainingMs, configuredTtl, endsAt }: GaugeProps) {
  const left = Math.min(100, (remainingMs / (configuredTtl * 1000)) * 100);
  return (
    <div
      class="gauge"
      id="gauge"
      data-remaining-ms={String(remainingMs)}
      data-ttl-ms={String(configuredTtl * 1000)}
    >
      <svg viewBox="0 0 100 100" aria-hidden="true">
        <circle class="track" cx="50" cy="50" r="44" pathLength="100" />
        <circle
          class="left"
          id="ring"
          cx="50"
          cy="50"
          r="44"
          pathLength="100"
          stroke-dasharray={`${left.toFixed(2)} 100`}
          transform="rotate(-90 50 50)"
        />
      </svg>
      <p>
        Ends in{' '}
        <strong id="remaining" role="timer">
          {formatDuration(Math.ceil(remainingMs / 1000))}
        </strong>{' '}
        <span class="hint">
          if nobody uses it
          {endsAt === undefined ? '' : `, and at ${formatInstant(endsAt)} in any case`}
        </span>
      </p>
    </div>
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
