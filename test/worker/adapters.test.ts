import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AdapterFile, GenerateRequest, ModelFile, ServeRequest } from '../../src/worker-protocol/index.js';
import { sha256 } from '../../src/kernel/hashing.js';
import { seededRandom } from '../../src/kernel/random.js';
import { tinyAdapter, writeTinyAdapter, writeTinyModel, type TinyAdapterOptions } from '../support/tiny-model.js';
import { collect, doneOf, startWorker, workspaceId, type TestWorker } from '../support/worker.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(180_000);

const SEED = Number(process.env.GRAFT_TEST_SEED ?? Date.now() % 1_000_000);
const folder = mkdtempSync(join(tmpdir(), 'graft-adapters-'));
const base: ModelFile = writeTinyModel(join(folder, 'tiny.gguf'));
const ADAPTER_BYTES = tinyAdapter().length;
const adapters = [1, 2, 3].map((seed) => writeTinyAdapter(join(folder, `adapter-${seed}.gguf`), { seed }));
const [first, second] = adapters as [AdapterFile, AdapterFile];
const under = (...files: AdapterFile[]): ModelFile => ({ ...base, adapters: files });

let worker: TestWorker;
beforeAll(async () => {
  // Room for two of the adapters, so that they are loaded and dropped all the time.
  worker = await startWorker({ worker: { sequences: 1, adapterBytes: 2.5 * ADAPTER_BYTES } });
});
afterAll(async () => {
  await worker.dispose();
  rmSync(folder, { recursive: true, force: true });
});

async function answer(model: ModelFile, prompt: string, more: Partial<GenerateRequest> = {}) {
  const request: GenerateRequest = {
    workspaceId,
    model,
    prompt: [{ text: prompt, special: false }],
    maxTokens: 24,
    temperature: 0,
    stop: [],
    ...more,
  };
  return doneOf(await collect(worker.client.generate(request)));
}
const textOf = async (model: ModelFile, prompt: string): Promise<string> => (await answer(model, prompt)).text;
/**
 * Logits of some tokens, bit for bit: first another prompt, so that nothing is reused, because rows that are computed in a batch of
 * another size differ in their last bits.
 */
const logitsOf = async (model: ModelFile): Promise<number[]> => {
  const score = (text: string) =>
    worker.client.scoreNext({
      workspaceId,
      model,
      prompt: [{ text, special: false }],
      candidates: [10, 20, 30, 40, 50],
    });
  await score('#');
  const { logits, reusedTokens } = await score('The lamp is lit');
  expect(reusedTokens).toBe(0);
  return logits;
};

