/**
 * The port to tracing: what is done becomes a span within the one that runs now, which async context carries along. Where nothing is
 * traced it costs a comparison, and no library is loaded.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { NO_SPAN, type TraceSpan, type SpanOptions, type Tracer } from './span.js';

const running = new AsyncLocalStorage<TraceSpan>();
/** One for the whole process, as prom-client's registry is: what is traced is what the process does. */
let tracer: Tracer | null = null;

/** From now on spans go there; nowhere with null. */
export function traceBy(next: Tracer | null): void {
  tracer = next;
}

export const isTracing = (): boolean => tracer !== null && !isMuted();

/** What runs where nothing is told of. */
const MUTED: TraceSpan = Object.freeze({ ...NO_SPAN });
export const isMuted = (): boolean => running.getStore() === MUTED;

/** Work of which neither traces nor metrics tell: nobody waits for it, and it would look as if users did. */
export const untraced = <T>(work: () => T): T => running.run(MUTED, work);

/** Whether texts of people, documents and models are wanted in spans. */
export const tracesText = (): boolean => tracer?.text === true;

/** The span that runs now; one that keeps nothing where none does. */
export const currentSpan = (): TraceSpan => running.getStore() ?? NO_SPAN;

/** Begins a span, which its maker ends. */
export function startSpan(name: string, options: SpanOptions = {}): TraceSpan {
  if (tracer === null || isMuted()) return NO_SPAN;
  const { parent = running.getStore() ?? null } = options;
  return tracer.start(name, { ...options, parent });
}

/** Begins a span where another runs now, and none elsewhere: what goes on by itself would fill a collector. */
export const startWithin = (name: string, options: SpanOptions = {}): TraceSpan =>
  running.getStore() === undefined ? NO_SPAN : startSpan(name, options);

/** What `work` does, however deep below, is done within the span. */
export const inSpan = <T>(span: TraceSpan, work: () => T): T => (span === NO_SPAN ? work() : running.run(span, work));

/** Work as a span of its own, which ends with it. */
export async function traced<T>(
  name: string,
  options: SpanOptions,
  work: (span: TraceSpan) => T | Promise<T>,
): Promise<T> {
  if (!isTracing()) return work(NO_SPAN);
  const span = startSpan(name, options);
  try {
    const result = await inSpan(span, () => work(span));
    span.end();
    return result;
  } catch (error) {
    span.end(error);
    throw error;
  }
}

/**
 * The same of work that tells what happens meanwhile; it begins when the first value is asked for. Each step runs within the span: a
 * generator runs as part of whoever asks for its next value.
 */
export async function* tracedStream<T, R>(
  name: string,
  options: SpanOptions,
  open: (span: TraceSpan) => Generator<T, R> | AsyncGenerator<T, R>,
): AsyncGenerator<T, R> {
  if (!isTracing()) return yield* open(NO_SPAN);
  const span = startSpan(name, options);
  const source = inSpan(span, () => open(span));
  let failure: unknown;
  try {
    for (;;) {
      const step = await inSpan(span, () => source.next());
      if (step.done) return step.value;
      yield step.value;
    }
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    // Who leaves before the end stops the source; of one that has ended this asks nothing.
    try {
      await inSpan(span, () => source.return(undefined as R));
    } finally {
      span.end(failure);
    }
  }
}
