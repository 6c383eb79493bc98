import 'reflect-metadata'; // before tsyringe, whoever is loaded first
import { destination } from 'pino';
import { collectDefaultMetrics } from 'prom-client';
import { type DependencyContainer, instanceCachingFactory } from 'tsyringe';
import { RecentFigures } from './adapters/node/recent-figures.ts';
import { SessionSpans } from './adapters/opentelemetry/session-spans.ts';
import { ServerLog } from './adapters/pino/server-log.ts';
import { isAway } from './adapters/pino/store-outage.ts';
import { SessionMetrics } from './adapters/prometheus/session-metrics.ts';
import type { Config } from './config.ts';
import { type Store, tokens } from './container.ts';
import { StoreUnavailableError } from './domain/errors.ts';
import type { JournalFailure } from './domain/journal-writer.ts';
import { observers } from './domain/observers.ts';
import type { SessionEvent } from './ports/session-observer.ts';

export { flushSpans } from './adapters/opentelemetry/flush-spans.ts';

/** Registers everybody who hears of what happens in a server. Apart from the container, which most commands want without. */
export function observe(container: DependencyContainer, { logLevel, admin }: Config): void {
  container.register(tokens.log, {
    useFactory: instanceCachingFactory(() => new ServerLog({ level: logLevel })),
  });
  container.register(tokens.metrics, {
    useFactory: instanceCachingFactory((c) => {
      const store = c.resolve<Store>(tokens.store);
      const log = c.resolve<ServerLog>(tokens.log);
      const count = toldOnce((error) => log.degraded('sessions could not be counted', error));
      const metrics = new SessionMetrics({
        countSessions: () => count.works(store.countSessions()),
        ...(store.kind === 'memory' && { countEveryMs: 1000 }),
        onCountError: count.fails,
        checkStore: () =>
          store.ready().catch((error: StoreUnavailableError) => {
            log.storeSilent(error);
            throw error;
          }),
        ...(store.nearCacheStats && { nearCache: store.nearCacheStats }),
      });
      collectDefaultMetrics({ register: metrics.registry });
      return metrics;
    }),
  });
  container.register(tokens.journalFailures, {
    useFactory: (c) => {
      const log = c.resolve<ServerLog>(tokens.log);
      const metrics = c.resolve<SessionMetrics>(tokens.metrics);
      return ({ error, isFirst }: JournalFailure) => {
        metrics.journalFailed();
        // Of a store that is away the log tells by itself.
        const isTold = error instanceof StoreUnavailableError && isAway(error.failure);
        if (isFirst && !isTold)
          log.degraded('the journal cannot be written; sessions go on', error);
      };
    },
  });
  container.register(tokens.figures, {
    useFactory: instanceCachingFactory((c) => {
      const store = c.resolve<Store>(tokens.store);
      return new RecentFigures({
        countSessions: () => store.countSessions(),
        ...(store.storeBytes && { storeBytes: store.storeBytes }),
        ...(store.nearCacheStats && { nearCache: store.nearCacheStats }),
        clock: c.resolve(tokens.clock),
      });
    }),
  });
  container.register(tokens.observer, {
    useFactory: instanceCachingFactory((c) => {
      const { database } = c.resolve<Store>(tokens.store);
      const log = c.resolve<ServerLog>(tokens.log);
      const spans = new SessionSpans({ ...(database && { database }) });
      const figures = admin === undefined ? [] : [c.resolve<RecentFigures>(tokens.figures)]; // for the console alone
      const list = [log, c.resolve<SessionMetrics>(tokens.metrics), spans, ...figures];
      return observers(list, (error) => log.unexpected(error));
    }),
  });
}

/** Tells of the first failure of something that is tried again and again, and of the next one after it worked. */
function toldOnce(tell: (error: unknown) => void) {
  let told = false;
  return {
    async works<T>(work: Promise<T>): Promise<T> {
      const answer = await work;
      told = false;
      return answer;
    },
    fails(error: unknown): void {
      // While the store is away nothing can be counted, and the log has lines for that.
      if (error instanceof StoreUnavailableError && error.failure !== 'denied') return;
      if (!told) tell(error);
      told = true;
    },
  };
}

/**
 * Registers that what happens to sessions is logged as a server logs it, whatever its level: whoever ends sessions from
 * outside is to be found in the log, and the servers do not hear of it. Nothing else is, as the program itself says what fails.
 * `onJournalFailure` hears of entries that the journal lost.
 */
export function logSessions(
  container: DependencyContainer,
  onJournalFailure: (failure: JournalFailure) => void,
): void {
  const log = new ServerLog({ level: 'info', stream: destination({ dest: 2, sync: true }) });
  container.register(tokens.observer, {
    useValue: { notify: (event: SessionEvent) => log.notify(event) },
  });
  container.register(tokens.journalFailures, { useValue: onJournalFailure });
}
