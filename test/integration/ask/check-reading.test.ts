import { jest } from '@jest/globals';
import type { AskInput } from '../../../src/ask/question.js';
import { LEAST_ANSWERABILITY } from '../../../src/ask/check-reading.js';
import { installReader } from '../../../src/training/index.js';
import { RMA, startReading, type Answering } from './answering.js';

jest.setTimeout(240_000);

/** The passage on RMA numbers is as near as can be, and doesn't say it. */
const NEAR = 'Who signs the form for an RMA number?';

describe('what the reader makes of passages that an answer is to come from', () => {
  let answering: Answering;
  beforeAll(async () => {
    answering = await startReading();
    const { registry, adapters, files, workspaceId } = answering;
    const reader = await installReader({ registry, adapters, files }, workspaceId);
    const adapter = await adapters.require(workspaceId, reader!.name, 'adapter');
    const move = {
      alias: 'production',
      toVersionId: reader!.version.id,
      by: 'test',
      reason: 'It is measured.',
    } as const;
    await adapters.store.moveAlias(adapter, { ...move, evidence: {} }, null);
  });
  afterAll(() => answering.stop());

  const ask = (question: string, more: Partial<AskInput> = {}) => answering.ask({ question, ...more });
  const judged = (answer: Awaited<ReturnType<typeof ask>>) =>
    answer.route.reasons.find(({ feature }) => feature === 'reading.answerability');

  it('lets an answer through that stands in them, and is its probability', async () => {
    const answer = await ask(RMA);
    expect(answer).toMatchObject({ abstention: null, adapter: null, route: { strategy: 'RAG' } });
    expect(answer.answerability).toBeGreaterThan(0.5);
    expect(judged(answer)).toMatchObject({ value: answer.answerability });
    expect(answer.stages.map(({ name }) => name)).toContain('check');
    expect(answer.configuration.values).toMatchObject({ readingJudgedBy: { adapter: 'reader', version: 1 } });
  });

  it('refuses where they are near the question and hold no answer, before the base model words one', async () => {
    const before = answering.generations.length;
    const answer = await ask(NEAR);
    expect(answer.abstention).toMatchObject({ reason: 'LOW_CONFIDENCE', threshold: LEAST_ANSWERABILITY });
    expect(answer.answerability).toBeLessThan(LEAST_ANSWERABILITY);
    expect(answer.evidence).not.toEqual([]);
    expect(answering.generations).toHaveLength(before + 1);
  });

  it('judges nothing for whoever asks for retrieval, or for any answer, or in a language that it doesn’t read', async () => {
    for (const more of [{ strategy: 'RAG' }, { minConfidence: 0 }] satisfies Partial<AskInput>[])
      expect(judged(await ask(NEAR, more))).toBeUndefined();
    expect(judged(await ask('¿Cuántos días vale el RMA number?', { minConfidence: 0.01 }))).toBeUndefined();
  });

  it('holds to the confidence that the caller asks for', async () => {
    const answer = await ask(RMA, { minConfidence: 0.9999 });
    expect(answer.abstention?.threshold).toBe(0.9999);
  });
});
