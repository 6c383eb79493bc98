import { StoreUnavailableError } from '../../domain/errors.ts';

/**
 * The error for an answer that no script can give. A client may be set up to return answers in another form, and
 * something other than Redis may answer; neither may be mistaken for a session. The message describes only the form,
 * because the answer may contain data that must not be logged.
 */
export function notUnderstood(answer: unknown): StoreUnavailableError {
  return new StoreUnavailableError('unknown', {
    cause: new Error(`The client returned an answer that is not understood: ${formOf(answer)}`),
  });
}

export function isTexts<Text extends string>(answer: unknown): answer is Text[] {
  return Array.isArray(answer) && answer.every((part) => typeof part === 'string');
}

/** The string of a list with one string, or none for an empty list. */
export function toOptionalText(answer: unknown): { readonly text: string | undefined } | undefined {
  return isTexts(answer) && answer.length <= 1 ? { text: answer[0] } : undefined;
}

/** The parsed JSON; `undefined` if the text is not JSON, which no caller accepts. */
export function parsedJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** A whole number, given as a number or in decimal digits. */
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
