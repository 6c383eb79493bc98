/**
 * Makes text from users safe to show to operators: it must not control the terminal or look like another line (OWASP
 * ASVS 16.4.1, CWE-150). Control characters, format characters (which change the direction of text or hide it), line
 * separators and lone surrogates become `\u001b`. JSON text remains JSON with the same meaning.
 */
export function printable(text: string): string {
  if (!/[^ -~]/.test(text)) return text; // nearly all texts, and ten times as fast
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}
