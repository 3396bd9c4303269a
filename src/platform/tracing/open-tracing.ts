import type { Config } from '../config.js';
import { packageVersion } from '../package-root.js';
import type { Logger } from '../telemetry/index.js';
import { traceBy } from './tracing.js';

const SPANS_PATH = '/v1/traces';

/** Where spans go; null where nothing is traced. */
function addressOf({
  OTEL_SDK_DISABLED: disabled,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: whole,
  OTEL_EXPORTER_OTLP_ENDPOINT: base,
}: Config): string | null {
  if (disabled === 'true') return null;
  return whole ?? (base === undefined ? null : base.replace(/\/+$/, '') + SPANS_PATH);
}

/**
 * Traces from now on, where the configuration names a collector. The library that speaks to it is loaded only then.
 * @returns what delivers the last spans and ends tracing, in bounded time
 */
export async function openTracing(config: Config, log: Logger): Promise<() => Promise<void>> {
  const url = addressOf(config);
  if (url === null) return () => Promise.resolve();
  const { otlpTracer } = await import('./otlp-tracer.js');
  const tracer = otlpTracer({
    url,
    service: { name: config.OTEL_SERVICE_NAME, version: packageVersion() },
    sampler: config.OTEL_TRACES_SAMPLER,
    ratio: config.OTEL_TRACES_SAMPLER_ARG,
    text: config.GRAFT_TRACE_TEXT === 'on',
    log,
  });
  traceBy(tracer);
  log.info({ collector: new URL(url).host, sampler: config.OTEL_TRACES_SAMPLER }, 'traces are sent');
  return async () => {
    traceBy(null);
    await tracer.close();
  };
}
