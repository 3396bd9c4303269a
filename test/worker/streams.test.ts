import { ChunkStream } from '../../gpu-worker/chunk-stream.js';
import { TextStream } from '../../gpu-worker/engines/inference/text-stream.js';
import { Hold } from '../../gpu-worker/hold.js';
import type { GenerateChunk } from '../../src/worker-protocol/index.js';

describe('the worker’s end of a stream', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  const open = (credits = 64) => {
    const sent: string[] = [];
    const abort = new AbortController();
    const chunks = new ChunkStream<GenerateChunk>(
      credits,
      (_, data) => sent.push(data.type === 'delta' ? data.text : data.type),
      abort.signal,
    );
    return { sent, abort, chunks, stream: new TextStream(chunks) };
  };

  it('sends the first text at once and holds later text until 50 ms after the last chunk', async () => {
    const { sent, chunks, stream } = open();
    await chunks.send({ type: 'started', promptTokens: 3, reusedTokens: 0 });
    await stream.write('a');
    expect(sent).toEqual(['started', 'a']);
    await stream.write('b');
    jest.advanceTimersByTime(30);
    await stream.write('c');
    jest.advanceTimersByTime(19);
    expect(sent).toEqual(['started', 'a']);
    jest.advanceTimersByTime(1);
    expect(sent).toEqual(['started', 'a', 'bc']);
    jest.advanceTimersByTime(80);
    // What is due is sent as soon as the model has its next token to work on.
    await stream.write('d');
    expect(sent).toEqual(['started', 'a', 'bc']);
    jest.advanceTimersByTime(1);
    expect(sent).toEqual(['started', 'a', 'bc', 'd']);
  });

  it('sends what it holds at the end, and nothing after it was withdrawn or closed', async () => {
    const ended = open();
    await ended.stream.write('a');
    await ended.stream.write('b');
    await ended.stream.end();
    expect(ended.sent).toEqual(['a', 'b']);
    for (const stop of ['abort', 'close'] as const) {
      const { sent, abort, stream } = open();
      await stream.write('a');
      await stream.write('b');
      if (stop === 'abort') abort.abort();
      else stream.close();
      jest.advanceTimersByTime(1_000);
      expect(sent).toEqual(['a']);
    }
  });

  it('stops the model when the credit is spent, until there is more', async () => {
    const { sent, chunks, stream } = open(1);
    await stream.write('a');
    let resolved = false;
    const second = stream.write('b').then(() => (resolved = true));
    await jest.advanceTimersByTimeAsync(1_000);
    expect(resolved).toBe(false);
    chunks.grant(1);
    await second;
    await jest.advanceTimersByTimeAsync(50);
    expect(sent).toEqual(['a', 'b']);
  });
});

describe('long work that stands aside', () => {
  it('waits for its next batch while it is held, and goes on at once when it is resumed', async () => {
    const hold = new Hold();
    const { signal } = new AbortController();
    await hold.turn(signal);
    hold.hold();
    const order: string[] = [];
    const next = hold.turn(signal).then(() => order.push('batch'));
    // Whatever is due by now has happened.
    await new Promise(setImmediate);
    expect(order).toEqual([]);
    hold.resume();
    await next;
    expect(order).toEqual(['batch']);
  });

  it('never starves: held for long, it does one batch all the same', async () => {
    jest.useFakeTimers();
    try {
      const hold = new Hold(20);
      hold.hold();
      let batches = 0;
      const next = hold.turn(new AbortController().signal).then(() => (batches += 1));
      await jest.advanceTimersByTimeAsync(19);
      expect(batches).toBe(0);
      await jest.advanceTimersByTimeAsync(1);
      await next;
      expect(batches).toBe(1);
    } finally {
      jest.useRealTimers();
    }
  });

  it('is cancelled while it is held', async () => {
    const hold = new Hold();
    const abort = new AbortController();
    hold.hold();
    const next = hold.turn(abort.signal);
    abort.abort(new Error('withdrawn'));
    await expect(next).rejects.toThrow('withdrawn');
  });
});
