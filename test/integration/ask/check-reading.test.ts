import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GraftError } from '../../../src/kernel/errors.js';
import type { AskInput } from '../../../src/answer/ask/question.js';
import type { AnswerStage } from '../../../src/answer/ask/stages.js';
import { LEAST_PROBABILITY } from '../../../src/answer/ask/abstention.js';
import { isWorthReading, READING } from '../../../src/answer/ask/judge/reading.js';
import { packageRoot } from '../../../src/platform/package-root.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.js';
import { putReaderInProduction, RMA, startReading, type Answering } from './answering.js';

jest.setTimeout(240_000);

/** The passage on RMA numbers is as near as can be, and doesn't say it. */
const NEAR = 'Who signs the form for an RMA number?';

describe('what the reader makes of passages that an answer is to come from', () => {
  let answering: Answering;
  beforeAll(async () => {
    answering = await startReading();
    await putReaderInProduction(answering);
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
    expect(answer.stages.map(({ name }) => name)).toContain('check' satisfies AnswerStage);
    expect(answer.configuration.values).toMatchObject({ readingJudgedBy: { adapter: 'reader', version: 1 } });
  });

  it('refuses where they are near the question and hold no answer, before the base model words one', async () => {
    const before = answering.generations.length;
    const answer = await ask(NEAR);
    const asked = answering.generations.slice(before).map(({ request }) => request.maxTokens);
    expect(answer.abstention).toMatchObject({ reason: 'LOW_CONFIDENCE', threshold: LEAST_PROBABILITY });
    expect(answer.answerability).toBeLessThan(LEAST_PROBABILITY);
    expect(answer.evidence).not.toEqual([]);
    const unread = answer.evidence.filter(({ answerability }) => answerability === undefined);
    expect(unread.filter((sentence) => isWorthReading(sentence))).toEqual([]);
    expect(asked.length).toBeGreaterThanOrEqual(answer.evidence.length - unread.length);
    expect(asked.length).toBeLessThanOrEqual(READING.most);
    expect(new Set(asked)).toEqual(new Set([1]));
  });

  it('answers from the sentence that the reader finds the answer in, though another has more of the question’s words', async () => {
    const question = 'What colour of trap got the largest number of different species?';
    const text = [
      'We put out traps in three colours for different species.',
      'Yellow pans caught the most animals, but blue pans caught the most species.',
      'A warden emptied all of the traps each morning.',
    ].join(' ');
    await answering.collection('traps');
    const { status } = await answering.ingest('traps', [{ name: 'traps.txt', text }]);
    expect(status).toBe('SUCCEEDED');
    const collections = ['traps'];
    const unread = await ask(question, { collections, reader: false });
    expect(unread.evidence[0]!.quote).toContain('three colours');
    expect(unread.evidence.every(({ answerability }) => answerability === undefined)).toBe(true);
    const answer = await ask(question, { collections });
    expect(answer.evidence[0]!.quote).toContain('blue pans');
    expect(answer.text).toContain('lue');
    const [first, second] = answer.evidence;
    expect(first!.answerability).toBeGreaterThan(second!.answerability!);
    // What the reader read is paid for, too.
    expect(answer.usage.promptTokens).toBeGreaterThan(unread.usage.promptTokens + 100);
  });

  it('takes a span of the sentence that it judged best where it answers itself, and refuses what it judges to be none', async () => {
    const before = answering.generations.length;
    const answer = await ask(RMA, { strategy: 'HYBRID' });
    const [best] = answer.evidence;
    expect(answer).toMatchObject({ abstention: null, adapter: { name: 'reader' }, route: { strategy: 'HYBRID' } });
    expect(best!.quote).toContain(answer.text);
    expect(answer.text.length).toBeLessThan(best!.quote.length);
    expect(answer.citations[0]!.quote).toBe(best!.quote);
    expect(judged(answer)).toMatchObject({ value: answer.answerability });
    const { request } = answering.generations.slice(before).at(-1)!;
    expect(request.constraint).toEqual({ copyFrom: [best!.quote.replace(/\s+/gu, ' ')] });
    expect(answer.passages.filter(({ used }) => used).map(({ chunkId }) => chunkId)).toEqual([best!.chunkId]);

    const refused = await ask(NEAR, { strategy: 'HYBRID' });
    expect(refused.abstention).toMatchObject({ reason: 'LOW_CONFIDENCE', threshold: LEAST_PROBABILITY });
    expect(answering.generations.at(-1)!.request.maxTokens).toBe(1);
    const any = await ask(NEAR, { strategy: 'HYBRID', minConfidence: 0 });
    expect(any.abstention).toBeNull();
    expect(any.evidence[0]!.quote).toContain(any.text);
  });

  it('is not asked about what it could not make probable enough, which is refused for what words and vectors say', async () => {
    const far = 'Who won the chess championship in 1972?';
    for (const strategy of ['AUTO', 'HYBRID'] as const) {
      const before = answering.generations.length;
      const answer = await ask(far, { strategy });
      expect(answer.abstention).toMatchObject({ reason: 'LOW_RELEVANCE', threshold: LEAST_PROBABILITY });
      expect(answer.abstention!.probability).toBeLessThan(LEAST_PROBABILITY);
      expect(answer.text).toMatch(/^This does not seem to be in your documents/);
      expect(answering.generations.slice(before)).toEqual([]);
    }
    const any = await ask(far, { strategy: 'HYBRID', minConfidence: 0 });
    expect(any.abstention?.reason).not.toBe('LOW_RELEVANCE');
  });

  it('refuses by one number and one threshold, which the route tells, whoever judged', async () => {
    const told = async (question: string, more: Partial<AskInput> = {}) => {
      const { abstention, answerability, route } = await ask(question, more);
      const reason = route.reasons.find(({ feature }) => feature === 'answer.refused')!;
      expect(abstention).toMatchObject({ probability: answerability, threshold: LEAST_PROBABILITY });
      expect(reason).toMatchObject({ value: answerability, contribution: answerability! - LEAST_PROBABILITY });
    };
    await told(NEAR);
    await told(NEAR, { strategy: 'HYBRID' });
    await told('Who won the chess championship in 1972?', { strategy: 'RAG' });
  });

  it('reads passages where it can’t judge: in a language that it didn’t learn', async () => {
    const answer = await ask('¿Cuántos días vale el RMA number?', { strategy: 'HYBRID' });
    expect(judged(answer)).toBeUndefined();
    expect(answer.passages.filter(({ used }) => used).length).toBeGreaterThan(1);
  });

  it('judges what is not relevant enough by its words alone, and refuses it for what it read', async () => {
    const answer = await ask(RMA, { minConfidence: 1 });
    expect(judged(answer)).toBeDefined();
    expect(answer.abstention).toMatchObject({ reason: 'LOW_CONFIDENCE', threshold: 1 });
  });

  it('reads on until one may be answered from that hardly any other would come before, and no further', async () => {
    const text = [
      'An adult pays £5.60 for the indoor pool. A child pays £3.40 for the indoor pool. Members pay £2 less for the pool.',
      'The indoor pool closes at nine in the evening. Adults swim in the indoor pool from six to eight.',
    ].join(' ');
    await answering.collection('pool');
    await answering.ingest('pool', [{ name: 'pool.txt', text }]);
    const read = async (question: string) => {
      const before = answering.generations.length;
      const { evidence } = await ask(question, { collections: ['pool'] });
      const asked = answering.generations.slice(before).filter(({ request }) => request.maxTokens === 1).length;
      return { asked, surest: Math.max(...evidence.map(({ answerability = 0 }) => answerability)) };
    };
    const sure = await read('How much does an adult pay for the indoor pool?');
    const unsure = await read('How warm is the water of the indoor pool for an adult?');
    expect(sure.surest).toBeGreaterThan(unsure.surest);
    expect(sure.asked).toBe(1);
    expect(unsure.asked).toBeGreaterThan(sure.asked);
  });

  it('judges what is asked in key words by the language of what it is answered from', async () => {
    expect(judged(await ask('RMA number form signature'))).toBeDefined();
  });

  it('judges for whoever asks for documents alone what it judges where the choice is left to Graft', async () => {
    const [alone, left] = [await ask(RMA, { strategy: 'RAG' }), await ask(RMA)];
    expect(judged(alone)).toEqual(judged(left));
    expect(alone).toMatchObject({ text: left.text, route: { strategy: 'RAG', chosenBy: 'CALLER' } });
    expect((await ask(NEAR, { strategy: 'RAG' })).abstention).toMatchObject({ reason: 'LOW_CONFIDENCE' });
  });

  it('judges nothing for whoever wants retrieval alone, or any answer, or in a language that it doesn’t read', async () => {
    const unjudged = async (question: string, more: Partial<AskInput> = {}) => {
      const answer = await ask(question, { minConfidence: 0.001, ...more });
      expect(answer.abstention).toBeNull();
      expect(judged(answer)).toBeUndefined();
    };
    await unjudged(NEAR, { strategy: 'RAG', reader: false });
    await unjudged(NEAR, { reader: false });
    await unjudged(NEAR, { minConfidence: 0 });
    await unjudged('¿Cuántos días vale el RMA number?');
    await unjudged('Wie lange gilt die RMA number?');
    await unjudged('RMA number jak długo?');
  });

  it('keeps nobody from an answer who would have one without it, and says so', async () => {
    const resolve = jest.spyOn(answering.adapters, 'resolve');
    resolve.mockRejectedValueOnce(new GraftError('STORAGE_UNAVAILABLE', 'The files are away.'));
    const answer = await ask(RMA);
    resolve.mockRestore();
    expect(answer.abstention).toBeNull();
    expect(answer.route.reasons).toContainEqual(expect.objectContaining({ feature: 'reading.unjudged' }));
  });

  it('holds to the confidence that the caller asks for', async () => {
    const { answerability } = await ask(NEAR);
    const answer = await ask(NEAR, { minConfidence: answerability! / 2 });
    expect(answer.abstention).toBeNull();
    expect(judged(answer)).toMatchObject({ value: answer.answerability });
  });
});

