import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  type ConsoleJournalEntry,
  endAll,
  operatorConsole,
  RecentFigures,
} from '../../src/admin.ts';
import { SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { SessionObserver } from '../../src/ports/session-observer.ts';
import { type HttpServer, startHttpServer } from '../support/http-server.ts';
import { Devices, describeInBrowser } from '../support/live-chromium.ts';

const MINUTE = 60_000;
const DEVICES = ['Firefox on Linux', 'Safari on iPhone', 'Chrome on Windows'];

describeInBrowser('screenshots of the console', () => {
  const chosen = process.env.SCREENSHOTS || undefined; // `npm run screenshots` keeps the pictures
  let folder = '';
  let server: HttpServer;

  beforeAll(async () => {
    folder = chosen ?? (await mkdtemp(join(tmpdir(), 'sojourn-screenshots-')));
    server = await startHttpServer(await afterThreeHours());
  });
  afterAll(async () => {
    await server?.close();
    if (chosen === undefined) await rm(folder, { recursive: true, force: true });
  });
  const devices = new Devices({ url: () => server.url });

  it.each([
    ['the figures in light', '/', 'console-light.png', 'light', { width: 1200, height: 900 }],
    [
      'a user on a phone in dark',
      '/user?name=ada',
      'console-phone.png',
      'dark',
      { width: 360, height: 740 },
    ],
  ] as const)('of %s', async (_name, path, file, colorScheme, viewport) => {
    const look = { colorScheme, viewport, isMobile: viewport.width < 500 };
    const device = await devices.device({ ...look, javaScriptEnabled: false });
    const page = await device.newPage();
    await page.goto(path);
    await page.screenshot({ path: join(folder, file), animations: 'disabled' });
    expect((await stat(join(folder, file))).size).toBeGreaterThan(10_000);
  });
});

/** A console behind which three hours have gone by, quieter and busier, with a store that was away for some minutes. */
async function afterThreeHours() {
  let now = Date.parse('2026-04-02T11:00:00Z');
  const clock: Clock = { now: () => now };
  const repository = new MemorySessionRepository(clock);
  let megabytes = 120;
  let alive = 4000;
  let elapsed = 0;
  const stopwatch = vi.spyOn(performance, 'now').mockImplementation(() => elapsed);
  const near = { hits: 0, misses: 0 };
  const figures = new RecentFigures({
    clock,
    countSessions: async () => alive,
    storeBytes: async () => megabytes * 1_000_000,
    nearCache: () => near,
  });
  const entries: ConsoleJournalEntry[] = [];
  const journal: SessionObserver = {
    notify(event) {
      const by = { created: 'user', ended: 'console grace' }[event.type as 'ended'] ?? 'user';
      const what = event.type === 'created' ? 'started' : 'ended';
      const why = event.type === 'ended' ? event.why : undefined;
      const label = DEVICES[entries.length % DEVICES.length] ?? '';
      entries.unshift({ at: now, event: what, sessionId: event.id, why, by, device: { label } });
    },
  };
  const service = new SessionService({ repository, clock, observer: journal });
  for (let minute = 0; minute < 180; minute++) {
    const wave = 1 + Math.sin(minute / 28) / 2;
    const { session } = await service.create({}, { user: `user ${minute}` });
    if (minute < 165) entries.length = 0;
    const times = (count: number, what: () => void) => {
      for (let i = 0; i < Math.round(count); i++) what();
    };
    const ended = (why: 'logout' | 'expired' | 'evicted' | 'revoked') => () =>
      figures.notify({ type: 'ended', id: session.id, why });
    times(30 * wave, () => figures.notify({ type: 'created', id: session.id, user: 'ada' }));
    times(9 * wave, ended('logout'));
    times(15, ended('expired'));
    times(minute % 7 === 0 ? 3 : 0, ended('evicted'));
    times(minute === 140 ? 40 : 0, ended('revoked'));
    for (let call = 0; call < 100; call++) {
      const answered = figures.storeAsked({ name: 'access', id: session.id });
      elapsed += (call % 40 === 7 ? 0.9 : 0.25) * wave ** 2;
      answered({ outcome: 'ok' });
    }
    if (minute >= 165) {
      const label = DEVICES[minute % DEVICES.length] ?? '';
      if (minute % 5 === 0) await service.create({}, { user: 'ada', device: { label } });
    }
    near.hits += Math.round(300 * wave);
    near.misses += 40;
    alive += Math.round(30 * wave - 25);
    megabytes += (30 * wave - 25) / 100;
    await figures.sample();
    now += MINUTE;
  }
  stopwatch.mockRestore();
  now -= MINUTE;
  const [first] = await service.list('ada');
  await service.end(first?.id ?? '');
  return operatorConsole({
    service,
    repository,
    figures,
    journal: async () => entries,
    operator: () => 'grace',
    audit: () => {},
    canSignOut: true,
    store: { label: 'Redis at localhost:6379, with a near cache', prefix: 'session:' },
    endAll: () => endAll(service, (async function* () {})()),
  });
}
