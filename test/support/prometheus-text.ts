/** One line of the text format: a name, labels, a value. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const COMMENT =
  /^# (?:HELP [a-zA-Z_:][\w:]* \S.*|TYPE [a-zA-Z_:][\w:]* (?:counter|gauge|histogram|summary))$/;
const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\n"])*",?)+)\})? (\S+)$/;

/** The samples of Prometheus' text format 0.0.4. Throws at the first line that is none of it. */
export function parsePrometheusText(text: string): Sample[] {
  if (!text.endsWith('\n')) throw new Error('The last line has no end.');
  return text
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      if (line === '' || COMMENT.test(line)) return [];
      const [, name, labels = '', value = ''] = SAMPLE.exec(line) ?? [];
      if (name === undefined || !/^(?:[+-]?Inf|Nan|[+-]?[\d.]+(?:e[+-]?\d+)?)$/i.test(value)) {
        throw new Error(`Not the text format: ${line}`);
      }
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
      return {
        name,
        labels: Object.fromEntries(pairs.map(([, label, held]) => [label, held])),
        value: Number(value.replace('Inf', 'Infinity')),
      };
    });
}

/** The sum of the samples of that name that have these labels; `undefined` if there is none. */
export function sumOf(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
}

/** Reads a server's metrics, and answers what tells the value of one. */
export async function scrape(url: string) {
  const samples = parsePrometheusText(await (await fetch(`${url}/metrics`)).text());
  return (name: string, labels?: Record<string, string>) => sumOf(samples, name, labels);
}
