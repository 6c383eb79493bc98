import { describe, expect, it } from 'vitest';
import { SojournStore } from '../../src/express.ts';
import { type SessionEvent, SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

type Data = Parameters<SojournStore['set']>[1];
type Call = 'create' | 'update' | 'end' | 'enter';

const SID = 'the-session-id-of-a-framework';

/** A call that waits until the test lets it go on. */
class Held {
  readonly arrived: Promise<void>;
  readonly #opened: Promise<void>;
  #arrive = () => {};
  open = () => {};

  constructor() {
    this.arrived = new Promise((resolve) => {
      this.#arrive = resolve;
    });
    this.#opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }

  pass(): Promise<void> {
    this.#arrive();
    return this.#opened;
  }
}

/** Holds single calls back, before they act or their answers afterwards, as one of several connections does. */
class SlowRepository extends MemorySessionRepository {
  readonly #before = new Map<Call, Held>();
  readonly #after = new Map<Call, Held>();

  constructor(...args: ConstructorParameters<typeof MemorySessionRepository>) {
    super(...args);
    const add = this.users.add.bind(this.users);
    this.users.add = (entry) => this.#slowly('enter', () => add(entry));
  }

  /** The next such call waits before it acts. */
  hold(call: Call): Held {
    const held = new Held();
    this.#before.set(call, held);
    return held;
  }

  /** The next such call acts at once, and its answer waits. */
  holdAnswer(call: Call): Held {
    const held = new Held();
    this.#after.set(call, held);
    return held;
  }

  override create(...args: Parameters<MemorySessionRepository['create']>) {
    return this.#slowly('create', () => super.create(...args));
  }

  override update(...args: Parameters<MemorySessionRepository['update']>) {
    return this.#slowly('update', () => super.update(...args));
  }

  override end(...args: Parameters<MemorySessionRepository['end']>) {
    return this.#slowly('end', () => super.end(...args));
  }

  async #slowly<T>(call: Call, act: () => Promise<T>): Promise<T> {
    const [before, after] = [this.#before.get(call), this.#after.get(call)];
    this.#before.delete(call);
    this.#after.delete(call);
    await before?.pass();
    const answer = await act();
    await after?.pass();
    return answer;
  }
}

function setUp() {
  let now = Date.parse('2026-04-02T12:34:56Z');
  const clock = { now: () => now };
  const repository = new SlowRepository(clock);
  const events: SessionEvent[] = [];
  const store = new SojournStore({
    ...{ repository, clock },
    userOf: (session) => (session as { user?: string }).user,
    observer: { notify: (event) => void events.push(event) },
  });
  const elapse = (ms: number) => {
    now += ms;
  };
  return { store, repository, events, elapse };
}

function data(fields: object): Data & Record<string, unknown> {
  return { cookie: { originalMaxAge: null }, ...fields } as Data & Record<string, unknown>;
}

describe('A session that was destroyed before it was stored', () => {
  it('stays so, however often it is saved', async () => {
    const { store, repository, events } = setUp();
    await store.destroy(SID);
    const session = data({ a: 1 });
    await store.set(SID, session);
    await store.set(SID, Object.assign(session, { a: 2, user: 'ada' }));
    await store.touch(SID, session);
    expect(await store.get(SID)).toBeNull();
    expect(await repository.count()).toBe(0);
    expect(events.filter(({ type }) => type === 'created')).toEqual([]);
  });

  it('leaves nothing in the store', async () => {
    const { store, repository } = setUp();
    for (let i = 0; i < 100; i += 1) await store.destroy(`visitor ${i}`);
    expect(await repository.count()).toBe(0);
  });

  it('stays so if its user was just being entered', async () => {
    const { store, repository } = setUp();
    const entering = repository.hold('enter');
    const saved = store.set(SID, data({ user: 'ada' }));
    await entering.arrived;
    await store.destroy(SID);
    entering.open();
    await saved;
    expect(await store.get(SID)).toBeNull();
    expect(await new SessionService({ repository }).list('ada')).toEqual([]);
  });

  it('stays so if the store was asked to end it before it was asked to create it', async () => {
    const { store, repository, events } = setUp();
    const creating = repository.hold('create');
    const saved = store.set(SID, data({ a: 1 }));
    await creating.arrived;
    await store.destroy(SID);
    creating.open();
    await saved;
    expect(await store.get(SID)).toBeNull();
    const id = store.idOf(SID);
    expect(events.filter(({ type }) => type !== 'refused')).toEqual([
      { type: 'created', id, user: undefined },
      { type: 'ended', id, why: 'logout', by: 'user' },
    ]);
  });

  it('stays so if it was destroyed twice', async () => {
    const { store } = setUp();
    const session = data({ a: 1 });
    await Promise.all([store.destroy(SID), store.destroy(SID)]);
    await store.set(SID, session);
    expect(await store.get(SID)).toBeNull();
  });

  it('stays so if it was just beginning anew with its user', async () => {
    const { store, repository } = setUp();
    const session = data({});
    await store.set(SID, session); // as `regenerate` of @fastify/session does
    const ending = repository.holdAnswer('end');
    const claimed = store.set(SID, Object.assign(session, { user: 'ada' }));
    await ending.arrived;
    await store.destroy(SID);
    ending.open();
    await claimed;
    expect(await store.get(SID)).toBeNull();
  });

  it('may be stored after a minute', async () => {
    const { store, elapse } = setUp();
    await store.destroy(SID);
    elapse(59_999);
    await store.set(SID, data({ a: 1 }));
    expect(await store.get(SID)).toBeNull();
    elapse(1);
    await store.set(SID, data({ a: 1 }));
    expect(await store.get(SID)).toMatchObject({ a: 1 });
  });

  it('is forgotten, the oldest first, when ten thousand are remembered', async () => {
    const { store } = setUp();
    await store.destroy(SID);
    for (let i = 1; i < 10_000; i += 1) store.destroy(`visitor ${i}`);
    await store.set(SID, data({ a: 1 }));
    expect(await store.get(SID)).toBeNull();
    await store.destroy('visitor 1'); // once more: now the latest
    await store.destroy('one more visitor');
    await store.set(SID, data({ a: 1 }));
    expect(await store.get(SID)).toMatchObject({ a: 1 });
    await store.destroy('another visitor');
    for (const sid of ['visitor 1', 'visitor 9999']) {
      await store.set(sid, data({ a: 1 }));
      expect(await store.get(sid)).toBeNull();
    }
  });
});

describe('A session that was destroyed after it was stored', () => {
  it('may be set again by a tool at once', async () => {
    const { store } = setUp();
    await store.set(SID, data({ a: 1 }));
    await store.destroy(SID);
    await store.set(SID, data({ a: 2 }));
    expect(await store.get(SID)).toMatchObject({ a: 2 });
  });

  it('stays so where another process destroyed it and a request still holds it', async () => {
    const { store, repository } = setUp();
    const session = data({ a: 1 });
    await store.set(SID, session);
    const loaded = (await store.get(SID)) as Data;
    await new SojournStore({ repository }).destroy(SID);
    await store.set(SID, Object.assign(session, { a: 2 }));
    await store.set(SID, Object.assign(loaded, { a: 3 }));
    expect(await store.get(SID)).toBeNull();
  });
});

describe('A session that is saved several times at once', () => {
  it('begins once and ends with what the last save said', async () => {
    const { store, repository, events } = setUp();
    const creating = repository.hold('create');
    const session = data({ step: 1, gone: true });
    const saves = [store.set(SID, session)];
    await creating.arrived;
    session.step = 2;
    saves.push(store.set(SID, session));
    session.step = 1;
    delete session.gone;
    saves.push(store.set(SID, session));
    creating.open();
    await Promise.all(saves);
    const stored = await store.get(SID);
    expect(stored).toMatchObject({ step: 1 });
    expect(stored).not.toHaveProperty('gone');
    expect(events.map(({ type }) => type)).toEqual(['created']);
  });

  it('keeps them in order where an earlier one is slower', async () => {
    const { store, repository } = setUp();
    await store.set(SID, data({ step: 0 }));
    const session = (await store.get(SID)) as Data & Record<string, unknown>;
    const updating = repository.hold('update');
    const first = store.set(SID, Object.assign(session, { step: 1 }));
    await updating.arrived;
    const second = store.set(SID, Object.assign(session, { step: 2 }));
    updating.open();
    await Promise.all([first, second]);
    expect(await store.get(SID)).toMatchObject({ step: 2 });
  });

  it('goes on after one that failed', async () => {
    const { store, repository } = setUp();
    const creating = repository.hold('create');
    const session = data({ user: 'x'.repeat(300) }); // longer than a user may be
    const first = store.set(SID, session);
    const second = store.set(SID, Object.assign(session, { user: 'ada' }));
    await expect(first).rejects.toMatchObject({ code: 'invalid_user' });
    await creating.arrived;
    creating.open();
    await second;
    expect(await store.get(SID)).toMatchObject({ user: 'ada' });
  });

  it('stays destroyed if that happens between two of them', async () => {
    const { store, repository } = setUp();
    const creating = repository.hold('create');
    const session = data({ step: 1 });
    const saves = [store.set(SID, session)];
    await creating.arrived;
    saves.push(store.set(SID, Object.assign(session, { step: 2 })));
    const destroyed = store.destroy(SID);
    saves.push(store.set(SID, Object.assign(session, { step: 3 })));
    creating.open();
    await Promise.all([...saves, destroyed]);
    expect(await store.get(SID)).toBeNull();
  });
});
