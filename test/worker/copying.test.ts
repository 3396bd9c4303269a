import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bordersOf } from '../../gpu-worker/engines/inference/copying/borders.js';
import type { GenerateRequest, ModelFile } from '../../src/worker-protocol/index.js';
import { writeTinyModel } from '../support/tiny-model.js';
import { collect, doneOf, sharedWorker, workspaceId, type TestWorker } from '../support/worker.js';

jest.setTimeout(180_000);

const REFUSAL = 'Not in the documents.';

describe('where a span may begin and end', () => {
  const words = (text: string): string[] => {
    const at = bordersOf(text).flatMap((border, offset) => (border ? [offset] : []));
    return at.slice(1).map((to, index) => text.slice(at[index], to));
  };

  it('is between words, never inside a word, a number or a compound', () => {
    expect(words('a 6.5 bar, £150')).toEqual(['a', ' ', '6.5', ' ', 'bar', ',', ' ', '£', '150']);
    expect(words('single-stranded isn’t')).toEqual(['single-stranded', ' ', 'isn’t']);
    expect(words('by 10:30. So')).toEqual(['by', ' ', '10:30', '.', ' ', 'So']);
    expect(words('1914-1918')).toEqual(['1914', '-', '1918']);
  });

  it('is between any two characters of a script without spaces, and never inside a character', () => {
    expect(words('東京 😀x')).toEqual(['東', '京', ' ', '😀', 'x']);
  });
});

describe('an answer that is held to texts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-copying-'));
  const model: ModelFile = writeTinyModel(join(folder, 'tiny.gguf'));
  let worker: TestWorker;
  beforeAll(async () => {
    worker = await sharedWorker();
  });
  afterAll(async () => {
    await worker.dispose();
    rmSync(folder, { recursive: true });
  });

  const answer = async (
    constraint: NonNullable<GenerateRequest['constraint']>,
    more: Partial<GenerateRequest> = {},
  ): Promise<ReturnType<typeof doneOf>> => {
    const prompt = [{ text: 'What did the keeper write?', special: false }];
    const request = { workspaceId, model, prompt, maxTokens: 12, temperature: 0, stop: [], constraint, ...more };
    return doneOf(await collect(worker.client.generate(request)));
  };

  const passages = fc.array(
    fc.array(fc.constantFrom('the', 'inn', '6.5', 'bar', 'Żółw', '東京', '😀', '<|im_end|>', 'A: yes', 'e-mail', ','), {
      minLength: 1,
      maxLength: 12,
    }),
    { minLength: 1, maxLength: 3 },
  );

  it('is always a span of one of them or the refusal, whatever limit, seed and temperature', async () => {
    const settings = fc.record({
      maxTokens: fc.integer({ min: 1, max: 40 }),
      temperature: fc.constantFrom(0, 1, 3),
      seed: fc.nat(1000),
    });
    await fc.assert(
      fc.asyncProperty(passages, settings, async (all, more) => {
        const copyFrom = all.map((words) => words.join(' '));
        const { text, refusalProbability } = await answer({ copyFrom, refusal: REFUSAL }, more);
        const said = text.trim();
        expect(said === REFUSAL || copyFrom.some((passage) => passage.includes(said))).toBe(true);
        expect(refusalProbability).toBeGreaterThanOrEqual(0);
        expect(refusalProbability).toBeLessThanOrEqual(1);
        // A part of a word or number says something else.
        if (said !== '' && said !== REFUSAL)
          expect(copyFrom.some((passage) => isBetweenBorders(passage, said))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('is the same each time at temperature 0', async () => {
    const constraint = { copyFrom: ['The inn stands on the sand.', 'An anthem, in the rain.'], refusal: REFUSAL };
    const first = await answer(constraint);
    expect(first.text).not.toBe('');
    expect(await answer(constraint)).toMatchObject({
      text: first.text,
      refusalProbability: first.refusalProbability,
      reason: first.reason,
    });
  });

  it('is the refusal where there is no text, and nothing where the limit leaves no room for a word', async () => {
    const refused = await answer({ copyFrom: [], refusal: REFUSAL }, { maxTokens: 40 });
    expect(refused).toMatchObject({ text: REFUSAL, refusalProbability: 1, reason: 'eos' });
    const cut = await answer({ copyFrom: ['incomprehensibilities'] }, { maxTokens: 2 });
    expect(cut).toMatchObject({ text: '', reason: 'length', refusalProbability: 0 });
  });

  it('needs something that can be said, and no grammar beside it', async () => {
    const failed = { code: 'BAD_USER_INPUT' };
    await expect(answer({ copyFrom: [] })).rejects.toMatchObject(failed);
    await expect(answer({ copyFrom: ['a'] }, { grammar: 'root ::= "a"' })).rejects.toMatchObject(failed);
  });
});

function isBetweenBorders(passage: string, said: string): boolean {
  const borders = bordersOf(passage);
  for (let at = passage.indexOf(said); at >= 0; at = passage.indexOf(said, at + 1))
    if (borders[at] && borders[at + said.length]) return true;
  return false;
}
