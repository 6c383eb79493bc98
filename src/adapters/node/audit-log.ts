import { printable } from '../../domain/printable.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SessionEvent, SessionObserver } from '../../ports/session-observer.ts';
import { systemClock } from './system-clock.ts';

/** Where the lines go, and what dates them. */
export interface AuditLogOptions {
  /** Takes one line, which ends with a line feed: `(line) => process.stdout.write(line)`. */
  readonly write: (line: string) => void;
  readonly clock?: Clock;
}

/**
 * What happens to sessions as one JSON object a line (OWASP ASVS 16.3): ids and users, never a token. No name can
 * forge a line or give the terminal that shows it orders (ASVS 16.4.1). An end is written once: not `gone`, which others
 * are told of it.
 */
export class AuditLog implements SessionObserver {
  readonly #write: (line: string) => void;
  readonly #clock: Clock;

  constructor({ write, clock = systemClock }: AuditLogOptions) {
    this.#write = write;
    this.#clock = clock;
  }

  notify(event: SessionEvent): void {
    if (event.type === 'gone') return; // whoever ended it writes why
    const time = new Date(this.#clock.now()).toISOString();
    this.#write(`${printable(JSON.stringify({ time, ...event }))}\n`);
  }
}
