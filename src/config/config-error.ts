/** A flag or a variable that makes no sense. The message is one line that names it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
