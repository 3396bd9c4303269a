/**
 * How long 10,000 feedback rows take in calls of 1,000, on answers of their own and on few answers that everybody judges, and what a list
 * of answers by their feedback costs among many without any.
 *
 *   npm run bench -- feedback [--rows 10000] [--answers 100000]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asOwner } from '../test/support/as-owner.js';
import { AnswerStore } from '../src/answer/ask/index.js';
import { FeedbackService, FeedbackStore, type FeedbackInput } from '../src/learn/feedback/index.js';
import { DEFAULT_WORKSPACE_ID as workspaceId } from '../src/kernel/ids.js';
import { DocumentStore } from '../src/sources/knowledge/index.js';
import { migrate, openDatabase } from '../src/platform/database/index.js';
import { startServices } from '../src/platform/processes/index.js';
import { createLogger } from '../src/platform/telemetry/index.js';
import { numberOption } from './support/options.js';
import { describeMachine, median, printResult } from './support/report.js';

const ROWS = numberOption('rows', 10_000);
const ANSWERS = numberOption('answers', 100_000);
const BATCH = 1_000;
const LISTED = 20;

const home = await mkdtemp(join(tmpdir(), 'graft-bench-'));
const services = await startServices({ home, log: createLogger({ level: 'error' }) });
const database = await openDatabase(services.databaseUrl, { unsaid: 'system' });
try {
  await migrate(database);
  const answers = new AnswerStore(database);
  const service = new FeedbackService({
    store: new FeedbackStore(database, answers),
    answers,
    documents: new DocumentStore(database),
    datasets: { knownLabels: (_workspace, _task, labels) => Promise.resolve(new Set(labels)) },
  });
  // What an answer of an adapter has in its body, without evidence.
  const body = {
    format: 4,
    wording: 'MODEL',
    finishReason: 'END',
    abstention: null,
    answerability: null,
    output: { kind: 'LABEL', label: 'card', probabilities: [{ label: 'card', probability: 0.9 }] },
    evidence: [],
    conflicts: [],
    citations: [],
    passages: [],
    features: [],
    neighbours: [],
    stages: [],
    route: { strategy: 'ADAPTER', chosenBy: 'CALLER', candidates: [], reasons: [] },
    variant: { id: workspaceId, sha256: '0'.repeat(64), model: 'm', quantization: 'F16' },
    adapter: null,
    usage: { promptTokens: 1, reusedTokens: 0, generatedTokens: 1 },
    cost: { computeMs: 1, computedTokens: 1 },
    configuration: {
      digest: '0'.repeat(64),
      values: { strategy: 'ADAPTER', prompts: 1, model: { name: 'm', quantization: 'F16', sha256: '0'.repeat(64) } },
    },
  };
  const { rows: ids } = await database.pool.query<{ id: string }>(
    `INSERT INTO answer (id, workspace_id, request_id, input_digest, status, question, text, strategy, task, confidence, body)
     SELECT uuidv7(), $1, n::text, n::text, 'COMPLETE', 'Where is my card number ' || n, 'card', 'ADAPTER', 'CLASSIFICATION', 0.9, $2
       FROM generate_series(1, $3) AS n RETURNING id`,
    [workspaceId, JSON.stringify(body), ANSWERS],
  );
  await asOwner(database.pool, (client) => client.query('ANALYZE answer'));

  const submit = async (
    what: string,
    on: (place: number) => string,
    said: (place: number) => Partial<FeedbackInput>,
  ) => {
    const times: number[] = [];
    const began = performance.now();
    for (let from = 0; from < ROWS; from += BATCH) {
      const start = performance.now();
      await service.submit(
        { workspaceId, key: null },
        Array.from({ length: Math.min(BATCH, ROWS - from) }, (_, i): FeedbackInput => {
          const place = from + i;
          const source = { kind: 'HUMAN', name: `person ${place % 1_000} ${what}` } as const;
          return { answerId: on(place), kind: 'FEEDBACK', source, ...said(place) };
        }),
      );
      times.push(performance.now() - start);
    }
    const seconds = (performance.now() - began) / 1000;
    return {
      feedback: what,
      rows: ROWS,
      's in all': seconds.toFixed(2),
      'ms a call of 1,000 (median)': median(times).toFixed(0),
    };
  };
  const expectation = (place: number) => ({
    kind: 'EXPECTATION' as const,
    expectation: { label: place % 3 === 0 ? 'transfer' : 'card' },
  });
  const score = (place: number) => ({ score: place % 3 === 0 ? -1 : 1 });
  const each = (place: number) => ids[(place * 7) % ids.length]!.id;
  const rows = [
    await submit('a score each on an answer of its own', each, score),
    await submit('a right label each on an answer of its own', each, expectation),
    await submit('scores of 1,000 people on ten answers', (place) => ids[Math.floor(place / 1_000)]!.id, score),
  ];

  const listed = async (filter: Parameters<AnswerStore['list']>[1]) => {
    const times: number[] = [];
    for (let i = 0; i < LISTED; i++) {
      const start = performance.now();
      await answers.list(workspaceId, filter, { first: 20, after: null });
      times.push(performance.now() - start);
    }
    return Number(median(times).toFixed(1));
  };
  const lists = {
    answers: ANSWERS,
    'disagrees, ms': await listed({ disagrees: true }),
    'no feedback, ms': await listed({ hasFeedback: false }),
    'a thousandth as a sample, ms': await listed({ sample: { rate: 0.001, seed: 1 } }),
    'of a time without any, ms': await listed({ to: new Date('2020-01-01') }),
  };
  const began = performance.now();
  await service.sources({ workspaceId });
  printResult('feedback', {
    machine: describeMachine(),
    rows,
    lists,
    'weights of all sources, s': ((performance.now() - began) / 1000).toFixed(2),
  });
} finally {
  await database.close();
  await services.stop();
  await rm(home, { recursive: true, force: true });
}
