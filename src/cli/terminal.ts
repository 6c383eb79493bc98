import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { styleText } from 'node:util';
import { printable } from '../domain/printable.ts';
import { shorten } from './format.ts';

/** The part of `process.stdout` and `process.stderr` that is used here. */
export interface TerminalStream extends NodeJS.EventEmitter {
  write(text: string): boolean;
  readonly isTTY?: boolean;
  /** Node's own decision: false with NO_COLOR, with TERM=dumb, and without colours. */
  hasColors?(): boolean;
}

/** The part of `process.stdin` that is used here. */
export type TerminalInput = NodeJS.ReadableStream & { readonly isTTY?: boolean };

export type Style = Parameters<typeof styleText>[0];

/** The output of a command, and its questions. */
export class Terminal {
  readonly #out: TerminalStream;
  readonly #err: TerminalStream;
  readonly #in: TerminalInput | undefined;

  constructor(out: TerminalStream, err: TerminalStream, input?: TerminalInput) {
    this.#out = out;
    this.#err = err;
    this.#in = input;
  }

  /** True if a person can answer a question. */
  get canAsk(): boolean {
    return this.#in?.isTTY === true && this.#err.isTTY === true;
  }

  /** Asks on stderr and returns the typed line; '' if nobody can answer, or the input ended. */
  async ask(question: string): Promise<string> {
    if (this.#in === undefined || !this.canAsk) return '';
    this.#err.write(printable(question));
    const lines = createInterface({ input: this.#in });
    try {
      for await (const line of lines) return line;
      return '';
    } finally {
      lines.close();
    }
  }

  /** Prints a line for people. Only `style` can control the terminal. Waits while the reader is slower. */
  async line(...parts: readonly (string | Styled)[]): Promise<void> {
    const coloured = this.#out.isTTY === true && this.#out.hasColors?.() === true;
    const texts = parts.map((part) => {
      if (typeof part === 'string') return printable(part);
      // This stream was asked about colours; newer versions of Node would ask process.stdout.
      return coloured
        ? styleText(part.style, printable(part.text), { validateStream: false })
        : printable(part.text);
    });
    await this.#write(texts.join(''));
  }

  /** Prints a remark on stderr, next to the output. */
  note(text: string): void {
    this.#err.write(`sojourn: ${printable(text)}\n`);
  }

  /** Prints a line for programs. */
  async json(value: unknown): Promise<void> {
    await this.#write(printable(JSON.stringify(value)));
  }

  /**
   * Prints rows of texts under the names of their columns. A text is cut after 200 characters: it may come from
   * somebody else, and every row is padded to the longest one.
   */
  async table([head = [], ...rows]: readonly (readonly string[])[]): Promise<void> {
    const cells = [head, ...rows].map((row) =>
      row.map((cell) => shorten(printable(cell), MOST_IN_CELL)),
    );
    const widths = head.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
    const [headLine = '', ...lines] = cells.map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    );
    await this.line({ text: headLine, style: 'bold' });
    for (const line of lines) await this.line(line);
  }

  /**
   * Shows progress of long work on stderr, if that is a terminal: from shortly after the start until the returned
   * function is called. Not among lines that the work prints on the same terminal.
   */
  progress(where: 'alone' | 'among lines', text: () => string): () => void {
    if (!this.#err.isTTY || (where === 'among lines' && this.#out.isTTY)) return () => {};
    const timer = setInterval(
      () => this.#err.write(CLEAR_LINE + printable(text())),
      PROGRESS_INTERVAL_MS,
    );
    return () => {
      clearInterval(timer);
      this.#err.write(CLEAR_LINE);
    };
  }

  async #write(text: string): Promise<void> {
    if (!this.#out.write(`${text}\n`)) await once(this.#out, 'drain');
  }
}

/** A part of a line that is highlighted if there are colours. */
export interface Styled {
  readonly text: string;
  readonly style: Style;
}

const MOST_IN_CELL = 200;
const PROGRESS_INTERVAL_MS = 500;
const CLEAR_LINE = '\r\u001b[K';
