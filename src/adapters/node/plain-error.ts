/** The parts of an error that may be shown. */
export interface PlainError {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
  /** `StoreUnavailableError.outcome` and `failure`. */
  readonly outcome?: string;
  readonly failure?: string;
  readonly cause?: PlainError;
}

const MAX_CAUSES = 5;
const MAX_CHARACTERS = 8192;

/**
 * An error for logs and traces, with these properties only. Redis clients attach the failed command to their errors,
 * and its arguments contain session data and hashes of secrets. Any part of a text that has the length and shape of a
 * secret is removed, and so are arguments that Redis repeats in some answers.
 */
export function plainError(error: unknown, causes = MAX_CAUSES): PlainError {
  if (!(error instanceof Error))
    return { type: typeof error, message: withoutSecrets(String(error)) };
  const { code, outcome, failure, cause } = error as Error & Record<string, unknown>;
  return {
    type: error.name,
    message: withoutSecrets(error.message || String(code ?? error.name)),
    ...(typeof error.stack === 'string' && { stack: withoutSecrets(error.stack) }),
    ...(typeof code === 'string' && { code }),
    ...(typeof outcome === 'string' && { outcome }),
    ...(typeof failure === 'string' && { failure }),
    ...(cause !== undefined && causes > 0 && { cause: plainError(cause, causes - 1) }),
  };
}

/** The text without anything that may be a secret or its hash: 43 or more characters of base64url. */
export function withoutSecrets(text: string): string {
  return text
    .replace(/, with args beginning with:[^\n]*/g, '')
    .replace(/[\w-]{43,}/g, '<redacted>')
    .slice(0, MAX_CHARACTERS); // last: half a secret would not be recognised
}
