/** What an attribute may hold; one that is null or undefined is left out. */
export type AttributeValue = string | number | boolean | readonly string[];
export type Attributes = Readonly<Record<string, AttributeValue | null | undefined>>;

/** What was done from when to when, within what. After `end` nothing of it changes. */
export interface TraceSpan {
  /** W3C Trace Context; null where nothing is traced. */
  readonly traceparent: string | null;
  /** Whether anybody will see it: costly attributes are computed only then. */
  readonly recording: boolean;
  rename(name: string): void;
  set(attributes: Attributes): void;
  /** @param attributes no text of people, documents or models */
  event(name: string, attributes?: Attributes): void;
  /** What it is about failed, though it goes on. */
  fail(error: unknown): void;
  /** @param error only its code or class is kept: messages quote what people wrote @param at ms since the epoch */
  end(error?: unknown, at?: number): void;
}

export interface SpanOptions {
  /** `server` answers somebody, `client` asks another process, `consumer` does what waited in a queue; `internal` by default. */
  kind?: 'internal' | 'server' | 'client' | 'consumer';
  attributes?: Attributes;
  /** The span that runs now by default. */
  parent?: TraceSpan | null;
  /** What it came of without being part of it, which may have ended long ago. */
  links?: readonly TraceSpan[];
  /** ms since the epoch; now by default. */
  startedAt?: number;
}

/** Makes spans and has them delivered. */
export interface Tracer {
  /** Whether texts are wanted in attributes. */
  readonly text: boolean;
  start(name: string, options: SpanOptions & { parent: TraceSpan | null }): TraceSpan;
  /** Delivers what is left, for a bounded time. Never throws. */
  close(): Promise<void>;
}

/** What stands for a span where nothing is traced. */
export const NO_SPAN: TraceSpan = Object.freeze({
  traceparent: null,
  recording: false,
  rename: () => undefined,
  set: () => undefined,
  event: () => undefined,
  fail: () => undefined,
  end: () => undefined,
});

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
/** Versions after 00 may say more behind it. */
const LONGER = /^(?!ff|00)([0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})-[^\s]{0,200}$/;

/** A caller's span as its header names it; null unless it is a valid `traceparent` (https://www.w3.org/TR/trace-context/). */
export function remoteSpan(header: unknown): TraceSpan | null {
  if (typeof header !== 'string' || header.length > 300) return null;
  const traceparent = LONGER.exec(header)?.[1] ?? header;
  return TRACEPARENT.test(traceparent) ? { ...NO_SPAN, traceparent } : null;
}
