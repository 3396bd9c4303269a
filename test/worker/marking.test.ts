import { jest } from '@jest/globals';
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabelWords, readAnswer, renderExample, NO_AIDS, heldTo } from '../../src/data/index.js';
import type { GenerateRequest, MarkedCopy, ModelFile } from '../../src/worker-protocol/index.js';
import { writeTinyModel } from '../support/tiny-model.js';
import { collect, doneOf, startWorker, workspaceId, type TestWorker } from '../support/worker.js';

jest.setTimeout(180_000);

const TYPES = ['person', 'place', 'place name'];
const context = { labels: new LabelWords(TYPES), languages: null };

describe('an answer that is held to a copy with marks', () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-marking-'));
  const model: ModelFile = writeTinyModel(join(folder, 'tiny.gguf'));
  let worker: TestWorker;
  beforeAll(async () => {
    worker = await startWorker();
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
