import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Upper bounds in seconds: from a cached query to an answer of many tokens. */
const DURATION_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

const declared: (Histogram | Counter)[] = [];

/**
 * Declares durations where they are measured; `GET /metrics` shows them without further wiring.
 * @param name ends in `_seconds` @param labels from closed sets
 * @returns notes one, in ms
 */
export function durations<Label extends string>(
  name: string,
  help: string,
  labels: readonly Label[],
): (labels: Record<Label, string>, ms: number) => void {
  const histogram = new Histogram({ name, help, labelNames: [...labels], buckets: DURATION_BUCKETS, registers: [] });
  declared.push(histogram);
  return (values, ms) => histogram.observe(values, ms / 1000);
}

/**
 * Declares what is counted where it is counted; `GET /metrics` shows it without further wiring.
 * @param name ends in `_total` @param labels from closed sets, or names that operators gave
 * @returns adds so many
 */
export function counts<Label extends string>(
  name: string,
  help: string,
  labels: readonly Label[],
): (labels: Record<Label, string>, more: number) => void {
  const counter = new Counter({ name, help, labelNames: [...labels], registers: [] });
  declared.push(counter);
  return (values, increment) => counter.inc(values, increment);
}

export interface EndedOperation {
  transport: 'http' | 'websocket' | 'sse';
  /** `query`, `mutation` or `subscription`; null for a request of which that was never known. */
  type: string | null;
  failed: boolean;
  /** How long it ran, in ms. */
  ms: number;
}

/** A value that is read when somebody asks for the metrics. */
export interface GaugeSource {
  name: string;
  help: string;
  labels: readonly string[];
  read: () => Promise<readonly MetricSample[]> | readonly MetricSample[];
}

interface MetricSample {
  labels: Record<string, string>;
  value: number;
}

/**
 * What `GET /metrics` shows, in Prometheus's text format: operations, errors by code, and Node's own (memory, collections,
 * event loop delay). Labels come from closed sets, never from what a caller sent.
 */
export class Metrics {
  readonly #registry = new Registry();
  /** Counts them too: a histogram's `_count`. */
  readonly #operations = new Histogram({
    name: 'graft_operation_seconds',
    help: 'How long GraphQL operations took, subscriptions from their start to their end, by transport, type and outcome (ok, error).',
    labelNames: ['transport', 'type', 'outcome'],
    buckets: DURATION_BUCKETS,
    registers: [this.#registry],
  });
  readonly #errors = new Counter({
    name: 'graft_errors_total',
    help: 'Errors that were answered, by code.',
    labelNames: ['code'],
    registers: [this.#registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
    for (const metric of declared) this.#registry.registerMetric(metric);
  }

  operationEnded({ transport, type, failed, ms }: EndedOperation): void {
    this.#operations.observe({ transport, type: type ?? 'unknown', outcome: failed ? 'error' : 'ok' }, ms / 1000);
  }

  errorAnswered(code: string): void {
    this.#errors.inc({ code });
  }

  /** A source that fails shows nothing of its own; the others stay readable, which is when they are needed. */
  addGauge({ name, help, labels, read }: GaugeSource): void {
    new Gauge({
      name,
      help,
      labelNames: [...labels],
      registers: [this.#registry],
      async collect() {
        const samples = await Promise.resolve()
          .then(read)
          .catch((): readonly MetricSample[] => []);
        this.reset();
        for (const { labels: values, value } of samples) this.set(values, value);
      },
    });
  }

  /** @returns the text and its media type */
  async text(): Promise<{ text: string; contentType: string }> {
    return { text: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }
}
