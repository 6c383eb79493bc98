import { formatDuration } from '../duration.ts';
import { exact } from '../moments.ts';
import type { SessionView } from '../views.ts';

/**
 * The time that is left, as two rings and in words, as of the moment of the page: outside what is left of the idle timeout, inside what
 * is left of the lifetime. The script lets both run down by the data attributes, without asking the server.
 */
export function Gauge(session: SessionView) {
  const { remainingMs, configuredTtl, endsAt, lifetimeLeftMs, lifetimeMs } = session;
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
        <Ring radius={43} name="idle" id="ring" left={remainingMs / (configuredTtl * 1000)} />
        {lifetimeLeftMs !== undefined && lifetimeMs !== undefined && (
          <Ring radius={30} name="lifetime" id="lifetime-ring" left={lifetimeLeftMs / lifetimeMs} />
        )}
      </svg>
      <dl>
        <div class="idle">
          <dt>Idle timeout</dt>
          <dd>
            <strong id="remaining" role="timer" aria-live="off">
              {formatDuration(Math.ceil(remainingMs / 1000))}
            </strong>
            <span class="hint of"> of {formatDuration(configuredTtl)} without use</span>
          </dd>
        </div>
        {lifetimeLeftMs !== undefined && lifetimeMs !== undefined && endsAt !== undefined && (
          <div class="lifetime">
            <dt>Lifetime</dt>
            <dd>
              <span id="lifetime">{formatDuration(Math.ceil(lifetimeLeftMs / 1000))}</span>
              <span class="hint of">
                {' of '}
                {formatDuration(Math.floor(lifetimeMs / 1000))}, ends{' '}
                <time datetime={new Date(endsAt).toISOString()}>{exact(endsAt).slice(0, 16)}</time>{' '}
                UTC
              </span>
            </dd>
          </div>
        )}
      </dl>
    </div>
  );
}

/** What a countdown leaves behind. */
export function EmptyGauge() {
  return (
    <svg class="empty" viewBox="0 0 100 100" aria-hidden="true">
      <circle class="track" cx="50" cy="50" r="43" />
    </svg>
  );
}

interface RingProps {
  readonly radius: number;
  readonly name: string;
  readonly id: string;
  readonly left: number;
}

function Ring({ radius, name, id, left }: RingProps) {
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
