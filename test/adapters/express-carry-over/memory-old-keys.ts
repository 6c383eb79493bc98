import type {
  FrozenText,
  OldKeys,
  OldText,
} from '../../../src/adapters/express/carry-over/old-keys.ts';
import type { Clock } from '../../../src/ports/clock.ts';

interface Key {
  text?: string;
  /** Set while it is frozen. */
  freeze?: string;
  released?: string;
  endsAt: number;
}

/** Keys in this process, which keep what `OldKeys` promises, and what plain connect-redis does to them. */
export class MemoryOldKeys implements OldKeys {
  readonly #clock: Clock;
  readonly #keys = new Map<string, Key>();
  #freezes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** As plain connect-redis does it, which looks at nothing. */
  set(sid: string, text: string, ms: number): void {
    this.#keys.set(sid, { text, endsAt: this.#clock.now() + ms });
  }

  async read(sid: string): Promise<OldText | undefined> {
    const key = this.#alive(sid);
    if (key?.text === undefined) return undefined;
    return { text: key.text, remainingMs: this.#rest(key), frozen: key.freeze !== undefined };
  }

  async create(sid: string, text: string, ms = Infinity): Promise<boolean> {
    if (this.#alive(sid) !== undefined) return false;
    this.set(sid, text, ms);
    return true;
  }

  async replace(
    sid: string,
    expected: string,
    text: string,
    ms = Infinity,
  ): Promise<true | 'changed' | undefined> {
    const key = this.#inUse(sid);
    if (key === undefined) return undefined;
    if (key.text !== expected) return 'changed';
    this.set(sid, text, ms);
    return true;
  }

  async expire(sid: string, ms: number): Promise<boolean> {
    const key = this.#inUse(sid);
    if (key !== undefined) key.endsAt = this.#clock.now() + ms;
    return key !== undefined;
  }

  async remove(sid: string): Promise<'open' | 'frozen' | undefined> {
    const key = this.#alive(sid);
    this.#keys.delete(sid);
    if (key?.text === undefined) return undefined;
    return key.freeze === undefined ? 'open' : 'frozen';
  }

  async freeze(
    sid: string,
    { resume }: { readonly resume: boolean },
  ): Promise<FrozenText | { readonly claim: string } | 'open' | undefined> {
    const key = this.#alive(sid);
    if (key?.released !== undefined) return { claim: key.released };
    if (key?.text === undefined) return undefined;
    if (resume && key.freeze === undefined) return 'open';
    this.#freezes += 1;
    key.freeze ??= `${this.#clock.now()}-${this.#freezes}`;
    const { text, freeze } = key;
    return { text, freeze, remainingMs: this.#rest(key), now: this.#clock.now() };
  }

  async keep(sid: string, freeze: string, ms: number): Promise<boolean> {
    const key = this.#alive(sid);
    if (key?.freeze !== freeze) return false;
    key.endsAt = Math.max(key.endsAt, this.#clock.now() + ms);
    return true;
  }

  async release(sid: string, claim: string): Promise<boolean> {
    const key = this.#alive(sid);
    if (key?.released !== undefined) return key.released === claim;
    if (key?.freeze === undefined || key.freeze !== claim.split('.')[0]) return false;
    this.#keys.set(sid, { released: claim, endsAt: key.endsAt });
    return true;
  }

  async unfreeze(sid: string, claim: string): Promise<boolean> {
    const key = this.#alive(sid);
    if (key?.freeze === undefined || key.freeze !== claim.split('.')[0]) return false;
    delete key.freeze;
    return true;
  }

  async discard(sid: string, claim: string): Promise<void> {
    if (this.#alive(sid)?.released === claim) this.#keys.delete(sid);
  }

  async now(): Promise<number> {
    return this.#clock.now();
  }

  async *scan(): AsyncGenerator<readonly string[]> {
    yield [...this.#keys.keys()];
  }

  #alive(sid: string): Key | undefined {
    const key = this.#keys.get(sid);
    if (key !== undefined && key.endsAt <= this.#clock.now()) this.#keys.delete(sid);
    return this.#keys.get(sid);
  }

  #inUse(sid: string): Key | undefined {
    const key = this.#alive(sid);
    return key?.text === undefined || key.freeze !== undefined ? undefined : key;
  }

  #rest({ endsAt }: Key): number | undefined {
    return endsAt === Infinity ? undefined : endsAt - this.#clock.now();
  }
}
