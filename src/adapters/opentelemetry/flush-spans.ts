import { ProxyTracerProvider, trace } from '@opentelemetry/api';

/**
 * Has the SDK that a program registered export the spans which it still collects. Resolves when it has, at once where
 * there is none, and after `timeoutMs` at the latest. Never rejects: whoever stops can do nothing about a collector
 * that is away.
 */
export async function flushSpans(timeoutMs: number): Promise<void> {
  const provider = trace.getTracerProvider();
  const sdk = provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider;
  if (!('forceFlush' in sdk) || typeof sdk.forceFlush !== 'function') return; // the API has no word for it
  let timer: NodeJS.Timeout | undefined;
  const atLatest = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  const flushed = Promise.resolve(sdk.forceFlush()).catch(() => {});
  await Promise.race([flushed, atLatest]);
  clearTimeout(timer);
}
