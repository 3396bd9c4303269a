import { decode as decodeWhole } from '../../../../kernel/decode.js';
import { GraftError } from '../../../../kernel/errors.js';

export const TextEncoding = {
  UTF_8: 'utf-8',
  UTF_16LE: 'utf-16le',
  UTF_16BE: 'utf-16be',
  WINDOWS_1252: 'windows-1252',
} as const;
export type TextEncoding = (typeof TextEncoding)[keyof typeof TextEncoding];

/** The encoding that a byte order mark names, or null without one. */
export function encodingOfMark(start: Uint8Array): TextEncoding | null {
  if (start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf) return 'utf-8';
  if (start[0] === 0xff && start[1] === 0xfe) return 'utf-16le';
  if (start[0] === 0xfe && start[1] === 0xff) return 'utf-16be';
  return null;
}

function countLineEnds(text: string): number {
  let lines = 0;
  for (let position = text.indexOf('\n'); position >= 0; position = text.indexOf('\n', position + 1)) lines++;
  return lines;
}

/**
 * The text of a file in pieces, without byte order mark.
 * @throws DATA_FILE_INVALID at the first byte that isn't in this encoding, naming its line
 */
export async function* decodeText(
  source: AsyncIterable<Uint8Array>,
  encoding: TextEncoding,
  name: string,
): AsyncGenerator<string> {
  const strict = new TextDecoder(encoding, { fatal: true });
  let line = 1;
  let bytes = 0;
  const decode = (chunk: Uint8Array | undefined): string => {
    try {
      return chunk ? strict.decode(chunk, { stream: true }) : strict.decode();
    } catch (error) {
      const lenient = chunk ? decodeWhole(chunk, encoding) : '';
      const prefix = lenient.slice(0, Math.max(0, lenient.indexOf('\ufffd')));
      throw new GraftError(
        'DATA_FILE_INVALID',
        `${name} is not ${encoding.toUpperCase()}: line ${line + countLineEnds(prefix)} (near byte ${bytes + Buffer.byteLength(prefix)}) has bytes that this encoding doesn’t know.`,
        {
          hint:
            encoding === 'utf-8'
              ? 'Save it as UTF-8, or name its encoding in the mapping (WINDOWS_1252 for most old spreadsheets).'
              : 'Save it as UTF-8.',
          cause: error,
        },
      );
    }
  };
  for await (const chunk of source) {
    const text = decode(chunk);
    if (text.includes('\0'))
      throw new GraftError(
        'DATA_FILE_INVALID',
        `${name} holds NUL characters near line ${line + countLineEnds(text.slice(0, text.indexOf('\0')))}: it is not a text file, or UTF-16 without a byte order mark.`,
        {
          hint: 'Save it as UTF-8, or name its encoding in the mapping.',
        },
      );
    yield text;
    line += countLineEnds(text);
    bytes += chunk.byteLength;
  }
  yield decode(undefined);
}
