/**
 * What monitoring costs. A month of synthetic answers (models, adapters, strategies and collections as a busy team has them) is put into the table
 * of answers by SQL and rolled up as a gateway does; then series of the month are read. Also, what an answer waits for: inserting one
 * with and without the trigger that notes it. How soon a shift of topic is noticed is bench/drift.ts.
 *
 *   npm run bench -- monitoring [--answers 1000000]
 */
import { asOwner } from '../test/support/as-owner.js';
import { systemClock } from '../src/kernel/clock.js';
import { Roller, SeriesService, SeriesStore, type SeriesInput } from '../src/operate/monitoring/index.js';
import { silentLogger } from '../src/platform/telemetry/index.js';
import { startAnswering } from './support/answering.js';
import { numberOption } from './support/options.js';
import { describeMachine, median, printResult } from './support/report.js';

const ANSWERS = numberOption('answers', 1_000_000);
const READS = 15;
const DAYS = 30;
/** Rows that one statement puts in. */
const CHUNK = 50_000;
const SINGLE = 2_000;

type Answering = Awaited<ReturnType<typeof startAnswering>>;

/** Answers over the last month, as `ask` records them but for long texts. */
async function plantAnswers({ database, workspaceId }: Answering, first: number, count: number): Promise<void> {
  await database.pool.query(
    `INSERT INTO answer (id, workspace_id, request_id, input_digest, status, question, text, abstained, strategy, body,
                         error_code, confidence, created_at, finished_at)
     SELECT gen_random_uuid(), $1, 'bench ' || i, '', CASE WHEN i % 50 = 0 THEN 'FAILED' ELSE 'COMPLETE' END, 'Why?', repeat('x', 300),
            i % 11 = 0, s.strategy,
            jsonb_build_object('format', 3, 'variant', jsonb_build_object('model', 'm' || i % 2, 'quantization', 'Q8_0'),
              'adapter', CASE WHEN s.strategy IN ('ADAPTER', 'HYBRID')
                              THEN jsonb_build_object('name', 'adapter', 'version', i % 3) END,
              'citations', '[]'::jsonb, 'assignment', NULL,
              'evidence', CASE WHEN s.strategy IN ('RAG', 'HYBRID') THEN jsonb_build_array(jsonb_build_object(
                 'collectionName', 'collection ' || i % 3, 'quote', repeat('y', 500), 'scores', jsonb_build_object('fused', r))) ELSE '[]' END,
              'usage', jsonb_build_object('promptTokens', 200, 'generatedTokens', 40),
              'cost', jsonb_build_object('computeMs', 300 + 900 * r), 'answerability', r,
              'output', jsonb_build_object('kind', 'TEXT')),
            CASE WHEN i % 50 = 0 THEN 'WORKER_CRASHED' END, r, t.at - make_interval(secs => 0.2 + 3 * r), t.at
       FROM generate_series($2::int, $2::int + $3::int - 1) AS i,
            LATERAL (SELECT (hashint4(i) & 1023) / 1024.0 AS r) AS x,
            LATERAL (SELECT (ARRAY['BASE','RAG','RAG','ADAPTER','HYBRID'])[1 + i % 5] AS strategy) AS s,
            LATERAL (SELECT now() - make_interval(secs => ${DAYS * 86_400}.0 * (1 - i / $4::float8)) AS at) AS t`,
    [workspaceId, first, count, ANSWERS],
  );
}

/** ms of one insert. */
async function singleInsert(answering: Answering): Promise<number> {
  const began = performance.now();
  for (let i = 0; i < SINGLE; i++) await plantAnswers(answering, ANSWERS + i, 1);
  const ms = (performance.now() - began) / SINGLE;
  await answering.database.pool.query(`DELETE FROM answer; `);
  return ms;
}

async function measureSeries(answering: Answering) {
  const { database, workspaceId } = answering;
  const trigger = (what: 'ENABLE' | 'DISABLE') =>
    asOwner(database.pool, (client) => client.query(`ALTER TABLE answer ${what} TRIGGER answer_added`));
  await trigger('DISABLE');
  await singleInsert(answering);
  const alone = await singleInsert(answering);
  await trigger('ENABLE');
  const noted = await singleInsert(answering);
  await database.pool.query('DELETE FROM metric_outbox');

  const store = new SeriesStore(database);
  const roller = new Roller({ database, store, clock: systemClock, log: silentLogger() });
  let rolledMs = 0;
  let rolled = 0;
  for (let first = 0; first < ANSWERS; first += CHUNK) {
    await plantAnswers(answering, first, Math.min(CHUNK, ANSWERS - first));
    const began = performance.now();
    rolled += await roller.rollAll();
    rolledMs += performance.now() - began;
    console.log(`${rolled} answers rolled up, ${(rolledMs / rolled).toFixed(3)} ms each`);
  }
  if (rolled !== ANSWERS) throw new Error(`${rolled} answers were rolled up instead of ${ANSWERS}`);
  // One answer at a time: what it costs where hardly anybody asks.
  let lonely = 0;
  for (let i = 0; i < 200; i++) {
    await plantAnswers(answering, ANSWERS - 1, 0);
    await database.pool.query(
      `INSERT INTO metric_outbox (workspace_id, kind, subject_id, status, at) SELECT workspace_id, 'ANSWER', id, status, finished_at FROM answer ORDER BY id LIMIT 1`,
    );
    const began = performance.now();
    await roller.roll();
    lonely += performance.now() - began;
  }
  await asOwner(database.pool, (client) => client.query('ANALYZE metric_bucket; ANALYZE metric_series'));

  const series = new SeriesService({ store, clock: systemClock });
  const to = new Date();
  const from = new Date(to.getTime() - DAYS * 86_400_000);
  const read = async (what: string, input: SeriesInput) => {
    const times: number[] = [];
    let points = 0;
    for (let i = 0; i < READS; i++) {
      const began = performance.now();
      const found = await series.read(workspaceId, { ...input, from, to });
      times.push(performance.now() - began);
      points = found.reduce((sum, each) => sum + each.points.length, 0);
    }
    return {
      series: what,
      points,
      'median ms': Number(median(times).toFixed(1)),
      'worst ms': Number(Math.max(...times).toFixed(1)),
    };
  };
  const reads = [
    await read('volume by hour', { metric: 'VOLUME', resolution: 'HOUR' }),
    await read('latency with percentiles by hour', { metric: 'LATENCY', resolution: 'HOUR' }),
    await read('error rate by hour and strategy', { metric: 'ERROR_RATE', by: ['STRATEGY'], resolution: 'HOUR' }),
    await read('route mix by day', { metric: 'ROUTE_MIX', resolution: 'DAY' }),
    await read('latency by day and adapter', { metric: 'LATENCY', by: ['ADAPTER'], resolution: 'DAY' }),
  ];
  const { rows: sizes } = await database.pool.query<{ buckets: number }>(
    'SELECT count(*)::int AS buckets FROM metric_bucket',
  );
  return {
    reads,
    details: {
      answers: ANSWERS,
      buckets: sizes[0]!.buckets,
      'ms of an insert alone': round(alone),
      'ms of an insert with its note': round(noted),
      'ms of rolling up, an answer of many': round(rolledMs / rolled),
      'ms of rolling up, an answer alone': round(lonely / 200),
    },
  };
}

const round = (value: number): number => Number(value.toFixed(3));

const answering = await startAnswering();
try {
  const { reads, details } = await measureSeries(answering);
  printResult('monitoring', { machine: describeMachine(), rows: reads, ...details });
} finally {
  await answering.stop();
}
