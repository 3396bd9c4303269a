import fc from 'fast-check';
import type {
  ControlledEvaluateIndexOutput,
  ControlledEvaluateInputItem,
  LlamaContextSequence,
  Token,
} from 'node-llama-cpp';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyTokens, type CopyOutcome } from '../../gpu-worker/engines/inference/copying/copy-tokens.js';
import { MarkCursor } from '../../gpu-worker/engines/inference/copying/mark-cursor.js';
import type { Vocabulary } from '../../gpu-worker/engines/inference/copying/vocabulary.js';
import { seededRandom } from '../../src/kernel/random.js';
import { LabelWords, readAnswer, renderExample, NO_AIDS, heldTo } from '../../src/sources/data/index.js';
import type { GenerateRequest, MarkedCopy, ModelFile } from '../../src/worker-protocol/index.js';
import { writeTinyModel } from '../support/tiny-model.js';
import { collect, doneOf, sharedWorker, workspaceId, type TestWorker } from '../support/worker.js';

jest.setTimeout(180_000);

const TYPES = ['person', 'place', 'place name'];
const context = { labels: new LabelWords(TYPES), languages: null };

describe('an answer that is held to a copy with marks', () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-marking-'));
  const model: ModelFile = writeTinyModel(join(folder, 'tiny.gguf'));
  let worker: TestWorker;
  beforeAll(async () => {
    worker = await sharedWorker();
  });
  afterAll(async () => {
    await worker.dispose();
    rmSync(folder, { recursive: true });
  });

  const answer = async (mark: MarkedCopy, more: Partial<GenerateRequest> = {}): Promise<ReturnType<typeof doneOf>> => {
    const prompt = [{ text: 'Copy the text and mark each person or place in it.', special: false }];
    const constraint = { mark };
    const request = { workspaceId, model, prompt, maxTokens: 400, temperature: 0, stop: [], constraint, ...more };
    return doneOf(await collect(worker.client.generate(request)));
  };

  const words = fc.constantFrom(
    'the',
    'inn',
    '6.5',
    'Żółw',
    '東京',
    '😀',
    '<|im_end|>',
    'e-mail',
    ',',
    '[sic]',
    '|',
    ']',
  );
  const texts = fc.array(words, { minLength: 1, maxLength: 8 }).map((some) => some.join(' '));
  const settings = fc.record({ temperature: fc.constantFrom(0, 1, 3), seed: fc.nat(1000) });

  it('says the whole text and nothing else, and each mark stands at whole words of it with a known type', async () => {
    let marks = 0;
    await fc.assert(
      fc.asyncProperty(texts, settings, async (text, more) => {
        const input = { task: 'EXTRACTION', text } as const;
        const { mark } = heldTo(input, context)!;
        const done = await answer(mark, more);
        expect(done.reason).toBe('eos');
        const read = readAnswer(done.text, input, context);
        const entities = read?.kind === 'ENTITIES' ? read.entities : [];
        for (const { start, end, text: said, type } of entities) {
          expect(text.slice(start, end)).toBe(said);
          expect(said).toBe(said.trim());
          expect(TYPES).toContain(type);
        }
        // Marked again by what was read of it, it is the same copy: nothing was lost or added on the way.
        const again = renderExample({ ...input, entities }, context, NO_AIDS).answer;
        expect(again).toBe(done.text);
        marks += entities.length;
      }),
      { numRuns: 40 },
    );
    expect(marks).toBeGreaterThan(0);
  });

  it('never ends within a mark where the limit cuts it', async () => {
    const { mark } = heldTo({ task: 'EXTRACTION', text: 'the old inn of the keeper' }, context)!;
    for (let maxTokens = 1; maxTokens < 24; maxTokens++) {
      const { text } = await answer(mark, { maxTokens, temperature: 3, seed: 5 });
      expect(text.split('[').length).toBe(text.split(']').length);
      expect(mark.text.startsWith(text.replaceAll(/\[|\|[a-z ]+\]/gu, '').trimEnd())).toBe(true);
    }
  });

  it('needs no grammar beside it', async () => {
    const { mark } = heldTo({ task: 'EXTRACTION', text: 'inn' }, context)!;
    await expect(answer(mark, { grammar: 'root ::= "a"' })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('is not asked for where there is nothing to copy or no type to mark with', () => {
    expect(heldTo({ task: 'EXTRACTION', text: '  \n' }, context)).toBeNull();
    expect(heldTo({ task: 'EXTRACTION', text: 'inn' }, { ...context, labels: new LabelWords([]) })).toBeNull();
  });
});

/** A model whose next token depends on all that it has read, and that is asked in whatever steps. */
class FixedModel {
  readonly read: Token[] = [];
  calls = 0;

  get nextTokenIndex(): number {
    return this.read.length;
  }

  controlledEvaluate(
    items: readonly ControlledEvaluateInputItem[],
  ): Promise<(ControlledEvaluateIndexOutput | undefined)[]> {
    this.calls += 1;
    const results = items.map((item) => {
      const [token, { generateNext }] = Array.isArray(item) ? item : [item, { generateNext: undefined }];
      this.read.push(token);
      if (!generateNext) return undefined;
      const wanted = generateNext.logits as unknown as { filter: { tokens: Token[] } };
      const logit = (candidate: Token): number => seededRandom(hash([...this.read, candidate]))();
      const logits = new Map(wanted.filter.tokens.map((candidate) => [candidate, logit(candidate)]));
      return { next: { logits, totalLogitWeight: 1 } };
    });
    return Promise.resolve(results);
  }

  eraseContextTokenRanges([range]: readonly { start: number; end: number }[]): Promise<void> {
    this.read.splice(range!.start, range!.end - range!.start);
    return Promise.resolve();
  }
}

const hash = (tokens: readonly Token[]): number => tokens.reduce((sum, token) => (31 * sum + token) % 1_000_003, 7);

describe('what is read ahead', () => {
  // Each character is a token.
  const vocabulary: Vocabulary = {
    tokens: new Map(Array.from({ length: 128 }, (_, code) => [String.fromCharCode(code), code as Token])),
    bytes: new Map(Array.from({ length: 128 }, (_, code) => [code as Token, String.fromCharCode(code)])),
    longest: 1,
    prefixes: new Set(),
  };
  const END = 127 as Token;

  async function copied(mark: MarkedCopy, drafts: boolean): Promise<{ text: string; model: FixedModel }> {
    const model = new FixedModel();
    const tokens = drafts ? [...mark.text].map((character) => character.charCodeAt(0) as Token) : [];
    const cursor = MarkCursor.over(vocabulary, mark, tokens);
    const settings = { cursor, ends: [END], maxTokens: 1_000, temperature: 0, seed: 1 };
    const outcome: CopyOutcome = { reason: 'eos', refusalProbability: null };
    let text = '';
    const { signal } = new AbortController();
    const answer = copyTokens(
      { sequence: model as unknown as LlamaContextSequence, evaluate: (input) => model.controlledEvaluate(input) },
      [1 as Token, 2 as Token],
      settings,
      outcome,
      signal,
    );
    for await (const token of answer) text += String.fromCharCode(token);
    return { text, model };
  }

  it('changes nothing of what is said, and only how often the model is asked', async () => {
    let [ahead, alone] = [0, 0];
    const text = fc.array(fc.constantFrom('ab', 'c', 'de', '6.5', ','), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(text, async (words) => {
        const mark = { text: words.join(' '), open: '[', between: '|', close: ']', types: ['x', 'yy', 'y'] };
        const [read, plain] = [await copied(mark, true), await copied(mark, false)];
        expect(read.text).toBe(plain.text);
        expect(read.text.replaceAll(/\[|\|[xy]+\]/gu, '')).toBe(mark.text);
        ahead += read.model.calls;
        alone += plain.model.calls;
      }),
    );
    expect(ahead).toBeLessThan(alone);
  });
});
