import fc from 'fast-check';
import { setImmediate as turn } from 'node:timers/promises';
import {
  currentSpan,
  inSpan,
  isTracing,
  remoteSpan,
  startSpan,
  startWithin,
  traceBy,
  traced,
  tracedStream,
  untraced,
  type TraceSpan,
  type Tracer,
} from '../../../src/platform/tracing/index.js';

interface Kept {
  name: string;
  parent: string | null;
  ended: number;
  error: unknown;
}

/** Keeps what it is told. */
function keeping(): Tracer & { spans: Kept[] } {
  const spans: Kept[] = [];
  return {
    text: false,
    spans,
    start(name, { parent }) {
      const kept: Kept = { name, parent: parent?.traceparent ?? null, ended: 0, error: undefined };
      spans.push(kept);
      const span: TraceSpan = {
        traceparent: name,
        recording: true,
        rename: () => undefined,
        set: () => undefined,
        event: () => undefined,
        fail: () => undefined,
        end(error) {
          kept.ended += 1;
          kept.error = error;
        },
      };
      return span;
    },
    close: () => Promise.resolve(),
  };
}

async function* counting(): AsyncGenerator<number, string> {
  for (let next = 1; next <= 3; next += 1) {
    await turn();
    await traced(`step ${next}`, {}, () => turn());
    yield next;
  }
  return 'done';
}

describe('a span', () => {
  let tracer: ReturnType<typeof keeping>;
  beforeEach(() => traceBy((tracer = keeping())));
  afterEach(() => traceBy(null));

  it('holds all that is done within it, and ends once with it', async () => {
    const result = await traced('outer', {}, async () => {
      await turn();
      await Promise.all([traced('left', {}, () => turn()), traced('right', {}, () => turn())]);
      return currentSpan().traceparent;
    });
    expect(result).toBe('outer');
    expect(tracer.spans).toEqual([
      { name: 'outer', parent: null, ended: 1, error: undefined },
      { name: 'left', parent: 'outer', ended: 1, error: undefined },
      { name: 'right', parent: 'outer', ended: 1, error: undefined },
    ]);
    expect(currentSpan().traceparent).toBeNull();
  });

  it('is not made of work that nobody waits for, however deep below, and is again behind it', async () => {
    await traced('outer', {}, async () => {
      const seen = await untraced(async () => {
        await traced('within', {}, () => turn());
        for await (const _ of tracedStream('stream', {}, counting)) startWithin('part').end();
        return [isTracing(), currentSpan().traceparent];
      });
      expect(seen).toEqual([false, null]);
      await traced('behind', {}, () => turn());
    });
    expect(tracer.spans.map(({ name, parent }) => [name, parent])).toEqual([
      ['outer', null],
      ['behind', 'outer'],
    ]);
  });

  it('of a stream holds its steps, whoever asks for the next value', async () => {
    const stream = tracedStream('stream', {}, counting);
    for (const reader of ['one', 'two', 'three'])
      await inSpan(startSpan(reader, { parent: null }), () => stream.next());
    expect(await stream.next()).toEqual({ done: true, value: 'done' });
    const steps = tracer.spans.filter(({ name }) => name.startsWith('step'));
    expect(steps.map(({ parent }) => parent)).toEqual(['stream', 'stream', 'stream']);
    expect(tracer.spans.find(({ name }) => name === 'stream')).toEqual({
      name: 'stream',
      parent: 'one',
      ended: 1,
      error: undefined,
    });
  });

  it('of a stream whose reader leaves ends with it, and the source hears of it', async () => {
    let left = false;
    const source = async function* () {
      try {
        for (;;) yield await Promise.resolve(1);
      } finally {
        left = true;
      }
    };
    for await (const _ of tracedStream('stream', {}, source)) break;
    expect([left, tracer.spans]).toEqual([true, [{ name: 'stream', parent: null, ended: 1, error: undefined }]]);
  });

  it('tells how its work failed, and passes the error on', async () => {
    const failing = async function* (): AsyncGenerator<number> {
      yield await Promise.resolve(1);
      throw new RangeError('out');
    };
    await expect(traced('work', {}, () => Promise.reject(new TypeError('no')))).rejects.toThrow('no');
    const stream = tracedStream('stream', {}, failing);
    await stream.next();
    await expect(stream.next()).rejects.toThrow('out');
    expect(tracer.spans.map(({ ended, error }) => [ended, (error as Error).name])).toEqual([
      [1, 'TypeError'],
      [1, 'RangeError'],
    ]);
  });

  it('that is wanted only within another is none elsewhere', async () => {
    expect(startWithin('alone').recording).toBe(false);
    await traced('outer', {}, () => startWithin('inner').end());
    expect(tracer.spans.map(({ name }) => name)).toEqual(['outer', 'inner']);
  });
});

describe('where nothing is traced', () => {
  it('work and streams are as they are without', async () => {
    expect(await traced('work', {}, (span) => span.recording)).toBe(false);
    const seen: number[] = [];
    const stream = tracedStream('stream', {}, counting);
    for (;;) {
      const { done, value } = await stream.next();
      if (done) {
        expect([seen, value]).toEqual([[1, 2, 3], 'done']);
        break;
      }
      seen.push(value);
    }
  });
});

describe('a caller’s traceparent', () => {
  const hex = (length: number) =>
    fc
      .array(fc.constantFrom(...Array.from('0123456789abcdef')), { minLength: length, maxLength: length })
      .map((all) => all.join(''));
  const nonZero = (length: number) => hex(length).filter((text) => /[^0]/.test(text));
  const valid = fc
    .record({ trace: nonZero(32), span: nonZero(16), flags: hex(2) })
    .map(({ trace, span, flags }) => `00-${trace}-${span}-${flags}`);

  it('is taken as it is', () => {
    fc.assert(fc.property(valid, (header) => remoteSpan(header)?.traceparent === header));
  });

  it('of a later version is taken as far as it is known', () => {
    fc.assert(
      fc.property(valid, fc.constantFrom('01', 'a7', 'fe'), (header, version) => {
        const later = `${version}${header.slice(2)}`;
        return remoteSpan(`${later}-more`)?.traceparent === later;
      }),
    );
  });

  it.each([
    ['nothing', undefined],
    ['a list', ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01']],
    ['zeros for a trace', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
    ['zeros for a span', `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`],
    ['the version that is none', 'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
    ['capitals', '00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01'],
    ['more behind version 00', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more'],
    ['a long text', `01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-${'x'.repeat(10_000)}`],
  ])('that is %s is none', (_what, header) => {
    expect(remoteSpan(header)).toBeNull();
  });

  it('that is no such thing is none, whatever it is', () => {
    fc.assert(fc.property(fc.string({ maxLength: 80 }), (text) => remoteSpan(text) === null));
  });
});
