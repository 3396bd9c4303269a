import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AskInput } from '../../../src/answer/ask/question.js';
import { LabelWords } from '../../../src/sources/data/index.js';
import { askRow } from '../../../src/prove/evaluations/ask-row.js';
import { writeTinyModel } from '../../support/tiny-model.js';
import { forever, startAnswering, type Answering } from './answering.js';
import { addReader } from './tiny-reader.js';

jest.setTimeout(240_000);

const [FIRST, SECOND] = ['The pump runs at 37 bar.', 'Who has shut the vent?'];
const LANGUAGES = { source: 'en', target: 'es' };

describe('a text of several sentences', () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-translated-'));
  const tiny = writeTinyModel(join(folder, 'tiny.gguf'));
  let answering: Answering;

  const input = (question: string): AskInput => ({
    question,
    model: 'tiny',
    strategy: 'ADAPTER',
    adapter: 'spanish@1',
    generation: { maxTokens: 256, temperature: 0 },
  });
  const ask = (question: string) => answering.withVariant(tiny).ask(answering.caller, input(question), forever);

  beforeAll(async () => {
    answering = await startAnswering();
    const usage = { reads: false, languages: LANGUAGES };
    await addReader(answering, { folder, tiny }, 'spanish', { usage, task: 'TRANSLATION' });
  });
  afterAll(async () => {
    await answering.stop();
    rmSync(folder, { recursive: true });
  });

  it('is translated sentence by sentence, with what stood between them, also where it is measured', async () => {
    const [first, second] = [await ask(FIRST), await ask(SECOND)];
    const both = await ask(`${FIRST}\n- ${SECOND}`);
    expect(both.text).toBe(`${first.text}\n- ${second.text}`);
    for (const count of ['promptTokens', 'generatedTokens'] as const)
      expect(both.usage[count]).toBe(first.usage[count] + second.usage[count]);

    const adapter = await answering.adapters.resolve(answering.workspaceId, 'spanish@1');
    const row = {
      task: 'TRANSLATION',
      source: `${FIRST}\n- ${SECOND}`,
      target: '',
      sourceLanguage: 'en',
      targetLanguage: 'es',
    } as const;
    const context = { labels: new LabelWords([]), languages: LANGUAGES };
    const variant = { ...answering.variant, ...tiny };
    const { workspaceId, worker } = answering;
    const measured = await askRow(worker, { workspaceId, variant, adapter, context }, { row, facts: '' }, forever);
    expect(measured.text).toBe(both.text);
  });

  it('streams in the order of its sentences', async () => {
    let told = '';
    for await (const event of answering
      .withVariant(tiny)
      .stream(answering.caller, input(`${FIRST} ${SECOND}`), forever)) {
      if (event.type === 'delta') told += event.text;
      if (event.type === 'replaced') told = event.text;
      if (event.type === 'answer') expect(told).toBe(event.answer.text);
    }
    expect(told).not.toBe('');
  });
});
