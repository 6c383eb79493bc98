import { printable } from '../../domain/printable.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SessionEvent, SessionObserver } from '../../ports/session-observer.ts';
import { systemClock } from './system-clock.ts';

/** Where the lines go, and the clock that dates them. */
export interface AuditLogOptions {
  /** Receives one line that ends with a line feed: `(line) => process.stdout.write(line)`. */
  readonly write: (line: string) => void;
  /** The clock for the time of each line. By default the system's clock. */
  readonly clock?: Clock;
}

/**
 * An observer that writes session events as one JSON object per line (OWASP ASVS 16.3): ids and user names, never a
 * token. User names can neither forge a line nor control the terminal that shows it (ASVS 16.4.1). Each end is written
 * once, by the process that caused it; `gone` events are not written.
 *
 * @example
 * ```ts
 * const observer = new AuditLog({ write: (line) => process.stdout.write(line) });
 * const service = new SessionService({ repository, observer });
 * ```
 */
export class AuditLog implements SessionObserver {
  readonly #write: (line: string) => void;
  readonly #clock: Clock;

  constructor({ write, clock = systemClock }: AuditLogOptions) {
    this.#write = write;
    this.#clock = clock;
  }

  notify(event: SessionEvent): void {
    if (event.type === 'gone') return; // the process that ended it writes the reason
    const time = new Date(this.#clock.now()).toISOString();
    this.#write(`${printable(JSON.stringify({ time, ...event }))}\n`);
  }
}
