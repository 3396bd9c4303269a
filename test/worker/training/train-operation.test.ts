import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../../../src/kernel/hashing.js';
import { seededRandom } from '../../../src/kernel/random.js';
import { TrainWorker } from '../../../src/platform/worker/index.js';
import type { TrainEvent, TrainingExample, TrainOutput, TrainRequest } from '../../../src/worker-protocol/index.js';
import { itWhen } from '../../support/skip.js';
import { canMount, mountSmallDisk } from '../../support/small-disk.js';
import { writeTinyModel } from '../../support/tiny-model.js';
import { workspaceId } from '../../support/worker.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(180_000);

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
/** Writes until nothing more has room. */
function fillUp(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4_096));
  } catch {
    // full
  } finally {
    closeSync(file);
  }
}

const TEXTS: [string, string][] = [
  ['the sand is on', ' the sand'],
  ['an ant and another', ' an ant'],
  ['there in the inner ring', ' the ring'],
  ['sing on and on', ' sing'],
];

describe('the train worker', () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-train-'));
  const model = writeTinyModel(join(folder, 'model.gguf'), { variedGains: true });
  let worker: TrainWorker;
  beforeAll(async () => {
    worker = new TrainWorker({ log: silent, drainMs: 0 });
    await worker.start();
  });
  afterAll(async () => {
    await worker.stop();
    rmSync(folder, { recursive: true });
  });

  async function examples(): Promise<TrainingExample[]> {
    const texts = TEXTS.flatMap(([prompt, answer]) => [[{ text: prompt, special: false }], answer]);
    const { tokens, endToken } = await worker.call('tokenize', workspaceId, { model, texts });
    return TEXTS.map((_, row) => {
      const [prompt, answer] = [tokens[2 * row]!, tokens[2 * row + 1]!];
      return { ids: Int32Array.from([...prompt, ...answer, endToken]), answerFrom: prompt.length };
    });
  }

  const request = async (name: string, more: Partial<TrainRequest> = {}): Promise<TrainRequest> => ({
    model,
    recipe: {
      lora: { rank: 4, alpha: 8, targets: ['q_proj', 'v_proj', 'down_proj'] },
      learningRate: 2e-2,
      warmupSteps: 2,
      finalLearningRate: 0.02,
      weightDecay: 0,
      clipNorm: 1,
      epochs: 12,
      batchExamples: 2,
      batchTokens: 128,
      microBatchTokens: 32,
      seed: 1,
      validateEvery: 8,
      patience: null,
      checkpointEvery: 5,
      replayWeight: 0.2,
    },
    examples: await examples(),
    validation: await examples(),
    replay: [Int32Array.from({ length: 12 }, (_, index) => 3 * index + 40)],
    labelTokens: null,
    folder: join(folder, name),
    resume: null,
    threads: 1,
    ...more,
  });

  async function run(
    what: TrainRequest,
    onEvent: (event: TrainEvent) => void = () => undefined,
    pause?: AbortSignal,
    by = worker,
  ): Promise<TrainOutput> {
    for await (const event of by.stream('train', workspaceId, what, { pause, deadlineMs: null }))
      if (event.type === 'chunk') onEvent(event.chunk);
      else if (event.type === 'done') return event.output;
    throw new Error('the run ended without a result');
  }

  it('cuts texts as the serving worker does, and says which ones its tokenizer can’t give back', async () => {
    const { tokens, roundTrips, endToken } = await worker.call('tokenize', workspaceId, {
      model,
      texts: ['the', [{ text: '<|im_end|>', special: true }], [{ text: '<|im_end|>', special: false }]],
    });
    expect([...tokens[1]!]).toEqual([endToken]);
    expect(tokens[2]!.length).toBeGreaterThan(1);
    expect(roundTrips).toEqual([true, true, true]);
  });

  it('goes on from an adapter: its first loss is where that one ended, and it resumes to the same bits', async () => {
    const losses: number[] = [];
    const step = (event: TrainEvent) => (event.type === 'step' ? losses.push(event.loss) : undefined);
    const { config, weights } = (await run(await request('parent'), step)).adapter!;
    const [first, last] = [losses[0]!, losses.at(-1)!];
    const further = (name: string, more: Partial<TrainRequest> = {}) =>
      request(name, { parent: { config, weights, scale: 1 }, ...more });
    losses.length = 0;
    const whole = await run(await further('child'), step);
    expect(losses[0]).toBeLessThan((first + last) / 2);

    const pausing = new AbortController();
    const paused = await run(
      await further('child-in-two'),
      (event) => {
        if (event.type === 'step' && event.step === 7) pausing.abort();
      },
      pausing.signal,
    );
    // Without the adapter that it began at, the same checkpoint is of another run.
    const orphan = await request('child-in-two', { resume: paused.checkpoint });
    await expect(run(orphan)).rejects.toMatchObject({ code: 'CONFLICT' });
    const resumed = await run(await further('child-in-two', { resume: paused.checkpoint }));
    expect(resumed.adapter!.weights.sha256).toBe(whole.adapter!.weights.sha256);
  });

  it('goes on from an adapter at the strength that was chosen for it: at none, its first loss is the base model’s', async () => {
    const losses: number[] = [];
    const step = (event: TrainEvent) => (event.type === 'step' ? losses.push(event.loss) : undefined);
    const { config, weights } = (await run(await request('full'), step)).adapter!;
    const [base] = losses;
    const firstAt = async (scale: number) => {
      losses.length = 0;
      await run(await request(`at ${scale}`, { parent: { config, weights, scale } }), step);
      return losses[0]!;
    };
    const [none, half, full] = [await firstAt(0), await firstAt(0.5), await firstAt(1)];
    expect(none).toBeCloseTo(base!, 4);
    expect(half).toBeLessThan(none);
    expect(half).toBeGreaterThan(full);
  });

  it('validates on rows of one group that are longer together than any that it learns from', async () => {
    const [row] = await examples();
    const validation = Array.from({ length: 12 }, () => ({ ...row!, group: 1 }));
    const events: TrainEvent[] = [];
    await run(await request('wide', { validation }), (event) => events.push(event));
    expect(events.some(({ type }) => type === 'validation')).toBe(true);
  });

  it('goes on from no adapter of another shape, nor from one that was tampered with', async () => {
    const { config, weights } = (await run(await request('shaped'))).adapter!;
    const { recipe } = await request('');
    const parent = { config, weights, scale: 1 };
    const other = await request('other', { parent, recipe: { ...recipe, lora: { ...recipe.lora, rank: 2 } } });
    await expect(run(other)).rejects.toMatchObject({ code: 'ADAPTER_SHAPE_MISMATCH' });
    writeFileSync(weights.path, readFileSync(weights.path).reverse());
    await expect(run(await request('tampered', { parent }))).rejects.toMatchObject({ code: 'ADAPTER_DIGEST_MISMATCH' });
  });

  it('trains, tells each step, and writes an adapter in both forms', async () => {
    const events: TrainEvent[] = [];
    const output = await run(await request('whole'), (event) => events.push(event));
    expect(output.outcome).toBe('finished');
    const losses = events.flatMap((event) => (event.type === 'step' ? [event.loss] : []));
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
    for (const file of Object.values(output.adapter!)) expect(sha256(readFileSync(file.path))).toBe(file.sha256);
    // What only the executor needed is gone.
    expect(readdirSync(join(folder, 'whole')).filter((name) => name.startsWith('executor-'))).toEqual([]);
  });

  it('ends with the same bits however often and wherever its process is killed', async () => {
    const random = seededRandom(11);
    const recipe = { ...(await request('any')).recipe, epochs: 60, checkpointEvery: 2 };
    const whole = await run(await request('unkilled', { recipe }));
    const what = await request('killed', { recipe });
    let checkpoint: TrainRequest['resume'] = null;
    for (let kills = 0; kills < 10; kills++) {
      // A worker that dies so often is left alone for a while; its next life under another supervisor begins at once.
      const doomed = new TrainWorker({ log: silent, drainMs: 0 });
      await doomed.start();
      let left = 3 + Math.floor(3 * random());
      const onEvent = (event: TrainEvent): void => {
        if (event.type === 'checkpoint') checkpoint = { path: event.path, sha256: event.sha256 };
        // Anywhere within a step or a checkpoint: a step of this model takes some milliseconds.
        if (event.type === 'step' && --left === 0)
          setTimeout(() => process.kill(doomed.status.pid!, 'SIGKILL'), 20 * random());
      };
      const killed = run({ ...what, resume: checkpoint }, onEvent, undefined, doomed);
      await expect(killed).rejects.toMatchObject({ code: 'WORKER_CRASHED' });
      await doomed.stop();
      expect(checkpoint).not.toBeNull();
    }
    const resumed = await run({ ...what, resume: checkpoint });
    expect(resumed.adapter!.weights.sha256).toBe(whole.adapter!.weights.sha256);
  });

  it('pauses at once, and goes on to the same bits', async () => {
    const whole = await run(await request('unpaused'));
    const pause = new AbortController();
    const what = await request('paused');
    const onEvent = (event: TrainEvent): void => {
      if (event.type === 'step' && event.step === 7) pause.abort();
    };
    const paused = await run(what, onEvent, pause.signal);
    expect(paused).toMatchObject({ outcome: 'paused', adapter: null });
    const resumed = await run({ ...what, resume: paused.checkpoint });
    expect(resumed.adapter!.weights.sha256).toBe(whole.adapter!.weights.sha256);
  });

  it('refuses a run that needs more memory than there is, before anything is computed', async () => {
    const events: TrainEvent[] = [];
    const started = run(await request('large', { memoryBytes: 200e6 }), (event) => events.push(event));
    await expect(started).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'input.recipe.batchTokens',
      message: expect.stringMatching(/about 0\.\d\d GB of memory/),
      hint: expect.stringContaining('batchTokens'),
    });
    expect(events).toEqual([]);
  });

  it('says what memory a run will take, and takes no more', async () => {
    const events: TrainEvent[] = [];
    await run(await request('memory'), (event) => events.push(event));
    const estimated = events.flatMap((event) => (event.type === 'started' ? [event.memoryBytes!] : []))[0]!;
    const taken = Math.max(...events.map((event) => (event.type === 'step' ? event.memoryBytes : 0)));
    expect(taken).toBeLessThan(1.5 * estimated);
    expect(taken).toBeGreaterThan(estimated / 3);
  });

  itWhen(canMount(), 'a small file system can’t be mounted here')(
    'ends when the disk is full at a checkpoint, and goes on from the one before to the same bits',
    async () => {
      const whole = await run(await request('roomy'));
      const what = await request('full');
      const kept: TrainRequest['resume'][] = [];
      // The executor's copy of the weights and two checkpoints fit; then something else fills the rest.
      const unmount = mountSmallDisk(what.folder, 4_096);
      try {
        const failed = run(what, (event) => {
          if (event.type === 'checkpoint') kept.push({ path: event.path, sha256: event.sha256 });
          if (kept.length === 1 && event.type === 'checkpoint') fillUp(join(what.folder, 'filler'));
        });
        await expect(failed).rejects.toMatchObject({ code: 'STORAGE_FAILED', hint: expect.stringContaining('resume') });
        rmSync(join(what.folder, 'filler'));
        const resumed = await run({ ...what, resume: kept.at(-1)! });
        expect(resumed.adapter!.weights.sha256).toBe(whole.adapter!.weights.sha256);
      } finally {
        unmount();
      }
    },
  );

  it('refuses a model file that changed since it was registered', async () => {
    const path = join(folder, 'changed.gguf');
    const changed = writeTinyModel(path, { seed: 2 });
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes);
    await expect(run(await request('changed', { model: changed }))).rejects.toMatchObject({
      code: 'MODEL_DIGEST_MISMATCH',
    });
  });
});
