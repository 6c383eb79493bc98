import type { IncrementRefusal, LimitRefusal } from '../ports/session-repository.ts';
import { SessionError } from './errors.ts';

/** What a store may answer instead of doing what it was asked. */
export type Refusal = LimitRefusal | IncrementRefusal;

const refusals: Record<Refusal, string> = {
  too_many_fields: 'The session would hold too many fields.',
  too_large: 'The session would hold too many bytes.',
  not_an_integer: 'Only a whole number in the safe-integer range can be added, and only to one.',
  out_of_range: 'The sum would leave the safe-integer range.',
};

/** The refusal as callers of the service meet it. */
export function refusal(code: Refusal): SessionError {
  return new SessionError(code, refusals[code]);
}

export function isRefusal(answer: unknown): answer is Refusal {
  return typeof answer === 'string' && Object.hasOwn(refusals, answer);
}
