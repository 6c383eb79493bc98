import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AT_ONCE, batchesOf, Pace, type PaceOptions } from '../../src/domain/pace.ts';

describe('the pace of work on many sessions', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const elapse = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

  /** When each batch began and ended, in milliseconds from the beginning. */
  async function timesOf(
    options: PaceOptions | undefined,
    batches: readonly { readonly takes: number; readonly idle?: number }[],
  ): Promise<[began: number, ended: number][]> {
    const start = performance.now();
    const since = () => Math.round(performance.now() - start);
    const times: [number, number][] = [];
    const working = (async () => {
      const pace = new Pace(options);
      for (const { takes, idle = 0 } of batches) {
        await pace.work(async () => {
          const began = since();
          await elapse(takes);
          times.push([began, since()]);
        });
        if (idle > 0) await elapse(idle);
      }
    })();
    await vi.runAllTimersAsync();
    await working;
    return times;
  }

  it('rests twice as long as each batch took, and neither before the first nor after the last', async () => {
    expect(await timesOf({}, [{ takes: 10 }, { takes: 30 }, { takes: 5 }])).toEqual([
      [0, 10],
      [30, 60],
      [120, 125],
    ]);
  });

  it('counts as rest what is done between two batches', async () => {
    const times = await timesOf(undefined, [
      { takes: 10, idle: 15 },
      { takes: 10, idle: 99 },
      { takes: 1 },
    ]);
    expect(times.map(([began]) => began)).toEqual([0, 30, 139]);
  });

  it('rests a second at most', async () => {
    const times = await timesOf({}, [{ takes: 5000 }, { takes: 1 }]);
    expect(times.map(([began]) => began)).toEqual([0, 6000]);
  });

  it('does not rest at full speed', async () => {
    const times = await timesOf({ fullSpeed: true }, [{ takes: 50 }, { takes: 50 }, { takes: 50 }]);
    expect(times.map(([began]) => began)).toEqual([0, 50, 100]);
  });

  it('rests after a batch that failed as well', async () => {
    const pace = new Pace();
    const failing = pace.work(async () => {
      await elapse(10);
      throw new Error('away');
    });
    const failed = expect(failing).rejects.toThrow('away');
    await vi.advanceTimersByTimeAsync(10);
    await failed;
    const act = vi.fn(async () => {});
    const again = pace.work(act);
    await vi.advanceTimersByTimeAsync(19);
    expect(act).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await again;
    expect(act).toHaveBeenCalled();
  });
});

describe('batches', () => {
  it.each([0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 1000])(
    'of %i items are all of them, in order',
    (count) => {
      const items = Array.from({ length: count }, (_, i) => i);
      const batches = [...batchesOf(items)];
      expect(batches.flat()).toEqual(items);
      expect(batches).toHaveLength(Math.ceil(count / AT_ONCE));
    },
  );
});
