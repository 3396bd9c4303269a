import { generate, type GenerationResult, type GenerateStep } from '../../../src/answer/ask/prompt/generate.js';
import { DEFAULT_WORKSPACE_ID as workspaceId } from '../../../src/kernel/ids.js';
import type { WorkerClient } from '../../../src/platform/worker/index.js';
import type { GenerateDone } from '../../../src/worker-protocol/index.js';

type Said = Partial<GenerateDone> & { text: string };
const USAGE = { promptTokens: 3, reusedTokens: 2, generatedTokens: 5, prefillMs: 7, decodeMs: 11 };
const segment = (text: string) => [{ text, special: false }];

/** What is told while a worker says these texts in turn, word by word; loops and silence can't be had from a model on command. */
async function told(
  said: readonly Said[],
  gaps: readonly string[],
): Promise<{ deltas: string; whole: GenerationResult }> {
  const left = [...said];
  const worker = {
    async *generate() {
      const { text, ...more } = left.shift()!;
      for (const word of text.split(/(?<= )/)) yield { type: 'delta', text: word };
      yield { type: 'done', reason: 'eos', ...USAGE, text, ...more };
    },
  } as unknown as WorkerClient;
  const step: GenerateStep = {
    workspaceId,
    model: {} as never,
    signal: new AbortController().signal,
    generation: { maxTokens: 9, temperature: 0, seed: null },
    composed: {
      prompt: segment('first'),
      stop: [],
      copyFrom: null,
      refusal: null,
      heldTo: null,
      then: gaps.map((gap) => ({ gap, input: segment('further') })),
    },
  };
  const words = generate(worker, step);
  let deltas = '';
  for (;;) {
    const { done, value } = await words.next();
    if (done) return { deltas, whole: value };
    deltas += value;
  }
}

describe('an answer in pieces', () => {
  it('streams what it ends as: the pieces with what stood between them, and all that they took', async () => {
    const { deltas, whole } = await told([{ text: ' Hola. ' }, { text: 'Adiós ya. ' }], ['\n- ']);
    expect([deltas, whole.text, whole.kept]).toEqual(Array(3).fill('Hola.\n- Adiós ya.'));
    expect(whole).toMatchObject({ promptTokens: 6, reusedTokens: 4, generatedTokens: 10, prefillMs: 14, decodeMs: 22 });
  });

  it('loses no gap with a piece that is empty, and begins with none', async () => {
    const { deltas, whole } = await told(
      [{ text: '' }, { text: 'a' }, { text: ' ' }, { text: 'b' }],
      ['\n', '\n\n', ' '],
    );
    expect([deltas, whole.text]).toEqual(['a\n\n b', 'a\n\n b']);
  });

  it('keeps no loop of any piece, and says that there was one', async () => {
    const loop: Said = { text: 'la la la', reason: 'repeated', repeatedFrom: 2 };
    const { deltas, whole } = await told([loop, { text: 'end', reason: 'length' }], [' ']);
    expect([deltas, whole.text, whole.kept, whole.reason]).toEqual([
      'la la la end',
      'la la la end',
      'la end',
      'repeated',
    ]);
  });

  it('was cut short when one of its pieces was', async () => {
    expect((await told([{ text: 'a', reason: 'length' }, { text: 'b' }], [' '])).whole.reason).toBe('length');
    expect((await told([{ text: 'a' }, { text: 'b' }], [' '])).whole.reason).toBe('eos');
  });
});
