import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { styleText } from 'node:util';
import { printable } from '../domain/printable.ts';

/** What is used of `process.stdout` and `process.stderr`. */
export interface TerminalStream extends NodeJS.EventEmitter {
  write(text: string): boolean;
  readonly isTTY?: boolean;
  /** Node's own judgement: false with NO_COLOR, with TERM=dumb, and where there are none. */
  hasColors?(): boolean;
}

/** What is used of `process.stdin`. */
export type TerminalInput = NodeJS.ReadableStream & { readonly isTTY?: boolean };

export type Style = Parameters<typeof styleText>[0];

/** Where a command says what it found. */
export class Terminal {
  readonly #out: TerminalStream;
  readonly #err: TerminalStream;
  readonly #in: TerminalInput | undefined;

  constructor(out: TerminalStream, err: TerminalStream, input?: TerminalInput) {
    this.#out = out;
    this.#err = err;
    this.#in = input;
  }

  /** Whether somebody is there who can answer. */
  get canAsk(): boolean {
    return this.#in?.isTTY === true && this.#err.isTTY === true;
  }

  /** Asks on stderr, and answers the line that was typed; '' where nobody is there, or whoever was has left. */
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

  /** A line for people. Nothing in it but `style` gives a terminal an order. Waits while whoever reads is slower. */
  async line(...parts: readonly (string | Styled)[]): Promise<void> {
    const coloured = this.#out.isTTY === true && this.#out.hasColors?.() === true;
    const texts = parts.map((part) => {
      if (typeof part === 'string') return printable(part);
      // It is this stream that was asked, not process.stdout, which newer versions of Node would ask.
      return coloured
        ? styleText(part.style, printable(part.text), { validateStream: false })
        : printable(part.text);
    });
    await this.#write(texts.join(''));
  }

  /** A line beside what was asked for, on stderr. */
  note(text: string): void {
    this.#err.write(`sojourn: ${printable(text)}\n`);
  }

  /** A line for programs. */
  async json(value: unknown): Promise<void> {
    await this.#write(printable(JSON.stringify(value)));
  }

  /** Rows of short texts below the names of their columns. */
  async table([head = [], ...rows]: readonly (readonly string[])[]): Promise<void> {
    const cells = [head, ...rows].map((row) => row.map(printable));
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
   * Shows on stderr, where it is a terminal, how far a long piece of work is: some time after it began, and until the
   * answer is called. Not where it would stand among the lines that the work puts on the same terminal.
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

/** A part of a line that is set off, where there are colours. */
export interface Styled {
  readonly text: string;
  readonly style: Style;
}

const PROGRESS_INTERVAL_MS = 500;
const CLEAR_LINE = '\r\u001b[K';
