import 'reflect-metadata'; // must be loaded before tsyringe
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

/**
 * Registers everything that observes a server: log, metrics, spans and figures. It is apart from the container, because
 * most commands do without it.
 */
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
          store.takesWrites().catch((error: StoreUnavailableError) => {
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
        // If the store is down, the log already says so.
        const isTold = error instanceof StoreUnavailableError && isAway(error.failure);
        if (isFirst && !isTold)
          log.degraded('the journal cannot be written; sessions are not affected', error);
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
      const figures = admin === undefined ? [] : [c.resolve<RecentFigures>(tokens.figures)]; // only for the console
      const list = [log, c.resolve<SessionMetrics>(tokens.metrics), spans, ...figures];
      return observers(list, (error) => log.unexpected(error));
    }),
  });
}

/** Reports the first failure of something that is tried repeatedly, and the next one after it has worked again. */
function toldOnce(tell: (error: unknown) => void) {
  let told = false;
  return {
    async works<T>(work: Promise<T>): Promise<T> {
      const answer = await work;
      told = false;
      return answer;
    },
    fails(error: unknown): void {
      // Nothing can be counted while the store is down, and the log already says that it is.
      if (error instanceof StoreUnavailableError && error.failure !== 'denied') return;
      if (!told) tell(error);
      told = true;
    },
  };
}

/**
 * Logs session events as a server does, whatever its log level: sessions that are ended by a tool must be found in a
 * log, and servers do not notice them. Nothing else is logged, because the program itself reports failures.
 * `onJournalFailure` gets the entries that the journal lost.
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
