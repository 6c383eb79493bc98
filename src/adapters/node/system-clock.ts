import type { Clock } from '../../ports/clock.ts';

/** The system's wall clock. */
export const systemClock: Clock = { now: () => Date.now() };
