import type { IncrementRefusal, LimitRefusal } from '../ports/session-repository.ts';
import { SessionError } from './errors.ts';

/** The codes with which a store refuses a write. */
export type Refusal = LimitRefusal | IncrementRefusal;

const refusals: Record<Refusal, string> = {
  too_many_fields: 'The session would hold more fields than the policy allows.',
  too_large: 'The session would hold more bytes than the policy allows.',
  not_an_integer:
    'increment needs a field that holds a whole number, and a step in the safe-integer range.',
  out_of_range: 'The sum would leave the safe-integer range.',
};

/** The error that the service throws for a refusal. */
export function refusal(code: Refusal): SessionError {
  return new SessionError(code, refusals[code]);
}

export function isRefusal(answer: unknown): answer is Refusal {
  return typeof answer === 'string' && Object.hasOwn(refusals, answer);
}
