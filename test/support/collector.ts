/** A collector of OpenTelemetry for tests: it takes OTLP, decodes it, and misbehaves when told to. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import protobuf from 'protobufjs';
import { eventually } from './eventually.js';

/** What arrived of a span. */
export interface ArrivedSpan {
  traceId: string;
  spanId: string;
  /** null of a trace's first. */
  parentId: string | null;
  name: string;
  /** 1 internal, 2 server, 3 client, 5 consumer. */
  kind: number;
  /** ms since the epoch. */
  start: number;
  end: number;
  attributes: Record<string, unknown>;
  events: { name: string; attributes: Record<string, unknown> }[];
  /** What it came of without being part of it. */
  links: { traceId: string; spanId: string }[];
  /** Whether it ended in an error. */
  failed: boolean;
  service: unknown;
}

export interface Collector {
  readonly url: string;
  readonly spans: ArrivedSpan[];
  /** Bodies as they came, to look for what must not be in them. */
  readonly bodies: Buffer[];
  readonly headers: IncomingMessage['headers'][];
  /** Requests that came, answered or not. */
  readonly requests: number;
  /** How it answers from now on; `take` at first. */
  behave(how: 'take' | 'refuse' | 'hang'): void;
  /** The spans of the trace that holds one of this name, once that and what it is part of have arrived. */
  trace(name: string, where?: (span: ArrivedSpan) => boolean): Promise<ArrivedSpan[]>;
  close(): Promise<void>;
}

const SERVER = 2;
const CONSUMER = 5;

const field = (type: string, id: number, rule?: string) => ({ type, id, ...(rule && { rule }) });

/** The part of OTLP's messages that is looked at; fields by their numbers in opentelemetry/proto/collector/trace/v1. */
const { root } = protobuf.Root.fromJSON({
  nested: {
    Request: { fields: { resourceSpans: field('ResourceSpans', 1, 'repeated') } },
    ResourceSpans: { fields: { resource: field('Resource', 1), scopeSpans: field('ScopeSpans', 2, 'repeated') } },
    Resource: { fields: { attributes: field('KeyValue', 1, 'repeated') } },
    ScopeSpans: { fields: { spans: field('Span', 2, 'repeated') } },
    Span: {
      fields: {
        traceId: field('bytes', 1),
        spanId: field('bytes', 2),
        parentSpanId: field('bytes', 4),
        name: field('string', 5),
        kind: field('int32', 6),
        start: field('fixed64', 7),
        end: field('fixed64', 8),
        attributes: field('KeyValue', 9, 'repeated'),
        events: field('Event', 11, 'repeated'),
        links: field('Link', 13, 'repeated'),
        status: field('Status', 15),
      },
    },
    Link: { fields: { traceId: field('bytes', 1), spanId: field('bytes', 2) } },
    Event: { fields: { name: field('string', 2), attributes: field('KeyValue', 3, 'repeated') } },
    Status: { fields: { code: field('int32', 3) } },
    KeyValue: { fields: { key: field('string', 1), value: field('AnyValue', 2) } },
    AnyValue: {
      oneofs: { value: { oneof: ['stringValue', 'boolValue', 'intValue', 'doubleValue', 'arrayValue'] } },
      fields: {
        stringValue: field('string', 1),
        boolValue: field('bool', 2),
        intValue: field('int64', 3),
        doubleValue: field('double', 4),
        arrayValue: field('ArrayValue', 5),
      },
    },
    ArrayValue: { fields: { values: field('AnyValue', 1, 'repeated') } },
  },
});
const requestType = root.lookupType('Request');

type Any = Record<string, unknown> & { value?: string; arrayValue?: { values?: Any[] } };
interface Attribute {
  key: string;
  value?: Any;
}
interface Decoded {
  resourceSpans?: {
    resource?: { attributes?: Attribute[] };
    scopeSpans?: {
      spans?: {
        traceId: Buffer;
        spanId: Buffer;
        parentSpanId?: Buffer;
        name: string;
        kind: number;
        start: number;
        end: number;
        attributes?: Attribute[];
        events?: { name: string; attributes?: Attribute[] }[];
        links?: { traceId: Buffer; spanId: Buffer }[];
        status?: { code?: number };
      }[];
    }[];
  }[];
}

const plain = (any: Any | undefined): unknown =>
  any?.value === undefined ? null : any.value === 'arrayValue' ? any.arrayValue?.values?.map(plain) : any[any.value];

const attributesOf = (attributes: readonly Attribute[] = []): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));

function spansIn(body: Buffer): ArrivedSpan[] {
  const decoded = requestType.toObject(requestType.decode(body), { longs: Number, oneofs: true }) as Decoded;
  return (decoded.resourceSpans ?? []).flatMap(({ resource, scopeSpans = [] }) =>
    scopeSpans.flatMap(({ spans = [] }) =>
      spans.map((span) => ({
        traceId: Buffer.from(span.traceId).toString('hex'),
        spanId: Buffer.from(span.spanId).toString('hex'),
        parentId: span.parentSpanId?.length ? Buffer.from(span.parentSpanId).toString('hex') : null,
        name: span.name,
        kind: span.kind,
        start: span.start / 1e6,
        end: span.end / 1e6,
        attributes: attributesOf(span.attributes),
        events: (span.events ?? []).map(({ name, attributes }) => ({ name, attributes: attributesOf(attributes) })),
        links: (span.links ?? []).map(({ traceId, spanId }) => ({
          traceId: Buffer.from(traceId).toString('hex'),
          spanId: Buffer.from(spanId).toString('hex'),
        })),
        failed: span.status?.code === 2,
        service: attributesOf(resource?.attributes)['service.name'],
      })),
    ),
  );
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** A collector that takes OTLP's protobuf over HTTP, as the real one does at port 4318. */
export async function startCollector(): Promise<Collector> {
  const [spans, bodies, headers]: [ArrivedSpan[], Buffer[], IncomingMessage['headers'][]] = [[], [], []];
  let how: Parameters<Collector['behave']>[0] = 'take';
  let requests = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests += 1;
    const body = await bytesOf(request);
    if (how === 'hang') return;
    if (how === 'refuse' || request.url !== '/v1/traces') return void response.writeHead(500).end('no room');
    headers.push(request.headers);
    bodies.push(body);
    spans.push(...spansIn(body));
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const complete = (of: ArrivedSpan): ArrivedSpan[] | null => {
    const all = spans.filter(({ traceId }) => traceId === of.traceId);
    const known = new Set(all.map(({ spanId }) => spanId));
    // What is outside sends its own.
    const roots = all.filter(({ parentId }) => parentId === null || !known.has(parentId));
    const whole = roots.length === 1 && [SERVER, CONSUMER].includes(roots[0]!.kind);
    // What a worker did arrives before the call of it.
    return whole && !roots[0]!.name.startsWith('serve.') ? all : null;
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    bodies,
    headers,
    get requests() {
      return requests;
    },
    behave(next) {
      how = next;
    },
    trace: (name, where = () => true) =>
      eventually(`a whole trace with ${name}`, () => {
        const found = spans.find((span) => span.name === name && where(span));
        return found && complete(found);
      }),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
