import type { Engine } from '../../../src/ship/fleet/index.js';
import { softmax } from '../../../src/kernel/softmax.js';
import type { AdapterFile, GenerateRequest, ModelFile, PromptSegment } from '../../../src/worker-protocol/index.js';
import { collect, doneOf, workspaceId } from '../worker.js';

/** An engine that is to keep the port's contract, with what it is asked. */
export interface Candidate {
  engine: Engine;
  model: ModelFile;
  adapter: AdapterFile;
  prompt: PromptSegment[];
  /** 150 tokens that could be labels. */
  labels: number[];
  /** The worker beside the gateway, for the same weights; null where it is the candidate. */
  reference: Engine | null;
  /** Most that a label's probability may differ from the worker's. */
  tolerance: number;
  dispose(): Promise<void>;
}

/** What holds for whatever infers, near or far: declares the tests. */
export function keepsThePort(open: () => Promise<Candidate>): void {
  let it: Candidate;
  beforeAll(async () => void (it = await open()), 600_000);
  afterAll(() => it?.dispose());

  const asked = (more: Partial<GenerateRequest> = {}): GenerateRequest => ({
    workspaceId,
    model: it.model,
    prompt: it.prompt,
    maxTokens: 6,
    temperature: 0,
    stop: [],
    ...more,
  });
  const adapted = (): ModelFile => ({ ...it.model, adapters: [it.adapter] });
  const answer = async (more: Partial<GenerateRequest> = {}) => doneOf(await collect(it.engine.generate(asked(more))));
  const score = async (model: ModelFile, engine: Engine = it.engine) =>
    engine.scoreNext({ workspaceId, model, prompt: it.prompt, candidates: it.labels });

  test('says that it started, then its text piece by piece, then all of it with what it took', async () => {
    const events = await collect(it.engine.generate(asked()));
    expect(events[0]!.type).toBe('started');
    expect(events.slice(1, -1).map(({ type }) => type)).toEqual(events.slice(1, -1).map(() => 'delta'));
    const done = doneOf(events);
    expect(events.flatMap((event) => (event.type === 'delta' ? [event.text] : [])).join('')).toBe(done.text);
    expect(done).toMatchObject({ reason: 'length', generatedTokens: 6, adapters: [] });
    expect(done.promptTokens).toBeGreaterThan(3);
  });

  test('says the same at temperature 0 every time', async () => {
    expect((await answer()).text).toBe((await answer()).text);
  });

  test('ends before a stop text', async () => {
    const { text } = await answer();
    const stop = Array.from(text).at(-1)!;
    const stopped = await answer({ stop: [stop] });
    expect(stopped).toMatchObject({ text: text.slice(0, text.indexOf(stop)), reason: 'stop' });
  });

  test('applies an adapter, says so, and leaves nothing of it behind', async () => {
    const before = await score(it.model);
    const on = await score(adapted());
    const after = await score(it.model);
    expect(on.adapters).toEqual([{ sha256: it.adapter.sha256, scale: it.adapter.scale }]);
    const changed = on.logProbabilities.map((value, i) => Math.abs(value - before.logProbabilities[i]!));
    expect(Math.max(...changed)).toBeGreaterThan(0.05);
    after.logProbabilities.forEach((value, i) => expect(value).toBeCloseTo(before.logProbabilities[i]!, 3));
    expect((await answer({ model: adapted() })).adapters).toHaveLength(1);
  });

  test('gives 150 labels the probabilities that the worker gives them, with the adapter and without', async () => {
    for (const model of [it.model, adapted()]) {
      const { logits, logProbabilities, tokens } = await score(model);
      expect(tokens).toEqual(it.labels);
      expect(Math.max(...logProbabilities)).toBeLessThanOrEqual(0);
      const reference = softmax((await score(model, it.reference ?? it.engine)).logits);
      softmax(logits).forEach((share, i) => expect(Math.abs(share - reference[i]!)).toBeLessThanOrEqual(it.tolerance));
    }
  });

  test('answers many at once as it answers each alone', async () => {
    const alone = { base: (await answer()).text, adapted: (await answer({ model: adapted() })).text };
    const together = await Promise.all(
      Array.from({ length: 6 }, async (_, i) => {
        const kind = i % 2 === 0 ? 'base' : 'adapted';
        return { kind, text: (await answer(kind === 'base' ? {} : { model: adapted() })).text } as const;
      }),
    );
    for (const { kind, text } of together) expect(text).toBe(alone[kind]);
  });

  test('stops when its caller withdraws, before and in the middle', async () => {
    const gone = AbortSignal.abort();
    await expect(collect(it.engine.generate(asked(), { signal: gone }))).rejects.toMatchObject({ code: 'CANCELLED' });
    const controller = new AbortController();
    const leaving = async () => {
      for await (const event of it.engine.generate(asked({ maxTokens: 200 }), { signal: controller.signal }))
        if (event.type === 'delta') controller.abort();
    };
    await expect(leaving()).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  test('keeps a deadline', async () => {
    const late = collect(it.engine.generate(asked({ maxTokens: 400 }), { deadlineMs: 1 }));
    await expect(late).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });
}
