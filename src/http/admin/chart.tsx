import { number as plain, timeOfDay } from './words.ts';

/** One line, or one part of every bar. */
export interface Series {
  readonly name: string;
  /** One value per period; `undefined` if it is unknown, which is shown as a gap. */
  readonly values: readonly (number | undefined)[];
}

/** The content of a chart. */
export interface ChartProps {
  /** Unique on the page. */
  readonly id: string;
  readonly title: string;
  /** How to read the chart, if the title does not say. */
  readonly hint?: string;
  readonly kind: 'lines' | 'bars';
  /** Start of each period, in milliseconds since 1970. */
  readonly at: readonly number[];
  /** The range of time that the axis shows. */
  readonly from: number;
  readonly until: number;
  readonly series: readonly Series[];
  /** Formats a value. @default `number` */
  readonly format?: (value: number) => string;
  /** The axis reaches at least this value, so that noise does not look large. @default 2 */
  readonly atLeast?: number;
}

const WIDTH = 360;
const HEIGHT = 150;
const LEFT = 52;
const RIGHT = 8;
const TOP = 10;
const BOTTOM = 22;

/**
 * A chart as SVG. It has a title and a summary for screen readers, and a table with the exact figures. The style sheet
 * defines the colours.
 */
export function Chart(props: ChartProps) {
  const { id, title, hint, kind, at, from, until, series, format = plain } = props;
  const top = ceilingOf(props);
  const x = (time: number) => LEFT + ((time - from) / (until - from)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
  return (
    <section class="chart" aria-labelledby={`${id}-heading`}>
      <h3 id={`${id}-heading`}>{title}</h3>
      {hint && <p class="hint">{hint}</p>}
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-labelledby={`${id}-title ${id}-desc`}>
        <title id={`${id}-title`}>{title}</title>
        <desc id={`${id}-desc`}>{inWords(props)}</desc>
        {[0, 0.5, 1].map((share) => (
          <g>
            <line
              class="grid"
              x1={LEFT}
              x2={WIDTH - RIGHT}
              y1={round(y(top * share))}
              y2={round(y(top * share))}
            />
            <text class="tick end" x={LEFT - 6} y={round(y(top * share) + 4)}>
              {format(top * share)}
            </text>
          </g>
        ))}
        {[0, 0.5, 1].map((share) => (
          <text
            class={`tick ${['', 'middle', 'end'][share * 2]}`}
            x={LEFT + share * (WIDTH - LEFT - RIGHT)}
            y={HEIGHT - 6}
          >
            {timeOfDay(from + share * (until - from))}
          </text>
        ))}
        {kind === 'lines' ? (
          series.map(({ values }, i) => (
            <path class={`line s${i}`} d={lineThrough(at.map(x), values, y)} />
          ))
        ) : (
          <Bars {...props} x={x} y={y} />
        )}
      </svg>
      {series.length > 1 && (
        <ul class="legend" aria-hidden="true">
          {series.map(({ name }, i) => (
            <li>
              <span class={`swatch s${i}`} /> {name}
            </li>
          ))}
        </ul>
      )}
      <Figures {...props} />
    </section>
  );
}

/** The figures as a table, latest first. */
function Figures({ id, title, at, series, format = plain }: ChartProps) {
  const rows = at.map((_, i) => i).reverse();
  return (
    <details id={`${id}-figures`}>
      <summary>
        Figures<span class="visually-hidden"> of {title}</span>
      </summary>
      <section class="scroll" tabindex={0} aria-label={`Figures of ${title}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">UTC</th>
              {series.map(({ name }) => (
                <th scope="col">{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((i) => (
              <tr>
                <th scope="row">{timeOfDay(at[i] ?? 0)}</th>
                {series.map(({ values }) => (
                  <td>{shown(values[i], format)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}

function Bars({
  at,
  series,
  until,
  x,
  y,
}: ChartProps & { x: (time: number) => number; y: (value: number) => number }) {
  return at.map((time, i) => {
    const next = at[i + 1] ?? until;
    const [left, width] = [x(time) + 0.5, Math.max(1, x(next) - x(time) - 1)];
    let below = 0;
    return series.map(({ values }, s) => {
      const value = values[i] ?? 0;
      if (value === 0) return null;
      const [bottom, top] = [y(below), y(below + value)];
      below += value;
      return (
        <rect
          class={`bar s${s}`}
          x={round(left)}
          y={round(top)}
          width={round(width)}
          height={round(bottom - top)}
        />
      );
    });
  });
}

/** Straight lines between points, with gaps for unknown values. A single point is drawn as a short dash. */
function lineThrough(
  xs: readonly number[],
  values: readonly (number | undefined)[],
  y: (value: number) => number,
): string {
  let path = '';
  let drawing = false;
  for (const [i, value] of values.entries()) {
    const at = xs[i];
    if (value === undefined || at === undefined) {
      drawing = false;
      continue;
    }
    path += `${drawing ? 'L' : 'M'}${round(at)} ${round(y(value))}`;
    if (!drawing && values[i + 1] === undefined) path += 'h3';
    drawing = true;
  }
  return path;
}

/** The next of 1, 2, 4, 6 or 8 times a power of ten, whose half is also a round number. */
function ceilingOf({ kind, series, at, atLeast = 2 }: ChartProps): number {
  const heights = at.map((_, i) => {
    const values = series.map(({ values }) => values[i] ?? 0);
    return kind === 'lines' ? Math.max(...values) : values.reduce((sum, value) => sum + value, 0);
  });
  const highest = Math.max(atLeast, ...heights);
  const power = 10 ** Math.floor(Math.log10(highest));
  return power * ([1, 2, 4, 6, 8].find((step) => step * power >= highest) ?? 10);
}

/** `Last 12, from 3 to 15.` for each series. */
function inWords({ kind, series, format = plain, from, until }: ChartProps): string {
  const span = `${timeOfDay(from)} to ${timeOfDay(until)} UTC`;
  const sentences = series.map(({ name, values }) => {
    const known = values.filter((value) => value !== undefined);
    if (known.length === 0) return `${name}: not known.`;
    if (kind === 'bars') {
      const sum = known.reduce((sum, value) => sum + value, 0);
      return `${name}: ${format(sum)} in all.`;
    }
    const [least, most] = [Math.min(...known), Math.max(...known)];
    return `${name}: last ${shown(known.at(-1), format)}, from ${format(least)} to ${format(most)}.`;
  });
  return `${span}. ${sentences.join(' ')}`;
}

function shown(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? '–' : format(value);
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
