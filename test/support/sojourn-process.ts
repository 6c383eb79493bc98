import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

/** For tests that are not about timeouts, on a machine that is busy with other things. */
const PATIENCE = { REDIS_TIMEOUT: '10000' };

const MAIN = resolve('dist/main.js');

export interface Exit {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built server in a process of its own: `npm run build` comes first. */
export class SojournProcess {
  readonly #child: ChildProcess;
  /** Once it has ended and everything that it wrote is read. */
  readonly exited: Promise<Exit>;
  /** Its exit code, whatever is still in its pipes. */
  readonly ended: Promise<number | null>;
  stdout = '';
  stderr = '';

  /**
   * Its environment is empty but for `env`, so that nobody's settings change the tests. It is patient with Redis unless
   * the arguments say otherwise.
   */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [MAIN, 'serve', ...args], {
      env: { ...PATIENCE, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (chunk) => {
      this.stdout += chunk;
    });
    this.#child.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
    });
    this.ended = once(this.#child, 'exit').then(([code]) => code as number | null);
    this.exited = once(this.#child, 'close').then(([code]) => ({
      code: code as number | null,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Its address, once it listens. Rejects with what it printed if it ends first. */
  async url(): Promise<string> {
    for (;;) {
      const url = /http:\/\/\S+/.exec(this.stdout)?.[0];
      if (url !== undefined && this.stdout.includes('TTL:')) return url;
      const next = this.#child.stdout ? once(this.#child.stdout, 'data') : this.exited;
      const exit = await Promise.race([next.then(() => undefined), this.exited]);
      if (exit !== undefined) throw new Error(`It ended with ${exit.code}: ${exit.stderr}`);
    }
  }

  /** What it logs from now on stays in the pipe. */
  pauseReading(): void {
    this.#child.stderr?.pause();
  }

  resumeReading(): void {
    this.#child.stderr?.resume();
  }

  /** Where its metrics are, once it listens: it was given an `--admin-port`. */
  async adminUrl(): Promise<string> {
    await this.url();
    const url = /^Admin: +(http:\S+)/m.exec(this.stdout)?.[1];
    if (url === undefined) throw new Error('It has no second listener');
    return url;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<Exit> {
    this.signal('SIGTERM');
    return this.exited;
  }
}