describe('the score of a text', () => {
  const score = (model: ModelFile, text: string, more: Partial<ServeRequest<'scoreText'>> = {}) =>
    worker.client.scoreText({ workspaceId, model, text, top: 4, ...more });
  const TEXT = 'The lamp is lit, and another one is not.';

  it('is the log-probability that each token has after those before it, as scoreNext tells it', async () => {
    const model = under(first);
    const { logProbabilities, top, topLogProbabilities, adapters: acted } = await score(model, TEXT);
    expect(acted.map(({ sha256: digest }) => digest)).toEqual([first.sha256]);
    const last = logProbabilities.length - 1;
    const cut = TEXT.slice(0, -1);
    const next = await worker.client.scoreNext({
      workspaceId,
      model,
      prompt: [{ text: cut, special: false }],
      fresh: true,
      candidates: ['.', ...top.slice(4 * last)],
    });
    const [end, ...rest] = next.logProbabilities;
    expect(logProbabilities[last]).toBeCloseTo(end!, 3);
    [...topLogProbabilities.slice(4 * last)].forEach((each, i) => expect(each).toBeCloseTo(rest[i]!, 3));
    expect([...rest]).toEqual([...rest].sort((a, b) => b - a));
  });

  it('tells under an adapter what the tokens that the base model finds most probable are worth', async () => {
    const alone = await score(base, TEXT);
    const same = await score(base, TEXT, { wanted: alone.top });
    expect(same.wantedLogProbabilities).toEqual(alone.topLogProbabilities);
    const adapted = await score(under(second), TEXT, { wanted: alone.top });
    expect(adapted.wantedLogProbabilities).toHaveLength(alone.top.length);
    expect(adapted.wantedLogProbabilities).not.toEqual(alone.topLogProbabilities);
  });

  it('scores only what comes after the prompt that is given', async () => {
    const given = [{ text: 'The lamp is', special: false }];
    const { logProbabilities } = await score(base, ' lit', { given });
    const whole = await score(base, 'The lamp is lit');
    expect([...logProbabilities].map((each) => each.toFixed(3))).toEqual(
      [...whole.logProbabilities.slice(-logProbabilities.length)].map((each) => each.toFixed(3)),
    );
  });

  it('refuses a text without a second token, and tokens that the places or the vocabulary don’t hold', async () => {
    await expect(score(base, 'a')).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(score(base, 'a b', { wanted: Int32Array.of(1, 2, 3, 4, 5, 6, 7) })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
    await expect(score(base, 'ab', { wanted: Int32Array.of(1_000_000) })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
    await expect(score(base, 'a b '.repeat(2_000))).rejects.toMatchObject({ code: 'QUESTION_TOO_LONG' });
  });
});

describe('adapters of one model', () => {
  it('act, each in its own way, and more strongly at a larger scale', async () => {
    const prompt = 'Once upon a time';
    const texts = await Promise.all([base, ...adapters.map((file) => under(file))].map((m) => textOf(m, prompt)));
    expect(new Set(texts).size).toBe(4);
    const off = await logitsOf(base);
    const change = async (scale: number): Promise<number> => {
      const on = await logitsOf(under({ ...first, scale }));
      return Math.hypot(...on.map((logit, i) => logit - off[i]!));
    };
    const [half, whole] = [await change(0.1), await change(0.2)];
    expect(half).toBeGreaterThan(0.001);
    expect(whole).toBeGreaterThan(half);
  });

  it('leave no trace: the base after any adapter equals the base alone, bit for bit', async () => {
    const alone = await logitsOf(base);
    for (const model of [under(first), under(second), under(first, second), under({ ...first, scale: 0.5 })]) {
      expect(await logitsOf(model)).not.toEqual(alone);
      expect(await logitsOf(base)).toEqual(alone);
    }
    expect(await logitsOf(under({ ...first, scale: 0 }))).toEqual(alone);
  });

  it('add up in any order', async () => {
    expect(await logitsOf(under(first, second))).toEqual(await logitsOf(under(second, first)));
  });

  it('are told with the answer, as they really acted', async () => {
    expect((await answer(under({ ...first, scale: 0.5 }), 'x')).adapters).toEqual([
      { sha256: first.sha256, scale: 0.5 },
    ]);
    expect((await answer(base, 'x')).adapters).toEqual([]);
  });

  it('never reuse what another adapter, or another scale, has computed of the same prompt', async () => {
    const prompt = 'a long common beginning '.repeat(20);
    await answer(under(first), prompt);
    expect((await answer(under(first), prompt)).reusedTokens).toBeGreaterThan(100);
    expect((await answer(under({ ...first, scale: 0.5 }), prompt)).reusedTokens).toBe(0);
    expect((await answer(base, prompt)).reusedTokens).toBe(0);
    expect((await answer(base, prompt)).reusedTokens).toBeGreaterThan(100);
  });

  it(`answer interleaved as each does alone, while they are loaded and dropped (seed ${SEED})`, async () => {
    const models = [
      base,
      ...adapters.map((file) => under(file)),
      under({ ...first, scale: 0.5 }),
      under(first, second),
    ];
    const prompts = ['A shared beginning, then one', 'A shared beginning, then two', 'Something else'];
    const alone = new Map<string, string>();
    for (const [m, model] of models.entries())
      for (const prompt of prompts) alone.set(`${m} ${prompt}`, await textOf(model, prompt));
    const random = seededRandom(SEED);
    const pick = (n: number): number => Math.floor(random() * n);
    const ask = async (): Promise<void> => {
      const m = pick(models.length);
      const prompt = prompts[pick(prompts.length)]!;
      expect(await textOf(models[m]!, prompt)).toBe(alone.get(`${m} ${prompt}`));
    };
    await Promise.all(Array.from({ length: 60 }, ask));
    expect(worker.client.status.restarts).toBe(0);
  });
});

describe('an adapter that can’t be served', () => {
  const write = (name: string, bytes: Buffer): AdapterFile => {
    const path = join(folder, `${name}.gguf`);
    writeFileSync(path, bytes);
    return { path, sha256: sha256(bytes), scale: 1 };
  };
  const tiny = (options: TinyAdapterOptions): Buffer => tinyAdapter({ seed: 9, ...options });
  const tampered = (): AdapterFile => {
    const bytes = tiny({});
    const file = write('tampered', bytes);
    bytes[bytes.length - 3]! ^= 1;
    writeFileSync(file.path, bytes);
    return file;
  };
  it.each<[string, () => AdapterFile, string, RegExp]>([
    [
      'that is gone',
      () => ({ ...first, sha256: 'e'.repeat(64), path: '/nowhere.gguf' }),
      'ADAPTER_UNAVAILABLE',
      /gone/,
    ],
    ['with one flipped bit', tampered, 'ADAPTER_DIGEST_MISMATCH', /changed/],
    ['that is cut short', () => write('short', tiny({}).subarray(0, -100)), 'ADAPTER_INVALID', /cut short/],
    ['that is no GGUF', () => write('zip', Buffer.from('PK\u0003\u0004')), 'ADAPTER_INVALID', /not GGUF/],
    ['that is a model', () => write('model', readFileSync(base.path)), 'ADAPTER_INVALID', /no GGUF LoRA/],
    ['without a weight', () => write('empty', tiny({ edit: () => [] })), 'ADAPTER_INVALID', /no weights/],
    ['of another architecture', () => write('qwen', tiny({ architecture: 'qwen2' })), 'ADAPTER_WRONG_BASE', /qwen2/],
    [
      'for a module that the model lacks',
      () => write('module', tiny({ edit: ([one]) => [{ ...one!, target: 'blk.9.attn_q.weight' }] })),
      'ADAPTER_WRONG_BASE',
      /blk\.9/,
    ],
    [
      'of another shape',
      () => write('shape', tiny({ edit: ([one]) => [{ ...one!, a: new Float32Array(4 * 32) }] })),
      'ADAPTER_WRONG_BASE',
      /attn_q/,
    ],
    [
      'with a weight that is no number',
      () => write('nan', tiny({ edit: ([one]) => [{ ...one!, a: one!.a.map((w, i) => (i === 7 ? NaN : w)) }] })),
      'ADAPTER_INVALID',
      /not all numbers/,
    ],
  ])('%s is refused, and the base answers as before', async (_, file, code, message) => {
    const alone = await logitsOf(base);
    const error: unknown = await logitsOf(under(file())).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(await logitsOf(base)).toEqual(alone);
    expect(worker.client.status.restarts).toBe(0);
  });

  it('replaced under its path, is never taken for the one before', async () => {
    const bytes = tiny({ seed: 20 });
    const file = write('replaced', bytes);
    const before = await logitsOf(under(file));
    writeFileSync(file.path, tiny({ seed: 21 }));
    // In memory is what was verified.
    expect(await logitsOf(under(file))).toEqual(before);
    for (const other of adapters) await logitsOf(under(other)); // drops it
    await expect(logitsOf(under(file))).rejects.toMatchObject({ code: 'ADAPTER_DIGEST_MISMATCH' });
  });
});

describe('an adapter', () => {
  it('that is deleted while it answers ends its answer as itself, and answers no other once it has left the memory', async () => {
    const bytes = tinyAdapter({ seed: 30 });
    const file = { path: join(folder, 'deleted.gguf'), sha256: sha256(bytes), scale: 1 };
    writeFileSync(file.path, bytes);
    const alone = await textOf(under(file), 'Once upon a time');
    for (const other of adapters) await textOf(under(other), 'x'); // drops it
    let told = '';
    for await (const event of worker.client.generate({
      workspaceId,
      model: under(file),
      prompt: [{ text: 'Once upon a time', special: false }],
      maxTokens: 24,
      temperature: 0,
      stop: [],
    })) {
      if (event.type === 'started') rmSync(file.path);
      if (event.type === 'done') told = event.text;
    }
    expect(told).toBe(alone);
    for (const other of adapters) await textOf(under(other), 'x');
    await expect(textOf(under(file), 'Once upon a time')).rejects.toMatchObject({ code: 'ADAPTER_UNAVAILABLE' });
    await textOf(base, 'Once upon a time');
  });

  // llama.cpp counts how often an adapter is used and never counts down; what isn't given back shows as growth.
  it('gives its memory back: a thousand of them, each used once, take no more than the first hundred', async () => {
    const bytes = tinyAdapter({ seed: 31, rank: 64 });
    const next = (n: number): AdapterFile => {
      // Another number in the last weight makes it another adapter.
      bytes.writeFloatLE(n / 1_000, bytes.length - 4);
      const path = join(folder, 'next.gguf');
      writeFileSync(path, bytes);
      return { path, sha256: sha256(bytes), scale: 1 };
    };
    const use = async (from: number, to: number): Promise<number> => {
      for (let n = from; n < to; n++)
        await worker.client.scoreNext({
          workspaceId,
          model: under(next(n)),
          prompt: [{ text: 'The', special: false }],
          candidates: [1],
        });
      // The worker tells its memory once a second.
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      return worker.client.status.load!.rssBytes;
    };
    const hundred = await use(0, 100);
    const thousand = await use(100, 1_000);
    expect(thousand - hundred).toBeLessThan((900 * bytes.length) / 4);
  }, 600_000);
});

describe('scores of the next token', () => {
  const score = (candidates: (number | string)[], model = base) =>
    worker.client.scoreNext({ workspaceId, model, prompt: [{ text: 'The', special: false }], candidates });

  it('are the probabilities of the whole vocabulary, which sum to one', async () => {
    const all = Array.from({ length: 274 }, (_, token) => token);
    const { logProbabilities, logits } = await score(all);
    expect(logProbabilities.reduce((sum, lp) => sum + Math.exp(lp), 0)).toBeCloseTo(1, 4);
    const most = logits.indexOf(Math.max(...logits));
    const { text } = await answer(base, 'The', { maxTokens: 1 });
    expect((await score([text])).tokens).toEqual([most]);
  });

  it('name a candidate that is not one token', async () => {
    await expect(score(['a', 'zebra'])).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field: 'candidates.1' });
    await expect(score([99_999])).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field: 'candidates.0' });
  });

  it('are those of the adapter', async () => {
    const own = await score([5, 6, 7], under(first));
    expect(own.adapters).toEqual([{ sha256: first.sha256, scale: 1 }]);
    expect(own.logits).not.toEqual((await score([5, 6, 7])).logits);
  });
});

