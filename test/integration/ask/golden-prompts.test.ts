import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AskInput } from '../../../src/answer/ask/index.js';
import { putReaderInProduction, RMA, startReading, type Answering } from './answering.js';

jest.setTimeout(300_000);

/**
 * What the model is asked, to the bit, and in which events, stages and reasons an answer comes. Who changes a prompt on purpose removes the
 * file, runs the test, and commits what it wrote; it fails that once.
 */
const GOLDEN = join(process.cwd(), 'test/integration/ask/golden/prompts.json');

const QUESTIONS: readonly Partial<AskInput>[] = [
  { question: 'What is a greenhouse?', strategy: 'BASE' },
  { question: RMA, strategy: 'RAG' },
  { question: RMA },
  { question: RMA, wording: 'MODEL' },
  {
    question: RMA,
    strategy: 'RAG',
    minConfidence: 0,
    wording: 'MODEL',
    generation: { maxTokens: 12, temperature: 0.5, seed: 7 },
  },
  { question: RMA, strategy: 'HYBRID' },
  { question: RMA, strategy: 'ADAPTER', adapter: 'reader' },
  { question: 'Who signs the form for an RMA number?' },
  { question: 'Who won the football cup of 1934?', strategy: 'RAG' },
  { question: 'Who won the football cup of 1934?' },
  { question: 'Wie lange gilt eine RMA-Nummer?' },
  { question: 'How long does the light sensor run without any light?', collections: ['manual'], maxErrorRate: 0.1 },
];

describe('what an answer asks of the model', () => {
  let answering: Answering;
  beforeAll(async () => {
    answering = await startReading();
    await putReaderInProduction(answering);
  });
  afterAll(() => answering.stop());

  async function trace(input: Partial<AskInput>) {
    const before = answering.generations.length;
    const stream = answering.service.stream(answering.caller, input as AskInput, new AbortController().signal);
    const events = await answering.events(stream);
    const asked = answering.generations.slice(before).map(({ request }) => {
      const { prompt, maxTokens, temperature, stop, constraint, seed } = request;
      return { prompt, maxTokens, temperature, stop, constraint, seed };
    });
    const last = events.at(-1)!;
    if (last.type !== 'answer') throw new Error('The last event must be the answer.');
    const { route, stages, configuration, evidence, citations, passages, wording, abstention, task } = last.answer;
    return {
      input,
      asked,
      events: events
        .map(({ type }) => type)
        .filter((type, i, all) => type !== 'delta' || all[i - 1] !== 'delta')
        // Whether words that the seeded adapter writes from memory repeat themselves, and are cut, differs between processors.
        .filter((type) => type !== 'replaced' || input.strategy !== 'ADAPTER'),
      stages: stages.map(({ name }) => name),
      strategy: route.strategy,
      reasons: route.reasons.map(({ feature }) => feature),
      configuration: Object.keys(configuration.values),
      evidence: evidence.map(({ quote }) => quote),
      citations: citations.map(({ quote }) => quote),
      passages: passages.map(({ used, reason }) => ({ used, reason })),
      wording,
      task,
      abstention: abstention?.reason ?? null,
    };
  }

  it('is what it was', async () => {
    const traces = [];
    for (const input of QUESTIONS) traces.push(await trace(input));
    const written = `${JSON.stringify(traces, null, 2)}\n`;
    const stood = existsSync(GOLDEN);
    if (!stood) writeFileSync(GOLDEN, written);
    expect(stood).toBe(true);
    expect(JSON.parse(written)).toEqual(JSON.parse(readFileSync(GOLDEN, 'utf8')));
  });
});
