/** What a query asks for. */
export interface Queried {
  readonly metrics: ReadonlySet<string>;
  /** Names of labels: in matchers and behind `by`, `without`, `on`, `ignoring` and `group_*`. */
  readonly labels: ReadonlySet<string>;
  /** What matchers say that a label equals, by `=` or by `=~` with a list of words. */
  readonly values: readonly (readonly [label: string, value: string])[];
}

const LISTS = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;
const MATCHER = /([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"([^"]*)"/g;
const WORDS = /\b(?:and|or|unless|bool|offset|by|without|on|ignoring|group_left|group_right)\b/g;

/** The names in a query of PromQL that is known to parse. */
export function namesIn(query: string): Queried {
  const labels = new Set<string>();
  const values: [string, string][] = [];
  const withoutMatchers = query.replace(/\{([^}]*)\}/g, (_, matchers: string) => {
    for (const [, label = '', operator = '', text = ''] of matchers.matchAll(MATCHER)) {
      labels.add(label);
      if (operator === '=') values.push([label, text]);
      if (operator === '=~' && /^[\w|]+$/.test(text)) {
        for (const value of text.split('|')) values.push([label, value]);
      }
    }
    return ' ';
  });
  const withoutLists = withoutMatchers.replace(LISTS, (_, list: string) => {
    for (const label of list.split(',')) labels.add(label.trim());
    return ' ';
  });
  const left = withoutLists
    .replace(/\[[^\]]*\]/g, ' ')
    .replace(WORDS, ' ')
    .replace(/[a-zA-Z_]\w*\s*\(/g, '(');
  return { metrics: new Set(left.match(/[a-zA-Z_:][\w:]*/g) ?? []), labels, values };
}
