import { readFile } from 'node:fs/promises';
import * as tokenizers from '@huggingface/tokenizers';

/** What is used of the package; its own type declarations import without extensions, which Node's resolution can't follow. */
interface TextTokenizer {
  encode(text: string): { ids: number[] };
}
const { Tokenizer } = tokenizers as unknown as { Tokenizer: new (json: object, config: object) => TextTokenizer };

/** Nothing of a text beyond this many UTF-16 units per token is looked at: words are shorter. */
const MAX_UNITS_PER_TOKEN = 64;

/** A text as an embedder reads it. */
export interface EmbedderTokens {
  /** Token ids, those that open and close the text included; not cut. */
  ids: number[];
  /** Whether it is longer than the embedder reads. */
  tooLong: boolean;
}

/**
 * The tokenizer of an embedder, as the worker embeds by it and chunks are cut by it.
 * @param maxTokens that the embedder reads @throws what reading and parsing the file throw
 */
export async function openEmbedderTokens(
  tokenizerPath: string,
  maxTokens: number,
): Promise<(text: string) => EmbedderTokens> {
  const tokenizer = new Tokenizer(JSON.parse(await readFile(tokenizerPath, 'utf8')) as object, {});
  return (text) => {
    const visible = text.slice(0, maxTokens * MAX_UNITS_PER_TOKEN);
    const { ids } = tokenizer.encode(visible);
    return { ids, tooLong: ids.length > maxTokens || visible.length < text.length };
  };
}
