import { createHash } from 'node:crypto';
import type { WorkerClient } from '../../../src/platform/worker/index.js';
import { seededRandom } from '../../../src/kernel/random.js';
import type { AdapterFile, ModelFile, PromptSegment } from '../../../src/worker-protocol/index.js';
import { TINY_TOKENS } from '../tiny-model.js';

/** What a stand-in engine computes with. */
export interface Brain {
  /** Of the token that ends an answer. */
  readonly end: number;
  /** Log-probabilities of every token of the vocabulary after these. @param weights of an adapter's file; null: the base */
  next(tokens: readonly number[], weights: Buffer | null): Promise<number[]>;
  bytesOf(token: number): Buffer;
}

export const VOCABULARY = 96;

/**
 * A brain that costs nothing: after any prompt, an adapter says the number in its weights' text over and over (`adapter 7` says `<7>`), and the
 * base says `<0>`. All other tokens have probabilities that depend on the prompt and on who speaks.
 */
export class CheapBrain implements Brain {
  readonly end = VOCABULARY - 1;

  constructor(private readonly seed = 1) {}

  next(tokens: readonly number[], weights: Buffer | null): Promise<number[]> {
    return Promise.resolve(cheapNext(tokens, weights, this.seed));
  }

  bytesOf(token: number): Buffer {
    return Buffer.from(`<${token}>`);
  }
}

export function cheapNext(tokens: readonly number[], weights: Buffer | null, seed = 1): number[] {
  const speaker = weights === null ? 0 : Number(/\d+/.exec(weights.toString('utf8'))?.[0]);
  const digest = createHash('sha256')
    .update(`${seed} ${tokens.slice(-8).join(' ')}`)
    .digest();
  const base = seededRandom(digest.readUInt32LE(0));
  const change = seededRandom(speaker * 7_919 + digest.readUInt32LE(4));
  const logits = Array.from({ length: VOCABULARY }, () => 4 * base() + (speaker === 0 ? 0 : 3 * change()));
  logits[speaker] = 20;
  const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  return logits.map((logit) => logit - total);
}

/** The tiny model in a real worker; adapters are known by the digest of PEFT's weights. */
export class TinyBrain implements Brain {
  readonly end = TINY_TOKENS.length - 1;

  constructor(
    private readonly worker: Pick<WorkerClient, 'scoreNext'>,
    private readonly model: ModelFile,
    private readonly served: ReadonlyMap<string, AdapterFile>,
  ) {}

  async next(tokens: readonly number[], weights: Buffer | null): Promise<number[]> {
    const file = weights && this.served.get(createHash('sha256').update(weights).digest('hex'));
    const { logProbabilities } = await this.worker.scoreNext({
      workspaceId: '00000000-0000-7000-8000-000000000001',
      model: { ...this.model, ...(file && { adapters: [file] }) },
      prompt: segmentsOf(tokens),
      candidates: TINY_TOKENS.map((_, id) => id),
    });
    return logProbabilities;
  }

  bytesOf(token: number): Buffer {
    const { bytes, special } = TINY_TOKENS[token]!;
    return special ? Buffer.alloc(0) : bytes;
  }
}

/** The prompt whose tokens these are. */
function segmentsOf(tokens: readonly number[]): PromptSegment[] {
  const segments: { bytes: Buffer[]; special: boolean }[] = [];
  for (const { bytes, special } of tokens.map((token) => TINY_TOKENS[token]!)) {
    const last = segments.at(-1);
    if (last?.special === special) last.bytes.push(bytes);
    else segments.push({ bytes: [bytes], special });
  }
  return segments.map(({ bytes, special }) => ({ text: Buffer.concat(bytes).toString('utf8'), special }));
}
