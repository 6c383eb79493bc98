import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Terminal } from '../../src/cli/terminal.ts';

/** A stream that keeps what is written, and is full for as long as it is told to be. */
class Screen extends EventEmitter {
  text = '';
  full = false;
  readonly isTTY: boolean;
  readonly #colours: boolean;

  constructor({ tty = true, colours = true } = {}) {
    super();
    this.isTTY = tty;
    this.#colours = colours;
  }

  write(text: string): boolean {
    this.text += text;
    return !this.full;
  }

  hasColors(): boolean {
    return this.#colours;
  }
}

const HEADING = { text: 'ID', style: 'bold' } as const;
const PIPE = { tty: false };

describe('a line', () => {
  it('is coloured on a terminal that has colours, and nowhere else', async () => {
    const shown = async (screen: Screen) => {
      await new Terminal(screen, new Screen(PIPE)).line(HEADING, ' plain');
      return screen.text;
    };
    expect(await shown(new Screen())).toBe('\u001b[1mID\u001b[22m plain\n');
    expect(await shown(new Screen({ colours: false }))).toBe('ID plain\n'); // NO_COLOR
    expect(await shown(new Screen({ tty: false, colours: true }))).toBe('ID plain\n'); // FORCE_COLOR
  });

  it('waits until what reads it has room', async () => {
    const screen = new Screen();
    screen.full = true;
    let written = false;
    const line = new Terminal(screen, screen).line('text').then(() => {
      written = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(written).toBe(false);
    screen.emit('drain');
    await line;
  });

  it('gives no orders, whatever it is made of', async () => {
    const screen = new Screen();
    const terminal = new Terminal(screen, screen);
    await terminal.line('\u001b[31mada\r\nroot \u202eevil\u2028\u009b1m\u007f\ud800');
    await terminal.table([['NAME'], ['\u001b]0;title\u0007']]);
    expect(screen.text).toBe(
      '\\u001b[31mada\\u000d\\u000aroot \\u202eevil\\u2028\\u009b1m\\u007f\\ud800\n' +
        '\u001b[1mNAME\u001b[22m\n\\u001b]0;title\\u0007\n',
    );
  });
});

it('a table is as wide as its texts, and a text is cut after 200 characters', async () => {
  const screen = new Screen(PIPE);
  const long = '\u{1f36a}'.repeat(500_000);
  const table = [
    ['A', 'B', 'C'],
    ['x'.repeat(200), 'short', '1'],
    ['x'.repeat(201), '\u001b'.repeat(1e6), long],
  ];
  await new Terminal(screen, screen).table(table);
  const [head = '', full = '', cut = ''] = screen.text.trimEnd().split('\n');
  expect(head.indexOf('B')).toBe(202);
  expect(full.slice(0, 207)).toBe(`${'x'.repeat(200)}  short`);
  expect(cut.slice(0, 202)).toBe(`${'x'.repeat(199)}…  `);
  expect(cut.endsWith(`${'\u{1f36a}'.repeat(199)}…`)).toBe(true);
  expect(cut.length).toBeLessThan(1000);
});

describe('progress', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const shownOn = (out: Screen, err: Screen, where: 'alone' | 'among lines') => {
    const end = new Terminal(out, err).progress(where, () => '7 sessions');
    vi.advanceTimersByTime(600);
    end();
    vi.advanceTimersByTime(10_000);
    expect(out.text).toBe('');
    return err.text;
  };

  it('shows on a terminal after a while, and is wiped away at the end', () => {
    const shown = '\r\u001b[K7 sessions\r\u001b[K';
    expect(shownOn(new Screen(), new Screen(), 'alone')).toBe(shown);
    expect(shownOn(new Screen(PIPE), new Screen(), 'among lines')).toBe(shown);
  });

  it('shows nothing where stderr is no terminal, or the lines come there too', () => {
    expect(shownOn(new Screen(), new Screen(PIPE), 'alone')).toBe('');
    expect(shownOn(new Screen(), new Screen(), 'among lines')).toBe('');
  });
});

describe('a question', () => {
  const keyboard = (isTTY = true) => Object.assign(new PassThrough(), { isTTY });

  it('is asked on stderr and answered by a line', async () => {
    const [out, err, input] = [new Screen(), new Screen(), keyboard()];
    const terminal = new Terminal(out, err, input);
    expect(terminal.canAsk).toBe(true);
    const answer = terminal.ask('Type session:\u001b[2J to go on: ');
    input.write('session:\nmore\n');
    expect(await answer).toBe('session:');
    expect([out.text, err.text]).toEqual(['', 'Type session:\\u001b[2J to go on: ']);
  });

  it('has no answer where whoever was there has left, or nobody was', async () => {
    const input = keyboard();
    const answer = new Terminal(new Screen(), new Screen(), input).ask('Well? ');
    input.end();
    expect(await answer).toBe('');
    for (const [err, from] of [
      [new Screen(PIPE), keyboard()],
      [new Screen(), keyboard(false)],
      [new Screen(), undefined],
    ] as const) {
      const terminal = new Terminal(new Screen(), err, from);
      expect(terminal.canAsk).toBe(false);
      expect(await terminal.ask('Well? ')).toBe('');
      expect(err.text).toBe('');
    }
  });
});
