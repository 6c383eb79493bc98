import { ProxyTracerProvider, trace } from '@opentelemetry/api';

/**
 * Makes the SDK that the program registered export the spans that it still holds. Resolves when it has done so,
 * immediately if there is no SDK, and at the latest after `timeoutMs`. Never rejects: a program that stops can do
 * nothing about an unavailable collector.
 */
export async function flushSpans(timeoutMs: number): Promise<void> {
  const provider = trace.getTracerProvider();
  const sdk = provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider;
  if (!('forceFlush' in sdk) || typeof sdk.forceFlush !== 'function') return; // not part of the OpenTelemetry API
  let timer: NodeJS.Timeout | undefined;
  const atLatest = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  const flushed = Promise.resolve(sdk.forceFlush()).catch(() => {});
  await Promise.race([flushed, atLatest]);
  clearTimeout(timer);
}
