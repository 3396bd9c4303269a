/** The only file that knows OpenTelemetry's library: loaded when a collector is configured. */
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context, type Span as OtelSpan } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
  type SpanExporter,
} from '@opentelemetry/sdk-trace';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.js';
import { isGraftError } from '../../kernel/errors.js';
import { counts, type Logger } from '../telemetry/index.js';
import { ERROR_TYPE } from './conventions.js';
import type { Attributes, AttributeValue, TraceSpan, Tracer } from './span.js';

/** What waits for the collector is bounded: what comes on top is dropped. */
const QUEUE = {
  maxQueueSize: 4_096,
  maxExportBatchSize: 512,
  scheduledDelayMillis: 2_000,
  exportTimeoutMillis: 10_000,
};
const LIMITS = { attributeCountLimit: 64, attributeValueLengthLimit: 32_768, eventCountLimit: 256, linkCountLimit: 8 };
/** How long the end of a gateway waits for the collector, in ms. */
const CLOSE_MS = 2_000;

const sent = counts('graft_spans_total', 'Spans that were sent to the collector, by outcome (delivered, failed).', [
  'outcome',
]);

interface OtlpOptions {
  /** The whole address, `/v1/traces` included. */
  url: string;
  service: { name: string; version: string };
  sampler: Config['OTEL_TRACES_SAMPLER'];
  /** Share of traces that a ratio keeps, 0 to 1. */
  ratio: number;
  text: boolean;
  log: Logger;
}

/** Sends spans to a collector, in batches, behind everything else; what goes wrong there is logged and harms nobody. */
export function otlpTracer({ url, service, sampler, ratio, text, log }: OtlpOptions): Tracer {
  const resource = resourceFromAttributes({ 'service.name': service.name, 'service.version': service.version });
  const provider = new TracerProvider({
    resource: detectResources({ detectors: [envDetector] }).merge(resource),
    sampler: samplerOf(sampler, ratio),
    spanLimits: LIMITS,
    spanProcessors: [new BatchSpanProcessor({ exporter: told(new OTLPTraceExporter({ url }), log), ...QUEUE })],
  });
  const tracer = provider.getTracer('graft', service.version);
  return {
    text,
    start(name, { kind = 'internal', attributes = {}, parent, links = [], startedAt }) {
      const options = {
        kind: KINDS[kind],
        attributes: valuesOf(attributes),
        startTime: startedAt,
        links: links
          .map((span) => trace.getSpanContext(contextOf(span)))
          .flatMap((context) => (context ? { context } : [])),
      };
      return new OtlpSpan(tracer.startSpan(name, options, contextOf(parent)));
    },
    async close() {
      const closed = provider.shutdown().catch(() => undefined);
      await Promise.race([closed, sleep(CLOSE_MS, undefined, { ref: false })]);
    },
  };
}

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
};

class OtlpSpan implements TraceSpan {
  constructor(readonly span: OtelSpan) {}

  get traceparent(): string {
    const { traceId, spanId, traceFlags } = this.span.spanContext();
    return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
  }

  get recording(): boolean {
    return this.span.isRecording();
  }

  rename(name: string): void {
    this.span.updateName(name);
  }

  set(attributes: Attributes): void {
    this.span.setAttributes(valuesOf(attributes));
  }

  event(name: string, attributes: Attributes = {}): void {
    this.span.addEvent(name, valuesOf(attributes));
  }

  fail(error: unknown): void {
    if (!this.span.isRecording()) return;
    const type = typeOf(error);
    this.span.setAttribute(ERROR_TYPE, type);
    // Who withdrew a question met no error.
    if (type !== 'CANCELLED') this.span.setStatus({ code: SpanStatusCode.ERROR });
  }

  end(error?: unknown, time?: number): void {
    if (error !== undefined) this.fail(error);
    if (this.span.isRecording()) this.span.end(time);
  }
}

const typeOf = (error: unknown): string =>
  isGraftError(error) ? error.code : error instanceof Error ? error.name : typeof error === 'string' ? error : '_OTHER';

const valuesOf = (attributes: Attributes): Record<string, string | number | boolean | string[]> =>
  Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      value === null || value === undefined ? [] : [[name, mutable(value)] as const],
    ),
  );

const mutable = (value: AttributeValue): string | number | boolean | string[] =>
  typeof value === 'object' ? [...value] : value;

/** The library's own context, which holds the parent alone: what runs within what is the port's business. */
function contextOf(parent: TraceSpan | null): Context {
  if (parent instanceof OtlpSpan) return trace.setSpan(ROOT_CONTEXT, parent.span);
  if (parent?.traceparent == null) return ROOT_CONTEXT;
  const [, traceId = '', spanId = '', flags = '00'] = parent.traceparent.split('-');
  // Of the flags only the first is known.
  const traceFlags = Number.parseInt(flags, 16) & 1;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

function samplerOf(name: OtlpOptions['sampler'], ratio: number): Sampler {
  const bare = name.replace('parentbased_', '');
  const root =
    bare === 'always_on'
      ? new AlwaysOnSampler()
      : bare === 'always_off'
        ? new AlwaysOffSampler()
        : new TraceIdRatioBasedSampler(ratio);
  return bare === name ? root : new ParentBasedSampler({ root });
}

/** Counts what is delivered, and says once that nothing is until something is again. */
function told(exporter: SpanExporter, log: Logger): SpanExporter {
  let failing = false;
  return {
    export: (spans, callback) =>
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined || Number(result.code) !== 0;
        sent({ outcome: failed ? 'failed' : 'delivered' }, spans.length);
        if (failed && !failing) log.warn({ err: result.error }, 'the collector takes no spans; answers go on without');
        if (!failed && failing) log.info('the collector takes spans again');
        failing = failed;
        callback(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}
