import { StoreUnavailableError } from '../../domain/errors.ts';

/**
 * What to throw for an answer that no script gives. A client may be set up to hand answers out in other forms, and
 * something else may answer in the place of Redis: nothing of that may pass for a session. Tells of the form only, as the
 * answer may hold what belongs into no log.
 */
export function notUnderstood(answer: unknown): StoreUnavailableError {
  return new StoreUnavailableError('unknown', {
    cause: new Error(`The client handed out an answer that is not understood: ${formOf(answer)}`),
  });
}

export function isTexts<Text extends string>(answer: unknown): answer is Text[] {
  return Array.isArray(answer) && answer.every((part) => typeof part === 'string');
}

/** A list with one text, or an empty one for none. */
export function toOptionalText(answer: unknown): { readonly text: string | undefined } | undefined {
  return isTexts(answer) && answer.length <= 1 ? { text: answer[0] } : undefined;
}

/** What JSON says; `undefined`, which is not understood, where it is none. */
export function parsedJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** A whole number, as a number or in decimal digits. */
export function toInteger(answer: unknown): number | undefined {
  const number = typeof answer === 'string' && /^-?\d+$/.test(answer) ? Number(answer) : answer;
  return Number.isSafeInteger(number) ? (number as number) : undefined;
}

function formOf(answer: unknown): string {
  if (answer === null) return 'null';
  if (Array.isArray(answer))
    return `a list of ${[...new Set(answer.map(formOf))].join(', ') || 'nothing'}`;
  return typeof answer === 'object'
    ? `a ${answer.constructor?.name ?? 'bare object'}`
    : `a ${typeof answer}`;
}
