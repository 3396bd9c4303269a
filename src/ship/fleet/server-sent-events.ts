import { EngineFault } from './fault.js';

/** A piece of an answer is a few hundred bytes; what has no end of line within this is no event stream. */
const LONGEST_LINE = 1024 * 1024;

/**
 * The data of each event of a stream, in whatever pieces its bytes arrive.
 * @throws EngineFault BROKEN for a line without end
 */
export async function* dataOf(body: AsyncIterable<Uint8Array> | null): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = '';
  let data: string[] = [];
  for await (const part of body ?? []) {
    rest += decoder.decode(part, { stream: true });
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop()!;
    if (rest.length > LONGEST_LINE) throw new EngineFault('BROKEN', 'a line of its stream has no end');
    for (const line of lines) {
      if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
      else if (line === '' && data.length > 0) {
        yield data.join('\n');
        data = [];
      }
    }
  }
}
