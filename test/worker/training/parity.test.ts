import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Llama, Token } from 'node-llama-cpp';
import { openLlama } from '../../../gpu-worker/engines/inference/llama.js';
import { toGgufLora, toPairs } from '../../../gpu-worker/engines/training/model/adapter-files.js';
import { TRAINABLE } from '../../../gpu-worker/engines/training/model/config.js';
import { logitsGraph } from '../../../gpu-worker/engines/training/model/programs.js';
import { indices, packSequences } from '../../../gpu-worker/engines/training/trainer/pack.js';
import { Bench, compareLogits, LONGEST, LORA } from './support.js';

describe('what is trained is what is served', () => {
  let llama: Llama;
  beforeAll(async () => {
    llama = await openLlama(false);
  });
  afterAll(() => llama.dispose());

  /** Logits of llama.cpp after every token of a sequence: [tokens * vocabulary]. */
  async function served(path: string, sequence: Int32Array, vocabulary: number, lora?: string): Promise<Float32Array> {
    const model = await llama.loadModel({ modelPath: path });
    const context = await model.createContext({
      contextSize: 256,
      threads: 1,
      ...(lora !== undefined && { lora: { adapters: [{ filePath: lora }] } }),
    });
    const everything = { temperature: 1, topK: vocabulary, topP: 1, minP: 0 };
    const results = await context
      .getSequence()
      .controlledEvaluate(
        [...sequence].map((id) => [id as Token, { generateNext: { logits: true, options: everything } }]),
      );
    const logits = new Float32Array(sequence.length * vocabulary);
    results.forEach((result, place) => {
      for (const [token, logit] of result?.next.logits ?? []) logits[place * vocabulary + token] = logit;
    });
    await model.dispose();
    return logits;
  }

  it.each(TRAINABLE)('gives the logits of llama.cpp for %s', async (architecture) => {
    const bench = new Bench({ architecture, seed: 9, tiedOutput: architecture === 'qwen2' });
    try {
      const [sequence] = bench.sequences([40], 2) as [Int32Array];
      const program = await bench.onnx.compile(logitsGraph(bench.config, null, LONGEST));
      const places = indices(Array.from(sequence, (_, place) => place));
      // A second, longer sequence beside it: padding must not change the first.
      const { feeds } = packSequences([sequence, ...bench.sequences([50], 3)], bench.config);
      const { logits } = await program.run({ ...feeds, places });
      const expected = await served(bench.path, sequence, bench.config.vocabulary);
      // What is left is llama.cpp's key and value cache, which holds 16 bits a number.
      const { meanKl, sameTop } = compareLogits(logits!, expected, bench.config.vocabulary);
      expect(meanKl).toBeLessThan(1e-5);
      // Random weights make near ties, which fall either way.
      expect(sameTop).toBeGreaterThanOrEqual(0.95);
    } finally {
      await bench.dispose();
    }
  });

  it.each(TRAINABLE)('gives the logits of llama.cpp for %s with an adapter', async (architecture) => {
    const bench = new Bench({ architecture, seed: 9, tiedOutput: architecture === 'qwen2' });
    try {
      const { config } = bench;
      const [sequence] = bench.sequences([40], 2) as [Int32Array];
      const flat = bench.adapter(4);
      const lora = join(bench.folder, 'adapter.gguf');
      const pairs = toPairs(flat, config, LORA);
      writeFileSync(lora, toGgufLora({ baseModel: 'tiny', rank: LORA.rank, alpha: LORA.alpha, pairs }, config));
      const program = await bench.onnx.compile(logitsGraph(config, LORA, LONGEST));
      const places = indices(Array.from(sequence, (_, place) => place));
      const { feeds } = packSequences([sequence], config);
      const { logits } = await program.run({ ...feeds, places, ...bench.adapterFeeds(flat) });
      const base = await served(bench.path, sequence, config.vocabulary);
      const adapted = await served(bench.path, sequence, config.vocabulary, lora);
      expect(compareLogits(logits!, base, config.vocabulary).meanKl).toBeGreaterThan(1e-2);
      expect(compareLogits(logits!, adapted, config.vocabulary).meanKl).toBeLessThan(1e-5);
    } finally {
      await bench.dispose();
    }
  });
});