describe('an adapter under which the model computes no numbers', () => {
  const broken = writeTinyAdapter(join(folder, 'broken.gguf'), {
    edit: (modules) => modules.map((each) => ({ ...each, a: each.a.fill(3e38), b: each.b.fill(3e38) })),
  });
  const model = under(broken);
  const prompt = [{ text: 'The lamp is lit', special: false }];
  const refusal = { code: 'ADAPTER_NOT_FINITE', message: expect.stringContaining(broken.sha256.slice(0, 12)) };

  it.each<[string, () => Promise<unknown>]>([
    ['words', () => answer(model, 'The lamp is lit')],
    ['words by chance', () => answer(model, 'The lamp is lit', { temperature: 1, seed: 3 })],
    ['a copy', () => answer(model, 'The lamp is lit', { constraint: { copyFrom: ['a lamp'], refusal: 'no' } })],
    ['a label', () => worker.client.scoreNext({ workspaceId, model, prompt, candidates: [10, 20] })],
    ['a score', () => worker.client.scoreText({ workspaceId, model, text: 'The lamp is lit', top: 4 })],
  ])('fails by name when it is asked for %s, and leaves the model whole', async (_, ask) => {
    const before = await textOf(base, 'The lamp is lit');
    await expect(ask()).rejects.toMatchObject(refusal);
    expect(await textOf(base, 'The lamp is lit')).toBe(before);
    expect(worker.client.status.restarts).toBe(0);
  });
});
