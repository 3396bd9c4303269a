import { Prisma, type Transaction } from '../../../platform/database/index.js';
import type { AnswerFacts, FeedbackFacts } from './facts.js';
import type { SeriesKey } from './metric.js';

/** What an answer was made with, as its row and body say it. */
interface MadeWith {
  strategy: string | null;
  model: string | null;
  quantization: string | null;
  adapter: string | null;
  adapterVersion: string | null;
  collection: string | null;
  subject: string | null;
  arm: string | null;
}

interface OutboxRow extends MadeWith {
  workspaceId: string;
  answerId: string;
  at: Date;
  status: AnswerFacts['status'];
  errorCode: string | null;
  adapterVersionId: string | null;
  abstained: boolean | null;
  latencyMs: number | null;
  promptTokens: number | null;
  generatedTokens: number | null;
  computeMs: number | null;
  confidence: number | null;
  retrievalScore: number | null;
  label: string | null;
  repeats: boolean;
}

/** One roller at a time works on a database; who finds it taken has nothing to do. */
export async function tryLock(tx: Transaction): Promise<boolean> {
  const [row] = await tx.$queryRaw<{ locked: boolean }[]>`
    SELECT pg_try_advisory_xact_lock(hashtextextended('monitoring', 0)) AS locked`;
  return row!.locked;
}

/** Waits for whoever rolls up, and keeps others from it: what answers are held against must not change under them. */
export async function lock(tx: Transaction): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('monitoring', 0))`;
}

/** Whether `e` is a complete answer of the hour of `a`, and before it. */
const sameHour = Prisma.sql`e.status = 'COMPLETE' AND (e.created_at, e.id) < (a.created_at, a.id)
  AND e.created_at >= date_trunc('hour', a.created_at)`;

/**
 * Takes the oldest lines of the outbox, with what their answers say. Each line is taken by the one transaction that commits.
 * `body` is read once an answer: each operator on it would unpack it again.
 */
export async function takeAnswers(tx: Transaction, limit: number): Promise<AnswerFacts[]> {
  const rows = await tx.$queryRaw<OutboxRow[]>`
    WITH taken AS (
      DELETE FROM metric_outbox WHERE id IN (
        SELECT id FROM metric_outbox WHERE kind = 'ANSWER' ORDER BY id LIMIT ${limit} FOR UPDATE SKIP LOCKED)
      RETURNING id, workspace_id, subject_id, status, error_code, at)
    SELECT t.workspace_id AS "workspaceId", t.subject_id AS "answerId", t.at, t.status, t.error_code AS "errorCode",
           a.adapter_version_id AS "adapterVersionId", a.strategy, a.abstained,
           b.variant->>'model' AS model, b.variant->>'quantization' AS quantization,
           b.adapter->>'name' AS adapter, b.adapter->>'version' AS "adapterVersion",
           coalesce(b.citations->0->>'collectionName', b.evidence->0->>'collectionName') AS collection,
           a.assignment_subject::text AS subject, a.assignment_arm AS arm,
           coalesce(a.latency_ms, greatest(0, extract(epoch FROM t.at - a.created_at) * 1000))::float8 AS "latencyMs",
           (b.usage->>'promptTokens')::float8 AS "promptTokens",
           (b.usage->>'generatedTokens')::float8 AS "generatedTokens",
           (b.cost->>'computeMs')::float8 AS "computeMs",
           coalesce(a.confidence, (jsonb_path_query_first(b.output, '$.probabilities[*] ? (@.label == $label).probability',
                       jsonb_build_object('label', b.output->'label')))::float8, b.answerability) AS confidence,
           (b.evidence->0->'scores'->>'fused')::float8 AS "retrievalScore",
           b.output->>'label' AS label,
           EXISTS (SELECT 1 FROM answer e WHERE e.workspace_id = a.workspace_id AND e.conversation_id = a.conversation_id AND ${sameHour})
             OR EXISTS (SELECT 1 FROM answer e WHERE e.assignment_subject = a.assignment_subject AND e.unit_hash = a.unit_hash
                          AND ${sameHour}) AS repeats
      FROM taken t
      LEFT JOIN answer a ON a.id = t.subject_id AND a.workspace_id = t.workspace_id AND a.status = t.status
      LEFT JOIN LATERAL jsonb_to_record(a.body) AS b(variant jsonb, adapter jsonb, citations jsonb, evidence jsonb,
        usage jsonb, cost jsonb, output jsonb, answerability float8) ON true
     ORDER BY t.id`;
  return rows.map(factsOf);
}

/** Takes the oldest lines of the outbox that tell of feedback; what was erased since says nothing. */
export async function takeFeedback(tx: Transaction, limit: number): Promise<FeedbackFacts[]> {
  const rows = await tx.$queryRaw<(MadeWith & Omit<FeedbackFacts, 'key'>)[]>`
    WITH taken AS (
      DELETE FROM metric_outbox WHERE id IN (
        SELECT id FROM metric_outbox WHERE kind = 'FEEDBACK' ORDER BY id LIMIT ${limit} FOR UPDATE SKIP LOCKED)
      RETURNING id, workspace_id, subject_id, at)
    SELECT t.workspace_id AS "workspaceId", t.at, f.score::float8 AS score, f.agrees,
           a.confidence::float8 AS confidence, a.strategy, b.variant->>'model' AS model,
           b.variant->>'quantization' AS quantization, b.adapter->>'name' AS adapter,
           b.adapter->>'version' AS "adapterVersion",
           coalesce(b.citations->0->>'collectionName', b.evidence->0->>'collectionName') AS collection,
           a.assignment_subject::text AS subject, a.assignment_arm AS arm
      FROM taken t
      JOIN feedback f ON f.id = t.subject_id
      JOIN answer a ON a.id = f.answer_id AND a.workspace_id = t.workspace_id
      LEFT JOIN LATERAL jsonb_to_record(a.body) AS b(variant jsonb, adapter jsonb, citations jsonb, evidence jsonb) ON true
     ORDER BY t.id`;
  return rows.map((row) => ({ ...row, key: keyOf(row) }));
}

const keyOf = (row: MadeWith): SeriesKey => ({
  model: row.model === null ? '' : `${row.model}@${row.quantization ?? ''}`,
  adapter: row.adapter === null ? '' : `${row.adapter}@${row.adapterVersion ?? ''}`,
  strategy: row.strategy ?? '',
  collection: row.collection ?? '',
  subject: row.subject ?? '',
  arm: row.arm ?? '',
});

const factsOf = (row: OutboxRow): AnswerFacts => ({
  workspaceId: row.workspaceId,
  answerId: row.answerId,
  adapterVersionId: row.adapterVersionId,
  at: row.at,
  status: row.status,
  errorCode: row.errorCode,
  key: keyOf(row),
  latencyMs: row.latencyMs,
  abstained: row.abstained ?? false,
  promptTokens: row.promptTokens,
  generatedTokens: row.generatedTokens,
  computeMs: row.computeMs,
  confidence: row.confidence,
  retrievalScore: row.retrievalScore,
  label: row.label,
  repeats: row.repeats,
});
