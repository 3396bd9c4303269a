import type { GenerateEvent, GenerateRequest, ModelFile, PromptSegment } from '../../src/worker-protocol/index.js';
import { collect, doneOf, realModel, sharedWorker, workspaceId, type TestWorker } from '../support/worker.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(180_000);

describe('the default model’s real weights', () => {
  let worker: TestWorker;
  let model: ModelFile;
  beforeAll(async () => {
    model = await realModel();
    worker = await sharedWorker();
  }, 180_000);
  afterAll(() => worker.dispose());

  const chat = (question: string): PromptSegment[] => [
    { text: '<|im_start|>user\n', special: true },
    { text: question, special: false },
    { text: '<|im_end|>\n<|im_start|>assistant\n', special: true },
  ];
  const request = (question: string, more: Partial<GenerateRequest> = {}): GenerateRequest => ({
    workspaceId,
    model,
    prompt: chat(question),
    maxTokens: 40,
    temperature: 0,
    stop: [],
    ...more,
  });

  it('answer a question, and end by themselves', async () => {
    const done = doneOf(await collect(worker.client.generate(request('What is the capital of France?'))));
    expect(done.text).toContain('Paris');
    expect(done.reason).toBe('eos');
    expect(done.text).not.toContain('<|im_end|>');
  });

  it('choose among labels by grammar', async () => {
    const grammar = 'root ::= "positive" | "negative"';
    const question = 'Is this review positive or negative? "The food was wonderful and I loved it."';
    const done = doneOf(await collect(worker.client.generate(request(question, { grammar }))));
    expect(['positive', 'negative']).toContain(done.text);
  });

  it.each([
    ['short', 1],
    ['long enough for large batches', 4],
    ['many slices long', 12],
  ])(
    'say the same bit for bit the first time and when they are read from memory, of a prompt that is %s',
    async (_, times) => {
      const question =
        'The harbour was calm and the boats were out at sea, as on every Monday of that long and dry summer. ';
      const score = (text: string, fresh = false) =>
        worker.client.scoreNext({
          workspaceId,
          model,
          fresh,
          prompt: chat(text),
          candidates: [100, 200, 300, 4_000, 5_000],
        });
      const text = `${question.repeat(times)}Who was out?`;
      const first = await score(text, true);
      expect(first.reusedTokens).toBe(0);
      const again = await score(text);
      expect(again.reusedTokens).toBeGreaterThan(again.promptTokens - 130);
      // Behind a beginning that another prompt had read.
      await score(`${question.repeat(times)}But who stayed at home, and why did they?`, true);
      const behind = await score(text);
      expect(behind.reusedTokens).toBeGreaterThan(0);
      expect([again.logits, behind.logits]).toEqual([first.logits, first.logits]);
      const answers = [];
      for (let n = 0; n < 3; n += 1) answers.push(doneOf(await collect(worker.client.generate(request(text)))).text);
      expect(new Set(answers).size).toBe(1);
    },
  );

  it('are inspected as what they are', async () => {
    expect(await worker.client.inspectModel({ workspaceId, path: model.path })).toMatchObject({
      architecture: 'llama',
      parameters: 134_515_008,
      quantization: 'Q4_1',
      contextLength: 8_192,
      vocabulary: 49_152,
      bosToken: '<|im_start|>',
      eosToken: '<|im_end|>',
      licence: 'apache-2.0',
      bytes: 98_362_432,
    });
  });

  it('stop within one batch of a long prompt when the caller withdraws', async () => {
    const notes = request('The harbour was calm and the boats were out at sea. '.repeat(150), { maxTokens: 5 });
    const started = async (
      cancelAtOnce: boolean,
    ): Promise<{ event: GenerateEvent | undefined; error: unknown; promptTokens: number }> => {
      const abort = new AbortController();
      let event: GenerateEvent | undefined;
      try {
        for await (const next of worker.client.generate(notes, { signal: abort.signal })) {
          event ??= next;
          if (cancelAtOnce) abort.abort();
        }
      } catch (error) {
        return { event, error, promptTokens: event?.type === 'started' ? event.promptTokens : 0 };
      }
      throw new Error('the answer was not cancelled');
    };
    const first = await started(true);
    expect(first.error).toMatchObject({ code: 'CANCELLED' });
    expect(first.promptTokens).toBeGreaterThan(1_500);
    // What the second run can reuse is what the first one computed before it stopped.
    const second = await started(true);
    const batch = worker.client.status.hello?.limits.batchTokens ?? 0;
    const reused = second.event?.type === 'started' ? second.event.reusedTokens : NaN;
    expect(reused).toBeLessThanOrEqual(2 * batch);
  });
});
