import { onAccount, spend, streamOnAccount, type Account } from '../../../src/platform/spending/index.js';
import { SharedStream } from '../../../src/answer/ask/record/shared-stream.js';

const never = new AbortController().signal;
const all = async <E>(events: AsyncIterable<E>): Promise<E[]> => {
  const seen: E[] = [];
  for await (const event of events) seen.push(event);
  return seen;
};

/** A source that yields what is pushed, until `end` or an abort. */
function source() {
  const queue: (number | 'end' | Error)[] = [];
  let wake = (): void => undefined;
  let aborted = false;
  const push = (item: number | 'end' | Error): void => {
    queue.push(item);
    wake();
  };
  async function* open(signal: AbortSignal): AsyncGenerator<number> {
    signal.addEventListener('abort', () => {
      aborted = true;
      wake();
    });
    while (!signal.aborted) {
      const item = queue.shift();
      if (item === 'end') return;
      if (item instanceof Error) throw item;
      if (item !== undefined) yield item;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  return { push, open, isAborted: () => aborted };
}

describe('SharedStream', () => {
  it('gives every reader all events, whenever it joins', async () => {
    const { push, open } = source();
    const stream = new SharedStream(open);
    const early = all(stream.read(never));
    push(1);
    push(2);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const late = all(stream.read(never));
    push(3);
    push('end');
    expect(await Promise.all([early, late])).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(await all(stream.read(never))).toEqual([1, 2, 3]);
  });

  it('goes on while one reader is left, and stops with the last', async () => {
    const { push, open, isAborted } = source();
    const stream = new SharedStream(open);
    const [leaving, staying] = [new AbortController(), new AbortController()];
    const left = all(stream.read(leaving.signal));
    const stayed = all(stream.read(staying.signal));
    push(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    leaving.abort();
    expect(await left).toEqual([1]);
    expect([isAborted(), stream.joinable]).toEqual([false, true]);
    staying.abort();
    expect(await stayed).toEqual([1]);
    await stream.settled;
    expect([isAborted(), stream.joinable]).toEqual([true, false]);
  });

  it('stops when its only reader leaves the loop', async () => {
    const { push, open, isAborted } = source();
    const stream = new SharedStream(open);
    push(1);
    for await (const event of stream.read(never)) if (event === 1) break;
    await stream.settled;
    expect(isAborted()).toBe(true);
  });

  it('tells every reader of a failure', async () => {
    const { push, open } = source();
    const stream = new SharedStream(open);
    const reader = all(stream.read(never));
    push(new Error('no'));
    await expect(reader).rejects.toThrow('no');
    await expect(all(stream.read(never))).rejects.toThrow('no');
  });

  it('charges what it spends once, to those who read on: not to nobody because who opened it has left', async () => {
    const { push, open } = source();
    async function* spending(signal: AbortSignal): AsyncGenerator<number> {
      for await (const tokens of open(signal)) {
        spend(tokens);
        yield tokens;
      }
    }
    const account = (): Account => ({ caller: { workspaceId: 'w' as never, key: null }, tokens: 0 });
    const [first, second] = [account(), account()];
    const stream = onAccount(first, () => new SharedStream(spending));
    const leaves = streamOnAccount(first, stream.read(never));
    push(20);
    expect(await leaves.next()).toMatchObject({ value: 20 });
    const stays = all(streamOnAccount(second, stream.read(never)));
    await leaves.return();
    push(400);
    push(80);
    push('end');
    expect(await stays).toEqual([20, 400, 80]);
    expect([first.tokens, second.tokens]).toEqual([20, 480]);
  });
});
