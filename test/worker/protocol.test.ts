import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { CallTrace } from '../../gpu-worker/call-trace.js';
import { ERROR_CODES, type ErrorCode } from '../../src/kernel/error-codes.js';
import { GraftError } from '../../src/kernel/errors.js';
import {
  chooseVersion,
  MOST_WORKER_SPANS,
  operationOf,
  parseChunk,
  parseGatewayMessage,
  parseInput,
  parseOutput,
  parseWorkerMessage,
  serveOperations,
} from '../../src/worker-protocol/index.js';

const told = ({ age: ms, spans, dropped }: CallTrace) => ({ ms, spans, dropped });

const folder = join(process.cwd(), 'test/worker/golden');
const goldens = readdirSync(folder).map((file) => ({
  file,
  message: JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, unknown>,
}));
const golden = (name: string): Record<string, unknown> =>
  structuredClone(goldens.find(({ file }) => file === `${name}.json`)?.message ?? {});

const errorOf = (work: () => unknown): GraftError => {
  try {
    work();
  } catch (error) {
    if (error instanceof GraftError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

const id = fc.string({ minLength: 1, maxLength: 64 });
const v = fc.constant(3 as const);
const operation = fc.string({ minLength: 1, maxLength: 64 });
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const gatewayMessages = fc.oneof(
  fc.record({ v, id, kind: fc.constant('hello'), versions: fc.array(fc.nat(), { minLength: 1 }), build: fc.string() }),
  fc.record({
    v,
    id,
    kind: fc.constant('request'),
    workspace: fc.string({ minLength: 1 }),
    deadline: optional(fc.integer({ min: 1 })),
    priority: fc.constantFrom('interactive', 'bulk'),
    operation,
    input: fc.jsonValue(),
    credits: fc.nat(),
    traceparent: optional(fc.string({ maxLength: 64 })),
  }),
  fc.record({ v, id, kind: fc.constantFrom('cancel', 'pause', 'hold', 'resume') }),
  fc.record({ v, id, kind: fc.constant('credit'), credits: fc.integer({ min: 1 }) }),
);
const trace = fc.record({
  ms: fc.double({ min: 0, max: 1e9, noNaN: true }),
  spans: fc.array(
    fc.record({
      name: fc.string({ minLength: 1, maxLength: 64 }),
      at: fc.double({ min: 0, max: 1e9, noNaN: true }),
      ms: fc.double({ min: 0, max: 1e9, noNaN: true }),
      attributes: optional(fc.dictionary(fc.stringMatching(/^[a-z]{1,20}$/), fc.oneof(fc.nat(), fc.boolean()))),
    }),
    { maxLength: MOST_WORKER_SPANS },
  ),
  dropped: fc.nat(),
});
const workerMessages = fc.oneof(
  fc.record({ v, id, kind: fc.constant('chunk'), sequence: fc.nat(), data: fc.jsonValue() }),
  fc.record({
    v,
    id,
    kind: fc.constant('progress'),
    fraction: fc.double({ min: 0, max: 1, noNaN: true }),
    message: fc.string(),
  }),
  fc.record({
    v,
    id,
    kind: fc.constant('result'),
    output: fc.oneof(fc.jsonValue(), fc.float32Array()),
    trace: optional(trace),
  }),
  fc.record({
    v,
    id,
    kind: fc.constant('error'),
    code: fc.constantFrom(...(Object.keys(ERROR_CODES) as ErrorCode[])),
    message: fc.string(),
    field: optional(fc.string()),
    hint: optional(fc.string()),
    trace: optional(trace),
  }),
);

describe('worker protocol', () => {
  it.each(goldens)('still reads $file as it was first sent', ({ file, message }) => {
    const parse = file.startsWith('gateway-') ? parseGatewayMessage : parseWorkerMessage;
    expect(parse(message)).toEqual(message);
  });

  it('has one golden message of each kind and direction', () => {
    expect(goldens.map(({ file }) => file.replace('.json', '')).sort()).toEqual([
      'gateway-cancel',
      'gateway-credit',
      'gateway-hello',
      'gateway-hold',
      'gateway-pause',
      'gateway-request',
      'gateway-resume',
      'worker-chunk',
      'worker-error',
      'worker-heartbeat',
      'worker-hello',
      'worker-progress',
      'worker-result',
    ]);
  });

  it('brings every message across the channel unchanged', () => {
    const overTheWire = (message: unknown): unknown => deserialize(serialize(message));
    fc.assert(fc.property(gatewayMessages, (m) => expect(parseGatewayMessage(overTheWire(m))).toEqual(m)));
    fc.assert(fc.property(workerMessages, (m) => expect(parseWorkerMessage(overTheWire(m))).toEqual(m)));
  });

  it('never accepts what is not a message', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(errorOf(() => parseGatewayMessage(value)).code).toBe('PROTOCOL_ERROR');
        expect(errorOf(() => parseWorkerMessage(value)).code).toBe('PROTOCOL_ERROR');
      }),
    );
  });

  it.each([
    ['an unknown kind', { ...golden('gateway-cancel'), kind: 'reboot' }, 'kind'],
    ['a kind of the other direction', { ...golden('worker-chunk') }, 'kind'],
    ['another version', { ...golden('gateway-cancel'), v: 1 }, 'v'],
    ['no operation', { ...golden('gateway-request'), operation: '' }, 'operation'],
    ['no workspace', { ...golden('gateway-request'), workspace: undefined }, 'workspace'],
    ['negative credits', { ...golden('gateway-credit'), credits: -1 }, 'credits'],
  ])('refuses %s and names the field', (_, message, field) => {
    const error = errorOf(() => parseGatewayMessage(message));
    expect(error).toMatchObject({ code: 'PROTOCOL_ERROR', field });
    expect(error.message).toContain(field);
  });

  it('takes no more spans of a call than there are to be', () => {
    const span = { name: 'read', at: 0, ms: 1 };
    const withSpans = (spans: number) => ({
      ...golden('worker-result'),
      trace: { ms: 1, spans: Array<typeof span>(spans).fill(span), dropped: 0 },
    });
    expect(parseWorkerMessage(withSpans(MOST_WORKER_SPANS))).toMatchObject({ kind: 'result' });
    expect(errorOf(() => parseWorkerMessage(withSpans(MOST_WORKER_SPANS + 1))).field).toBe('trace.spans');
  });

  it('has a worker keep so many of them, no kind taking all the room, and count the others', () => {
    const trace = new CallTrace();
    for (let times = 0; times < 500; times += 1) trace.add('switch_adapter', performance.now(), performance.now());
    trace.add('read', performance.now() - 5, performance.now(), { tokens: 3 });
    expect(trace.spans.length + trace.dropped).toBe(501);
    expect(trace.spans.length).toBeLessThanOrEqual(MOST_WORKER_SPANS);
    expect(trace.spans.at(-1)).toMatchObject({ name: 'read', attributes: { tokens: 3 } });
    expect(() => parseWorkerMessage({ ...golden('worker-result'), trace: { ...told(trace) } })).not.toThrow();
  });

  it.each(['shell', 'constructor', 'toString'])('has no operation %s, and says so', (name) => {
    expect(errorOf(() => operationOf(serveOperations, name))).toMatchObject({
      code: 'PROTOCOL_ERROR',
      field: 'operation',
    });
  });

  it('names the field of an input deep inside, without quoting users’ text', () => {
    const input = golden('gateway-request').input as { prompt: unknown[] };
    input.prompt[1] = { text: 'my secret', special: 'no' };
    const error = errorOf(() => parseInput('generate', serveOperations.generate, input));
    expect(error.field).toBe('input.prompt.1.special');
    expect(error.message).not.toContain('my secret');
  });

  it('checks outputs and chunks too', () => {
    const { generate, embed } = serveOperations;
    expect(parseOutput('generate', generate, golden('worker-result').output)).toEqual(golden('worker-result').output);
    expect(errorOf(() => parseOutput('embed', embed, { vectors: [1, 2], truncated: [] })).field).toBe('output.vectors');
    expect(errorOf(() => parseChunk('generate', generate, { type: 'shout' })).field).toBe('data.type');
    expect(errorOf(() => parseChunk('embed', embed, {})).field).toBe('kind');
  });

  it('speaks the highest version that both ends know', () => {
    expect(chooseVersion([1, 2, 3], [1, 2])).toBe(2);
    expect(chooseVersion([3], [1, 2])).toBeNull();
  });
});
