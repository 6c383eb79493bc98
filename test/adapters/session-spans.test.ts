import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { observers, SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';
import { SessionSpans, type SessionSpansOptions } from '../../src/opentelemetry.ts';
import { connectRedis, RedisSessionRepository } from '../../src/redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { startRedisServer } from '../support/redis-server.ts';

const exporter = new InMemorySpanExporter();
const tracerProvider = new BasicTracerProvider({
  spanProcessors: [new SimpleSpanProcessor(exporter)],
});
const tracer = tracerProvider.getTracer('test');

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
afterEach(() => exporter.reset());

function serviceWith(options: SessionSpansOptions, repository = new MemorySessionRepository()) {
  return new SessionService({ repository, observer: new SessionSpans(options) });
}

describe('the spans', () => {
  it('are one for each call of the store, below the active span, with the session and the outcome', async () => {
    const database = { system: 'redis', address: 'redis.internal', port: 6380 } as const;
    const service = serviceWith({ tracerProvider, database });
    const { token, session } = await service.create();
    exporter.reset();
    const parent = tracer.startSpan('GET /cart');
    await context.with(trace.setSpan(context.active(), parent), async () => {
      await service.get(token);
      await service.increment(token, 'visits');
    });
    parent.end();
    await service.delete(token);
    await service.get(token);

    const [access, increment, , remove, absent] = exporter.getFinishedSpans();
    const { traceId, spanId } = parent.spanContext();
    for (const span of [access, increment]) {
      expect(span?.spanContext().traceId).toBe(traceId);
      expect(span?.parentSpanContext?.spanId).toBe(spanId);
    }
    expect(access).toMatchObject({
      name: 'sojourn access',
      kind: SpanKind.CLIENT,
      status: { code: SpanStatusCode.UNSET },
      attributes: {
        'db.system.name': 'redis',
        'db.operation.name': 'access',
        'server.address': 'redis.internal',
        'server.port': 6380,
        'session.id': session.id,
        'sojourn.outcome': 'ok',
      },
    });
    expect(increment?.name).toBe('sojourn increment');
    expect(remove?.parentSpanContext).toBeUndefined();
    expect(absent?.attributes['sojourn.outcome']).toBe('absent');
  });

  it('hear, where they are active, of what happens to sessions', async () => {
    const service = serviceWith({ tracerProvider });
    const parent = tracer.startSpan('POST /logout');
    const { token, session } = await service.create();
    await context.with(trace.setSpan(context.active(), parent), () => service.delete(token));
    parent.end();
    const { events } = exporter.getFinishedSpans().at(-1) ?? {};
    expect(events).toMatchObject([
      {
        name: 'sojourn.session.ended',
        attributes: { 'session.id': session.id, 'sojourn.why': 'logout' },
      },
    ]);
  });

  it('say which limit refused, and are internal without a database', async () => {
    const service = serviceWith({ tracerProvider });
    const { token } = await service.create({ word: 'x' });
    await service.increment(token, 'word').catch(() => {});
    expect(exporter.getFinishedSpans().at(-1)).toMatchObject({
      kind: SpanKind.INTERNAL,
      attributes: { 'sojourn.outcome': 'refused', 'sojourn.refusal': 'not_an_integer' },
    });
  });

  it('are nowhere while no SDK is registered, and begin with one', async () => {
    const service = serviceWith({});
    const { token } = await service.create();
    expect(exporter.getFinishedSpans()).toEqual([]);
    trace.setGlobalTracerProvider(tracerProvider);
    try {
      await service.get(token);
      expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['sojourn access']);
    } finally {
      trace.disable();
    }
  });
});

describeWithServers('the spans of a Redis that fails', () => {
  it('end as errors that say why and hold no token, no hash and no data', async () => {
    const redis = await startRedisServer({ binary: redisBinary() });
    const { client } = await connectRedis({ kind: 'url', url: redis.url });
    try {
      const database = { system: 'redis' } as const;
      const observer = observers([new SessionSpans({ tracerProvider, database })]);
      const repository = new RedisSessionRepository({ client });
      const service = new SessionService({ repository, observer });
      const { token } = await service.create({ word: 'held-in-the-session' });
      exporter.reset();
      redis.pause();
      await expect(service.update(token, { set: { word: 'another' } })).rejects.toThrow('store');
      redis.resume();
      const [span] = exporter.getFinishedSpans();
      expect(span).toMatchObject({
        name: 'sojourn update',
        status: { code: SpanStatusCode.ERROR, message: expect.stringContaining('timed out') },
        attributes: {
          'error.type': 'timeout',
          'sojourn.outcome': 'failed',
          'sojourn.store.outcome': 'unknown',
        },
      });
      const [exception] = span?.events ?? [];
      expect(exception).toMatchObject({
        name: 'exception',
        attributes: {
          'exception.type': 'StoreUnavailableError',
          'exception.stacktrace': expect.stringContaining('at '),
        },
      });
      const all = JSON.stringify([span?.attributes, span?.events, span?.status]);
      const [id = '', secret = ''] = token.split('.');
      const hash = (await client.hget(`session:${id}`, 'session_secret')) ?? '';
      expect(hash).toHaveLength(43);
      for (const word of [secret, hash, 'another', 'held-in']) expect(all).not.toContain(word);
    } finally {
      client.disconnect();
      await redis.stop();
    }
  });
});
