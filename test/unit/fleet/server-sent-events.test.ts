import { dataOf } from '../../../src/ship/fleet/server-sent-events.js';

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
  }
}

async function all(body: AsyncIterable<Uint8Array>): Promise<string[]> {
  const data: string[] = [];
  for await (const each of dataOf(body)) data.push(each);
  return data;
}

describe('the events of an engine', () => {
  const bytes = new TextEncoder().encode('data: a\r\ndata: é\r\n\r\n: a note\ndata:[DONE]\n\ndata: not ended');

  it.each([1, 2, 3, 5, 1_000])('are the same in whatever pieces their bytes come: of %i', async (size) => {
    expect(await all(inPieces(bytes, size))).toEqual(['a\né', '[DONE]']);
  });

  it('are no events where a line has no end', async () => {
    await expect(all(inPieces(new Uint8Array(1_024 * 1_024 + 1).fill(97), 65_536))).rejects.toMatchObject({
      kind: 'BROKEN',
    });
  });
});
