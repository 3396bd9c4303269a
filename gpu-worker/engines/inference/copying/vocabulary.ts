import type { LlamaModel, Token } from 'node-llama-cpp';

/** The tokens of a model that stand for text, by their bytes; a byte is one character here (latin1). */
export interface Vocabulary {
  readonly tokens: ReadonlyMap<string, Token>;
  /** The other way round; of tokens with the same bytes each has its own. */
  readonly bytes: ReadonlyMap<Token, string>;
  /** Bytes of the longest. */
  readonly longest: number;
  /** What a token begins with and isn't whole: whoever spells a token byte by byte stops where no token goes on. */
  readonly prefixes: ReadonlySet<string>;
}

/** Types of tokens that stand for text: normal ones, those that users added, and single bytes. */
const TEXT_TYPES: ReadonlySet<number> = new Set([1, 4, 6]);

const known = new WeakMap<LlamaModel, Vocabulary>();

export function vocabularyOf(model: LlamaModel): Vocabulary {
  const cached = known.get(model);
  if (cached) return cached;
  const { model: kind, tokens: texts, token_type: types } = model.fileInfo.metadata.tokenizer.ggml;
  const tokens = new Map<string, Token>();
  const bytesOfToken = new Map<Token, string>();
  texts.forEach((text, id) => {
    if (types !== undefined && !TEXT_TYPES.has(types[id]!)) return;
    const bytes = bytesOf(text, kind);
    if (bytes !== null) bytesOfToken.set(id as Token, bytes);
    // Of two tokens with the same bytes, a word and the single bytes of it, the first is the one that texts are cut into.
    if (bytes !== null && bytes !== '' && !tokens.has(bytes)) tokens.set(bytes, id as Token);
  });
  const longest = [...tokens.keys()].reduce((maximum, { length }) => Math.max(maximum, length), 0);
  const prefixes = new Set<string>();
  for (const bytes of tokens.keys()) for (let end = 1; end < bytes.length; end++) prefixes.add(bytes.slice(0, end));
  const vocabulary = { tokens, bytes: bytesOfToken, longest, prefixes };
  known.set(model, vocabulary);
  return vocabulary;
}

export const toBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** null for what isn't text. */
function bytesOf(token: string, kind: string): string | null {
  if (kind === 'gpt2') {
    const bytes = [...token].map((symbol) => BYTE_OF.get(symbol));
    return bytes.includes(undefined) ? null : String.fromCharCode(...(bytes as number[]));
  }
  const byte = /^<0x([0-9A-F]{2})>$/.exec(token)?.[1];
  return byte === undefined ? toBytes(token.replaceAll('▁', ' ')) : String.fromCharCode(parseInt(byte, 16));
}

/** GPT-2 writes each byte as a printable character: itself, or one from 256 on. */
const BYTE_OF: ReadonlyMap<string, number> = new Map(
  (() => {
    let next = 256;
    return Array.from({ length: 256 }, (_, byte): [string, number] => {
      const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
      return [String.fromCharCode(printable ? byte : next++), byte];
    });
  })(),
);
