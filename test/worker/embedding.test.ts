import fc from 'fast-check';
import { meanPool, planBatches } from '../../gpu-worker/engines/embedding/batches.js';
import type { EmbedderFiles } from '../../src/worker-protocol/index.js';
import { realEmbedder, startWorker, workspaceId, type TestWorker } from '../support/worker.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(180_000);

describe('batches', () => {
  it('hold each text once, at most so many tokens with padding, and texts of similar length', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 256 }), { maxLength: 100 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 2_048 }), (values, maxTokens) => {
        const batches = planBatches(values, maxTokens);
        expect(batches.flat().sort((a, b) => a - b)).toEqual(values.map((_, index) => index));
        const of = (index: number): number => values[index] ?? 0;
        batches.forEach((batch, at) => {
          const width = Math.max(1, ...batch.map(of));
          if (batch.length > 1) expect(batch.length * width).toBeLessThanOrEqual(maxTokens);
          const next = batches[at + 1] ?? [];
          expect(Math.min(...batch.map(of))).toBeGreaterThanOrEqual(Math.max(0, ...next.map(of)));
        });
      }),
    );
  });

  it('pool over a text’s own tokens only, to length 1', () => {
    // Two texts of 2 and 1 tokens, width 2, 2 dimensions; the padding holds rubbish.
    const hidden = Float32Array.of(3, 0, 3, 8, 0, 5, 99, 99);
    expect([...meanPool(hidden, [2, 1], 2, 2)]).toEqual([0.6000000238418579, 0.800000011920929, 0, 1]);
  });
});

/** First components by Python: onnxruntime and tokenizers on the same files, mean over the attention mask, L2. */
const REFERENCE: [text: string, vector: number[]][] = [
  ['The cat sits on the mat.', [0.130867, -0.032577, -0.022619, 0.03991, -0.036047, 0.041354]],
  [
    'Führen Sie ein Update durch, bitte: naïve 東京 [SEP] 😀',
    [0.021149, 0.085983, 0.129712, -0.057508, -0.063984, -0.048624],
  ],
  ['x '.repeat(1_000), [-0.004682, -0.042462, -0.031621, -0.045552, -0.102848, -0.076285]],
  ['', [-0.127353, 0.040874, -0.001428, -0.015986, 0.053876, 0.008883]],
  [
    `${'word '.repeat(300)}end. Version 3.2 (beta) costs $4.99`,
    [-0.004822, -0.098322, -0.03899, 0.051114, -0.042675, 0.021928],
  ],
];

describe('embedding in a real worker', () => {
  let worker: TestWorker;
  let embedder: EmbedderFiles;
  beforeAll(async () => {
    embedder = await realEmbedder();
    worker = await startWorker();
  });
  afterAll(() => worker.dispose());

  it('gives the reference implementation’s vectors, alone and in any batch', async () => {
    const texts = REFERENCE.map(([text]) => text);
    const together = await worker.client.embed({ workspaceId, embedder, texts });
    expect(together.truncated).toHaveLength(2);
    for (const [index, [text, expected]] of REFERENCE.entries()) {
      const alone = await worker.client.embed({ workspaceId, embedder, texts: [text] });
      for (const vector of [together.vectors[index], alone.vectors[0]]) {
        expect(vector).toHaveLength(384);
        expected.forEach((value, d) => expect(vector?.[d]).toBeCloseTo(value, 4));
        const length = Math.sqrt((vector ?? new Float32Array()).reduce((sum, value) => sum + value * value, 0));
        expect(length).toBeCloseTo(1, 5);
      }
    }
  });

  it('keeps the order of many texts', async () => {
    const texts = Array.from({ length: 150 }, (_, index) => `Note ${index}: ${'item '.repeat(index % 40)}`);
    const { vectors } = await worker.client.embed({ workspaceId, embedder, texts }, { priority: 'bulk' });
    expect(vectors).toHaveLength(150);
    for (const index of [0, 77, 149]) {
      const [alone] = (await worker.client.embed({ workspaceId, embedder, texts: [texts[index] ?? ''] })).vectors;
      const cosine = (vectors[index] ?? new Float32Array()).reduce(
        (sum, value, d) => sum + value * (alone?.[d] ?? 0),
        0,
      );
      expect(cosine).toBeGreaterThan(0.9999);
    }
  });

  it('gives nothing for nothing', async () => {
    expect(await worker.client.embed({ workspaceId, embedder, texts: [] })).toEqual({
      vectors: [],
      truncated: [],
      tokens: 0,
    });
  });

  it('lets a question overtake a long ingestion, whose cancel is heard between batches', async () => {
    const texts = Array.from({ length: 2_000 }, (_, index) => `Paragraph ${index} `.repeat(60));
    const abort = new AbortController();
    const bulk = worker.client.embed({ workspaceId, embedder, texts }, { priority: 'bulk', signal: abort.signal });
    let bulkEnded = false;
    void bulk.catch(() => undefined).finally(() => (bulkEnded = true));
    await worker.client.embed({ workspaceId, embedder, texts: ['a question'] });
    await worker.client.embed({ workspaceId, embedder, texts: ['another'] });
    expect(bulkEnded).toBe(false);
    abort.abort();
    const began = performance.now();
    await expect(bulk).rejects.toMatchObject({ code: 'CANCELLED' });
    // One batch is some 170 ms on two idle cores; 2,000 texts would be a minute.
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('answers while it embeds: the heart of the process goes on', async () => {
    const texts = Array.from({ length: 60 }, (_, index) => `Paragraph ${index} `.repeat(80));
    await worker.client.embed({ workspaceId, embedder, texts });
    expect(worker.client.status.load?.eventLoopLagMs).toBeLessThan(1_000);
  });

  it.each([
    ['gone', { modelPath: '/nowhere.onnx' }, 'MODEL_UNAVAILABLE'],
    ['no ONNX model', { sha256: 'e'.repeat(64) }, 'MODEL_FILE_INVALID'],
  ])('refuses an embedder that is %s, and goes on', async (_, change, code) => {
    const modelPath = embedder.tokenizerPath; // a file, but not a model
    const broken = { ...embedder, modelPath, ...change };
    await expect(worker.client.embed({ workspaceId, embedder: broken, texts: ['a'] })).rejects.toMatchObject({ code });
    expect((await worker.client.embed({ workspaceId, embedder, texts: ['a'] })).vectors).toHaveLength(1);
  });
});
