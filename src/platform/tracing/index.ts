export * from './conventions.js';
export { inference, prefill } from './inference.js';
export { openTracing } from './open-tracing.js';
export { remoteSpan, type Attributes, type TraceSpan, type Tracer } from './span.js';
export {
  currentSpan,
  inSpan,
  isTracing,
  startSpan,
  startWithin,
  traceBy,
  traced,
  tracedStream,
  tracesText,
  untraced,
} from './tracing.js';