describe('a reader with a calibration of its own', () => {
  let answering: Answering;
  let readers: TemporaryFolder;
  beforeAll(async () => {
    readers = await temporaryFolder();
    cpSync(join(packageRoot(), 'readers'), readers.path, { recursive: true });
    const path = join(readers.path, 'smollm2-135m-instruct', 'reader.json');
    const reader = JSON.parse(readFileSync(path, 'utf8')) as object;
    // Whatever it says of a sentence, this makes it a no.
    writeFileSync(path, JSON.stringify({ ...reader, calibration: { bias: -30, slope: 1 } }));
    answering = await startReading();
    await putReaderInProduction(answering, readers.path);
  });
  afterAll(async () => {
    await answering.stop();
    await readers.remove();
  });

  it('is not taken where it is damaged or out of bounds: what is wrong is said, and what answers stays', async () => {
    const spoilt = await temporaryFolder();
    cpSync(readers.path, spoilt.path, { recursive: true });
    const path = join(spoilt.path, 'smollm2-135m-instruct', 'reader.json');
    const reader = JSON.parse(readFileSync(path, 'utf8')) as object;
    const spoil = (text: string) => {
      writeFileSync(path, text);
      return expect(putReaderInProduction(answering, spoilt.path)).rejects;
    };
    try {
      const bounds = JSON.stringify({ ...reader, calibration: { bias: 0, slope: -1 } });
      await spoil(bounds).toMatchObject({
        code: 'ADAPTER_INVALID',
        message: expect.stringMatching(/calibration\.slope/),
      });
      await spoil('{ "v": 1,').toMatchObject({ code: 'ADAPTER_INVALID', message: expect.stringMatching(/JSON/) });
    } finally {
      await spoilt.remove();
    }
    const { configuration } = await answering.ask({ question: RMA });
    expect(configuration.values).toMatchObject({ readingJudgedBy: { adapter: 'reader', version: 1 } });
  });

  it('is believed as far as that says', async () => {
    const { abstention, evidence } = await answering.ask({ question: RMA });
    expect(abstention).toMatchObject({ reason: 'LOW_CONFIDENCE', threshold: LEAST_PROBABILITY });
    for (const { answerability } of evidence) expect(answerability ?? 0).toBeLessThan(0.01);
  });
});
