import type { InputOf, OutputOf, TrainOperations } from '../../../src/worker-protocol/index.js';
import type { Call } from '../../server.js';
import { openLlama } from '../inference/llama.js';
import { tokenizePrompt, tokenizeText } from '../inference/prompt.js';

/** Texts between two looks at cancels and heartbeats: tokenizing is synchronous. */
const AT_ONCE = 64;

/**
 * The tokens of texts by the tokenizer of a GGUF file, of which only the vocabulary is loaded. It is the very code that cuts the
 * prompts of questions, so training and serving can’t drift apart.
 * @throws MODEL_FILE_INVALID as a load error, and the signal’s reason
 */
export async function tokenizeTexts(
  { model: { path }, texts }: InputOf<TrainOperations['tokenize']>,
  { signal }: Pick<Call, 'signal'>,
): Promise<OutputOf<TrainOperations['tokenize']>> {
  const llama = await openLlama(false);
  try {
    const model = await llama.loadModel({ modelPath: path, vocabOnly: true, loadSignal: signal });
    const tokens: Int32Array[] = [];
    const roundTrips: boolean[] = [];
    for (const text of texts) {
      const ids = typeof text === 'string' ? tokenizeText(model, text) : tokenizePrompt(model, text);
      tokens.push(Int32Array.from(ids));
      roundTrips.push(typeof text !== 'string' || model.detokenize(ids) === text);
      if (tokens.length % AT_ONCE > 0) continue;
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    }
    return { tokens, roundTrips, endToken: model.tokens.eos ?? 0 };
  } finally {
    await llama.dispose();
  }
}
