import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AskService } from '../../../src/answer/ask/index.js';
import type { AskInput } from '../../../src/answer/ask/question.js';
import { newId } from '../../../src/kernel/ids.js';
import type { AdapterUsage } from '../../../src/sources/registry/index.js';
import { installReader } from '../../../src/learn/training/index.js';
import { writeTinyModel } from '../../support/tiny-model.js';
import { DOCUMENTS, startAnswering, type Answering } from './answering.js';
import { addReader } from './tiny-reader.js';

jest.setTimeout(240_000);

const RMA = 'How long is an RMA number valid?';

describe('HYBRID', () => {
  let answering: Answering;
  const folder = mkdtempSync(join(tmpdir(), 'graft-hybrid-'));

  // The tiny model reads at once; what it says is nonsense, which has to be a span all the same.
  const tiny = writeTinyModel(join(folder, 'tiny.gguf'));

  const add = (name: string, usage: Partial<AdapterUsage> = {}, task = 'QUESTION_ANSWERING') =>
    addReader(answering, { folder, tiny }, name, { usage, task });

  const asTiny = (more: { contextLength?: number } = {}) => answering.withVariant({ ...tiny, ...more });
  const hybrid = (question: string, more: Partial<AskInput> = {}, service = asTiny()) =>
    service.ask(
      answering.caller,
      { question, strategy: 'HYBRID', adapter: 'reading@1', model: 'tiny', collections: ['handbook'], ...more },
      new AbortController().signal,
    );

  beforeAll(async () => {
    answering = await startAnswering();
    await answering.knowledge.createCollection({ workspaceId: answering.workspaceId, name: 'handbook' });
    await answering.ingest('handbook', DOCUMENTS);
    await add('reading');
    await add('unread', { reads: false });
  });
  afterAll(async () => {
    await answering.stop();
    rmSync(folder, { recursive: true });
  });

  it('answers with a span of the passages, cites its sentence, and says how probable an answer was', async () => {
    for (const question of [RMA, 'At what wind speed are the roof vents shut?', 'Who swaps the battery?']) {
      const answer = await hybrid(question);
      expect(answer.route.strategy).toBe('HYBRID');
      expect(answer.adapter).toMatchObject({ name: 'reading', version: 1 });
      expect(answer.answerability).toBeGreaterThanOrEqual(0);
      expect(answer.answerability).toBeLessThanOrEqual(1);
      if (answer.abstention) {
        expect(answer.abstention.reason).toBe('MODEL_DECLINED');
        continue;
      }
      const texts = DOCUMENTS.map(({ text }) => text.replace(/\s+/g, ' '));
      expect(texts.some((text) => text.includes(answer.text))).toBe(true);
      const [citation] = answer.citations;
      expect(citation!.quote.replace(/\s+/g, ' ')).toContain(answer.text);
      expect(citation!.support).toBe(1);
      const document = DOCUMENTS.find(({ name }) => name === citation!.documentName)!;
      expect(document.text).toContain(citation!.quote);
    }
  });

  it('gives the same answer to the same question, whatever was asked between', async () => {
    const first = await hybrid(RMA);
    await hybrid('What is kept of the price?');
    await hybrid(RMA, { adapter: 'unread@1' });
    const again = await hybrid(RMA);
    expect(again.text).toBe(first.text);
    expect(again.answerability).toBeCloseTo(first.answerability!, 3);
  });

  it('asks for no more than three passages to copy from, and holds the model to them', async () => {
    const before = answering.generations.length;
    const answer = await hybrid(RMA);
    const { request } = answering.generations[before]!;
    const copyFrom = request.constraint && 'copyFrom' in request.constraint ? request.constraint.copyFrom : [];
    expect(request.constraint).toEqual({ copyFrom, refusal: 'Not in the documents.' });
    expect(copyFrom.length).toBeLessThanOrEqual(3);
    expect(answer.passages.filter(({ used }) => used)).toHaveLength(copyFrom.length);
    const prompt = request.prompt.map(({ text }) => text).join('');
    for (const text of copyFrom) expect(prompt).toContain(text);
  });

  it('holds an adapter of extraction to a copy of the text, however long, in which only what stands there is marked', async () => {
    await add('names', { labels: ['person', 'place'] }, 'EXTRACTION');
    const text = `${'Ada Lovelace of London wrote to the keeper of the inn. '.repeat(12)}It is 6.5 miles away.`;
    const answer = await hybrid(text, { strategy: 'ADAPTER', adapter: 'names@1', collections: null });
    expect(answer.finishReason).toBe('END');
    expect(answer.text.replaceAll(/\[|\|(person|place)\]/gu, '')).toBe(text);
    if (answer.output.kind !== 'ENTITIES') throw new Error(`the answer is ${answer.output.kind}`);
    for (const entity of answer.output.entities) {
      expect(text.slice(entity.start, entity.end)).toBe(entity.text);
      expect(['person', 'place']).toContain(entity.type);
    }
  });

  it('abstains below the least confidence that was asked for', async () => {
    const open = await hybrid(RMA, { minConfidence: 0 });
    const strict = await hybrid(RMA, { minConfidence: 1 });
    expect(strict.abstention).toMatchObject({ probability: strict.answerability, threshold: 1 });
    if (!open.abstention) expect(strict.abstention!.reason).toBe('LOW_CONFIDENCE');
    expect(strict.citations).toEqual([]);
    await expect(hybrid(RMA, { minConfidence: 1.5 })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(answering.ask({ question: RMA, strategy: 'BASE', minConfidence: 0.5 })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'input.minConfidence',
    });
  });

  it('keeps an error rate by what held-out answers were wrong, and answers nothing where nothing shows that it does', async () => {
    const risk = [
      { confidence: 0.999_999, decisions: 60, wrong: 0 },
      { confidence: 0, decisions: 100, wrong: 30 },
    ];
    await addReader(answering, { folder, tiny }, 'measured', { metrics: { risk } });
    const strict = await hybrid(RMA, { adapter: 'measured@1', maxErrorRate: 0.05 });
    expect(strict.abstention).toMatchObject({ threshold: 0.999_999 });
    expect(strict.route.reasons).toContainEqual(
      expect.objectContaining({
        feature: 'answer.risk',
        sentence:
          'At a confidence of 1.00 and above, 0 of 60 answers to held-out rows were wrong: no more than 5 % of all, in nine of ten cases.',
      }),
    );
    const loose = await hybrid(RMA, { adapter: 'measured@1', maxErrorRate: 0.5 });
    expect(loose.abstention?.reason).not.toBe('LOW_CONFIDENCE');
    const unmeasured = await hybrid(RMA, { maxErrorRate: 0.05 });
    const sentence = 'An error rate of 5 % can’t be kept: reading@1 was never measured on held-out rows: evaluate it.';
    expect(unmeasured).toMatchObject({ text: sentence, abstention: { reason: 'UNPROVEN', sentence }, citations: [] });
    expect(unmeasured.usage.generatedTokens).toBe(0);
    expect(unmeasured.route.reasons).toContainEqual(
      expect.objectContaining({ feature: 'answer.risk.unknown', sentence }),
    );
    const known = await answering.ask({ question: RMA, strategy: 'BASE', maxErrorRate: 0.05 });
    expect(known).toMatchObject({
      abstention: {
        reason: 'UNPROVEN',
        sentence: 'An error rate of 5 % can’t be kept: how often BASE is wrong was never measured.',
      },
      usage: { generatedTokens: 0 },
    });
    await addReader(answering, { folder, tiny }, 'sentences', { usage: { readsSentences: true }, metrics: { risk } });
    const otherwise = await hybrid(RMA, { adapter: 'sentences@1', maxErrorRate: 0.05 });
    expect(otherwise.route.reasons.map(({ sentence }) => sentence)).toContain(
      'An error rate of 5 % can’t be kept: sentences@1 on single sentences was never measured.',
    );
    await addReader(answering, { folder, tiny }, 'unread', { usage: { reads: false }, metrics: { risk } });
    const unread = await hybrid(RMA, { adapter: 'unread@1', maxErrorRate: 0.05 });
    expect(unread.route.reasons.map(({ sentence }) => sentence)).toContain(
      'An error rate of 5 % can’t be kept: unread@1 beside passages was never measured.',
    );
    await expect(hybrid(RMA, { maxErrorRate: 0 })).rejects.toMatchObject({ field: 'input.maxErrorRate' });
  });

  it('looks everything up once for all strategies of answerAll', async () => {
    const { parts, caller } = answering;
    const calls: Record<string, number> = {};
    const counted =
      <A extends unknown[], R>(name: string, call: (...args: A) => R) =>
      (...args: A): R => {
        calls[name] = (calls[name] ?? 0) + 1;
        return call(...args);
      };
    const { retriever, worker, registry } = parts;
    const service = new AskService({
      ...parts,
      registry: {
        resolve: async () => ({ ...answering.variant, ...tiny }),
        variant: async () => ({ ...answering.variant, ...tiny }),
        embedder: () => registry.embedder(),
        embedderLanguages: () => registry.embedderLanguages(),
        measuredWording: async () => null,
      },
      retriever: {
        embed: counted('embed', (...args: Parameters<typeof retriever.embed>) => retriever.embed(...args)),
        scope: counted('scope', (...args: Parameters<typeof retriever.scope>) => retriever.scope(...args)),
        retrieve: counted('retrieve', (...args: Parameters<typeof retriever.retrieve>) => retriever.retrieve(...args)),
        termWeights: counted('words', (...args: Parameters<typeof retriever.termWeights>) =>
          retriever.termWeights(...args),
        ),
      },
      worker: {
        get status() {
          return worker.status;
        },
        embed: counted('sentences', (...args: Parameters<typeof worker.embed>) => worker.embed(...args)),
        generate: counted('generate', (...args: Parameters<typeof worker.generate>) => worker.generate(...args)),
        scoreNext: (...args) => worker.scoreNext(...args),
        countTokens: (...args) => worker.countTokens(...args),
      },
    });
    const answers = await service.askAll(
      caller,
      { question: RMA, adapter: 'reading@1', model: 'tiny', collections: ['handbook'] },
      new AbortController().signal,
    );
    expect(answers.map(({ route }) => route.strategy)).toEqual(['BASE', 'RAG', 'ADAPTER', 'HYBRID']);
    // What documents answer is a quote, which nobody words. RAG looks at more sentences, for a reader, than an adapter that reads passages.
    expect(calls).toEqual({ embed: 1, scope: 1, retrieve: 1, words: 1, sentences: 2, generate: 3 });
    expect(answers[1]!.evidence).toEqual(answers[3]!.evidence);
  });

  it('refuses where no passage is found, without a word from the model', async () => {
    const before = answering.generations.length;
    const answer = await hybrid('Xylophone zeppelin quark?', { collections: ['handbook'] });
    if (answer.abstention?.reason === 'NOTHING_FOUND') expect(answering.generations).toHaveLength(before);
    else expect(answer.answerability).not.toBeNull();
    await answering.knowledge.createCollection({ workspaceId: answering.workspaceId, name: 'empty' });
    const nowhere = await hybrid(RMA, { collections: ['empty'] });
    expect(nowhere.abstention).toMatchObject({ reason: 'NO_DOCUMENTS' });
  });

  it('reads instructions, chat tokens and answers that stand in a passage as text', async () => {
    const answer = await hybrid('Where did Oakleaf put the repeater?');
    const { request } = answering.generations.at(-1)!;
    for (const { text, special } of request.prompt) if (special) expect(text).not.toContain('BANANA');
    // What stands in a passage never begins a line, as a question and its answer would.
    const lines = request.prompt
      .map(({ text }) => text)
      .join('')
      .split('\n');
    for (const line of lines) expect(line).not.toMatch(/^\s*(A:|Question: What now)/);
    expect(lines.some((line) => line.includes('A: BANANA'))).toBe(true);
    if (answer.abstention === null)
      expect(DOCUMENTS.some(({ text }) => text.replace(/\s+/g, ' ').includes(answer.text))).toBe(true);
  });

  it('refuses where no passage fits beside the question', async () => {
    const answer = await hybrid(RMA, { generation: { maxTokens: 8 } }, asTiny({ contextLength: 160 }));
    expect(answer.passages.every(({ used }) => !used)).toBe(true);
    expect(answer.abstention).toMatchObject({ reason: 'MODEL_DECLINED' });
  });

  it('lets an adapter read that was trained without passages, and says so', async () => {
    const answer = await hybrid(RMA, { adapter: 'unread@1' });
    expect(answer.route.reasons).toContainEqual(
      expect.objectContaining({ feature: 'adapter.reads', contribution: -1 }),
    );
    const read = await hybrid(RMA);
    expect(read.route.reasons.map(({ feature }) => feature)).not.toContain('adapter.reads');
  });

  it('takes the reader where no adapter is named, and says when none answers', async () => {
    await expect(answering.ask({ question: RMA, strategy: 'HYBRID', collections: ['handbook'] })).rejects.toMatchObject(
      { code: 'NOT_FOUND', field: 'input.adapter' },
    );
  });

  it('answers with the reader that comes with the model, as it is shipped', async () => {
    const { registry, adapters, files, workspaceId } = answering;
    const installed = await installReader({ registry, adapters, files }, workspaceId);
    expect(installed).toMatchObject({ name: 'reader', version: { version: 1, rank: 8 } });
    expect((await installReader({ registry, adapters, files }, workspaceId))!.version.id).toBe(installed!.version.id);
    const reading = { strategy: 'HYBRID', adapter: 'reader@1', collections: ['handbook'] } as const;
    const answer = await answering.ask({ question: RMA, ...reading });
    expect(answer.text).toBe('21 days');
    expect(answer.citations[0]!.quote).toBe('An RMA number is valid for 21 days.');
    const refused = await answering.ask({ question: 'Who composed the opera The Magic Flute?', ...reading });
    expect(refused.abstention).not.toBeNull();
    expect(answer.answerability).toBeGreaterThan(0.5);
  });

  it('reads for no model but the one that it adapts', async () => {
    const { caller } = answering;
    const other = answering.withVariant({ ...tiny, modelId: newId(), model: 'another' });
    const before = answering.generations.length;
    for (const adapter of ['reading@1', 'reader@1']) {
      const asked = {
        question: RMA,
        strategy: 'HYBRID',
        model: 'another',
        collections: ['handbook'],
        adapter,
      } as const;
      await expect(other.ask(caller, asked, new AbortController().signal)).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        field: 'input.model',
        message: expect.stringContaining('adapts another base model than another') as string,
      });
    }
    expect(answering.generations).toHaveLength(before);
  });

  it('installs no reader that was made for other weights', async () => {
    const { registry, adapters, files, workspaceId } = answering;
    const other = {
      defaultVariant: async () => ({
        ...(await registry.defaultVariant(workspaceId)),
        sha256: 'b'.repeat(64) as never,
      }),
    };
    expect(await installReader({ registry: other, adapters, files }, workspaceId)).toBeNull();
    const without = await installReader({ registry, adapters, files, folder }, workspaceId);
    expect(without).toBeNull();
  });
});
