import type { AnswerStore } from '../../answer/ask/index.js';
import type { Uuid, WorkspaceId } from '../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../kernel/pagination.js';
import type { Database, Transaction } from '../../platform/database/index.js';
import { Prisma } from '../../platform/database/index.js';
import { storedExpectation, type Expectation } from './expectation.js';
import {
  LATE_DAYS,
  SHOWING_KINDS,
  type CheckedFeedback,
  type Feedback,
  type FeedbackFigures,
  type FeedbackKind,
  type GivenSource,
  type SourceKind,
} from './feedback.js';
import { idempotencyKey, standingKey, type ExistingFeedback, type StandingRow, type Write } from './plan-writes.js';
import type { Statement } from './votes.js';

export interface FeedbackFilter {
  kind?: FeedbackKind | null;
  sourceKind?: SourceKind | null;
  sourceName?: string | null;
  /** Row id. */
  answerId?: string | null;
  conversationId?: string | null;
  /** Only what no later one replaced (true), or only what one did (false). */
  standing?: boolean | null;
  late?: boolean | null;
}

type Row = Omit<Feedback, 'expectation'> & { expectation: unknown };

const COLUMNS =
  Prisma.raw(`id, answer_id AS "answerId", conversation_id AS "conversationId", kind, source_kind AS "sourceKind",
  source_name AS "sourceName", given_by AS "givenBy", given_by_name AS "givenByName", score, comment, expectation, agrees, verdict, late, overrides_id AS "overridesId",
  superseded_at AS "supersededAt", erased_at AS "erasedAt", created_at AS "createdAt"`);

const toFeedback = (row: Row): Feedback => ({ ...row, expectation: storedExpectation.decode(row.expectation) });

/** Feedback of a call that is about one thing, as its columns. */
export interface FeedbackColumns {
  agrees: boolean | null;
  verdict: string | null;
  /** As it fits the answer. */
  expectation: Expectation | null;
}

/** Most feedback that is shown of one answer. */
const SHOWN = 100;

/** All SQL of the table `feedback`. */
export class FeedbackStore {
  constructor(
    private readonly database: Database,
    private readonly answers: AnswerStore,
  ) {}

  within<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.prisma.$transaction(work);
  }

  /** Keeps others from writing feedback on these conversations until the transaction ends. @returns those that have answers */
  async holdConversations(
    tx: Transaction,
    workspaceId: WorkspaceId,
    conversations: readonly string[],
  ): Promise<Set<string>> {
    if (conversations.length === 0) return new Set();
    for (const conversation of [...conversations].sort())
      await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`feedback ${workspaceId} ${conversation}`}, 0))::text`;
    const rows = await tx.$queryRaw<{ id: string }[]>`
      SELECT DISTINCT conversation_id AS id FROM answer
       WHERE workspace_id = ${workspaceId}::uuid AND conversation_id = ANY(${[...conversations]}::text[]) AND status = 'COMPLETE'`;
    return new Set(rows.map(({ id }) => id));
  }

  /** What stands on the same things, and under the same keys. */
  async known(
    tx: Transaction,
    workspaceId: WorkspaceId,
    entries: readonly CheckedFeedback[],
  ): Promise<ExistingFeedback> {
    type Found = StandingRow & Pick<CheckedFeedback, 'answerId' | 'conversationId' | 'kind'> & SourceColumns;
    const standing = await tx.$queryRaw<Found[]>`
      SELECT id, digest, answer_id AS "answerId", conversation_id AS "conversationId", kind, source_kind AS "sourceKind",
             source_name AS "sourceName", given_by AS "givenBy"
        FROM feedback WHERE workspace_id = ${workspaceId}::uuid AND superseded_at IS NULL
         AND (answer_id = ANY(${given(entries, 'answerId')}::uuid[])
              OR (answer_id IS NULL AND conversation_id = ANY(${given(entries, 'conversationId')}::text[])))`;
    const keyed = await tx.$queryRaw<(StandingRow & SourceColumns & { key: string })[]>`
      SELECT id, digest, key, source_kind AS "sourceKind", source_name AS "sourceName", given_by AS "givenBy" FROM feedback
       WHERE workspace_id = ${workspaceId}::uuid AND key = ANY(${given(entries, 'key')}::text[])`;
    return {
      standing: new Map(standing.map((row) => [standingKey({ ...row, source: sourceOf(row) }), row])),
      keyed: new Map(keyed.map((row) => [idempotencyKey({ source: sourceOf(row), key: row.key }), row])),
    };
  }

  async supersede(tx: Transaction, ids: readonly Uuid[]): Promise<void> {
    if (ids.length > 0)
      await tx.$executeRaw`UPDATE feedback SET superseded_at = now() WHERE id = ANY(${[...ids]}::uuid[])`;
  }

  /** One statement, however many. */
  async insert(
    tx: Transaction,
    workspaceId: WorkspaceId,
    writes: readonly (Write & FeedbackColumns & { answeredAt: Date | null })[],
  ): Promise<void> {
    const rows = writes.map(({ id, feedback, overridesId, superseded, agrees, verdict, expectation, answeredAt }) => ({
      id,
      answer_id: feedback.answerId,
      conversation_id: feedback.conversationId,
      kind: feedback.kind,
      source_kind: feedback.source.kind,
      source_name: feedback.source.name,
      key: feedback.key,
      given_by: feedback.source.givenBy,
      given_by_name: feedback.source.givenByName,
      digest: feedback.digest,
      score: feedback.score,
      comment: feedback.comment,
      agrees,
      verdict,
      expectation: storedExpectation.encode(expectation),
      overrides_id: overridesId,
      superseded,
      answered_at: answeredAt,
    }));
    await tx.$executeRaw`
      INSERT INTO feedback (id, workspace_id, answer_id, conversation_id, kind, source_kind, source_name, given_by, given_by_name, key, digest, score,
                            comment, expectation, agrees, verdict, overrides_id, superseded_at, late)
      SELECT id, ${workspaceId}::uuid, answer_id, conversation_id, kind, source_kind, source_name, given_by, given_by_name, key, digest, score,
             comment, expectation, agrees, verdict, overrides_id, CASE WHEN superseded THEN now() END,
             coalesce(answered_at < now() - make_interval(days => ${LATE_DAYS}), false)
        FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS told (
          id uuid, answer_id uuid, conversation_id text, kind text, source_kind text, source_name text, given_by text, given_by_name text, key text, digest text,
          score float4, comment text, expectation jsonb, agrees boolean, verdict text, overrides_id uuid, superseded boolean,
          answered_at timestamptz)`;
  }

  /** Counts the feedback on these answers anew, for who lists answers by it. */
  async recount(tx: Transaction, answerIds: readonly string[]): Promise<void> {
    if (answerIds.length === 0) return;
    const counts = await tx.$queryRaw<{ id: string; count: number; wrong: number; disputed: boolean }[]>`
      SELECT told.id, count(f.id)::int AS count, (count(*) FILTER (WHERE NOT f.agrees))::int AS wrong,
             coalesce(bool_or(f.agrees) AND NOT bool_and(f.agrees), false)
               OR count(DISTINCT f.verdict) FILTER (WHERE f.kind = ANY(${SHOWING_KINDS})) > 1 AS disputed
        FROM unnest(${[...new Set(answerIds)]}::uuid[]) AS told (id)
        LEFT JOIN feedback f ON f.answer_id = told.id AND f.superseded_at IS NULL GROUP BY told.id`;
    await this.answers.noteFeedback(tx, counts);
  }

  /** Takes away what was said of these answers; that it was given, by whom and how it judged stays. */
  async blank(tx: Transaction, answerIds: readonly string[]): Promise<void> {
    await tx.$executeRaw`
      UPDATE feedback SET comment = NULL, expectation = NULL, erased_at = now()
       WHERE answer_id = ANY(${[...answerIds]}::uuid[]) AND erased_at IS NULL AND (comment IS NOT NULL OR expectation IS NOT NULL)`;
  }

  /** Deletes what was said of these answers, and of conversations of which no other answer is left. */
  async removeOn(tx: Transaction, workspaceId: WorkspaceId, answerIds: readonly string[]): Promise<void> {
    await tx.$executeRaw`DELETE FROM feedback WHERE answer_id = ANY(${[...answerIds]}::uuid[])`;
    await tx.$executeRaw`
      DELETE FROM feedback WHERE workspace_id = ${workspaceId}::uuid AND answer_id IS NULL AND conversation_id IN (
        SELECT conversation_id FROM answer WHERE id = ANY(${[...answerIds]}::uuid[])
        EXCEPT SELECT conversation_id FROM answer WHERE workspace_id = ${workspaceId}::uuid AND id <> ALL(${[...answerIds]}::uuid[]))`;
  }

  /** Deletes what a source said, whatever it is. @returns how much */
  async removeOf(tx: Transaction, workspaceId: WorkspaceId, sourceName: string): Promise<number> {
    // Answers before what was said of them, as whoever says something locks them.
    await tx.$executeRaw`
      SELECT 1 FROM answer WHERE id IN (
        SELECT answer_id FROM feedback WHERE workspace_id = ${workspaceId}::uuid AND source_name = ${sourceName})
       ORDER BY id FOR NO KEY UPDATE`;
    const deletedRows = await tx.$queryRaw<{ answerId: string | null }[]>`
      DELETE FROM feedback WHERE workspace_id = ${workspaceId}::uuid AND source_name = ${sourceName} RETURNING answer_id AS "answerId"`;
    // Who signs in speaks under a source's name, and is known by another.
    await tx.$executeRaw`
      UPDATE feedback SET given_by_name = NULL WHERE workspace_id = ${workspaceId}::uuid AND given_by_name = ${sourceName}`;
    await this.recount(
      tx,
      deletedRows.flatMap(({ answerId }) => answerId ?? []),
    );
    return deletedRows.length;
  }

  async byIds(workspaceId: WorkspaceId, ids: readonly string[]): Promise<Map<string, Feedback>> {
    const rows = await this.database.prisma.$queryRaw<Row[]>`
      SELECT ${COLUMNS} FROM feedback WHERE workspace_id = ${workspaceId}::uuid AND id = ANY(${[...ids]}::uuid[])`;
    return new Map(rows.map((row) => [row.id, toFeedback(row)]));
  }

  /** What stands on each of these answers, newest first: one statement for any number of them. */
  async ofAnswers(workspaceId: WorkspaceId, answerIds: readonly string[]): Promise<Map<string, Feedback[]>> {
    const rows = await this.database.prisma.$queryRaw<Row[]>`
      SELECT ${COLUMNS} FROM (
        SELECT *, row_number() OVER (PARTITION BY answer_id ORDER BY id DESC) AS place FROM feedback
         WHERE workspace_id = ${workspaceId}::uuid AND answer_id = ANY(${[...answerIds]}::uuid[]) AND superseded_at IS NULL) AS f
       WHERE place <= ${SHOWN} ORDER BY id DESC`;
    const byAnswer = new Map<string, Feedback[]>(answerIds.map((id) => [id, []]));
    for (const row of rows) byAnswer.get(row.answerId!)!.push(toFeedback(row));
    return byAnswer;
  }

  /** Newest first; the cursor is `encodeCursor([feedback.id])`. */
  async list(workspaceId: WorkspaceId, filter: FeedbackFilter, page: PageRequest): Promise<Page<Feedback>> {
    const where = [Prisma.sql`workspace_id = ${workspaceId}::uuid`];
    const add = (value: unknown, condition: Prisma.Sql) => {
      if (value !== null && value !== undefined) where.push(condition);
    };
    if (page.after !== null) where.push(Prisma.sql`id < ${idCursor(page.after)}::uuid`);
    add(filter.kind, Prisma.sql`kind = ${filter.kind}`);
    add(filter.sourceKind, Prisma.sql`source_kind = ${filter.sourceKind}`);
    add(filter.sourceName, Prisma.sql`source_name = ${filter.sourceName}`);
    add(filter.answerId, Prisma.sql`answer_id = ${filter.answerId}::uuid`);
    add(filter.conversationId, Prisma.sql`conversation_id = ${filter.conversationId}`);
    add(filter.standing, Prisma.sql`(superseded_at IS NULL) = ${filter.standing}`);
    add(filter.late, Prisma.sql`late = ${filter.late}`);
    const rows = await this.database.prisma.$queryRaw<Row[]>`
      SELECT ${COLUMNS} FROM feedback WHERE ${Prisma.join(where, ' AND ')} ORDER BY id DESC LIMIT ${page.first + 1}`;
    return toPage(rows.map(toFeedback), page.first);
  }

  async figures(workspaceId: WorkspaceId): Promise<FeedbackFigures> {
    const [row] = await this.database.prisma.$queryRaw<FeedbackFigures[]>`
      SELECT count(*)::int AS total, (count(*) FILTER (WHERE superseded_at IS NULL))::int AS standing,
             (count(*) FILTER (WHERE late))::int AS late,
             (count(*) FILTER (WHERE agrees AND superseded_at IS NULL))::int AS right,
             (count(*) FILTER (WHERE NOT agrees AND superseded_at IS NULL))::int AS wrong,
             (count(*) FILTER (WHERE kind = ANY(${SHOWING_KINDS}) AND superseded_at IS NULL))::int AS expectations,
             (SELECT count(*) FROM answer WHERE workspace_id = ${workspaceId}::uuid AND feedback_count > 0)::int AS answers,
             (SELECT count(*) FROM answer WHERE workspace_id = ${workspaceId}::uuid AND feedback_count > 0
                 AND (feedback_wrong > 0 OR disputed))::int AS disagreeing
        FROM feedback WHERE workspace_id = ${workspaceId}::uuid`;
    return row!;
  }

  /** What stands of the latest answers that several voters judged, in the order of answers and sources. */
  async statements(workspaceId: WorkspaceId, limit: number): Promise<(Statement & { answerId: string })[]> {
    return this.database.prisma.$queryRaw`
      WITH several AS (
        SELECT answer_id FROM feedback
         WHERE workspace_id = ${workspaceId}::uuid AND answer_id IS NOT NULL AND superseded_at IS NULL AND verdict IS NOT NULL
         GROUP BY answer_id HAVING count(DISTINCT ${VOTER}) > 1 ORDER BY answer_id DESC LIMIT ${limit})
      SELECT answer_id AS "answerId", source_kind AS "sourceKind", source_name AS "sourceName", given_by AS "givenBy", kind, verdict
        FROM feedback JOIN several USING (answer_id)
       WHERE superseded_at IS NULL AND verdict IS NOT NULL ORDER BY answer_id, given_by, source_kind, source_name, kind`;
  }

  /** Everybody who gave feedback, and how much of it stands. */
  async sources(
    workspaceId: WorkspaceId,
  ): Promise<(GivenSource & { given: number; standing: number; lastAt: Date })[]> {
    return this.database.prisma.$queryRaw`
      SELECT source_kind AS kind, source_name AS name, given_by AS "givenBy",
             (array_agg(given_by_name ORDER BY id DESC))[1] AS "givenByName", count(*)::int AS given,
             (count(*) FILTER (WHERE superseded_at IS NULL))::int AS standing, max(created_at) AS "lastAt"
        FROM feedback WHERE workspace_id = ${workspaceId}::uuid
       GROUP BY given_by, source_kind, source_name ORDER BY count(*) DESC, source_kind, source_name, given_by LIMIT 1000`;
  }
}

interface SourceColumns {
  sourceKind: SourceKind;
  sourceName: string;
  givenBy: string;
}

/** As `voterOf` tells them apart. */
const VOTER = Prisma.raw(`CASE WHEN given_by = '' THEN source_kind || ' ' || source_name ELSE given_by END`);

const sourceOf = ({ sourceKind, sourceName, givenBy }: SourceColumns) => ({
  kind: sourceKind,
  name: sourceName,
  givenBy,
});

const given = (entries: readonly CheckedFeedback[], name: 'answerId' | 'conversationId' | 'key'): string[] => [
  ...new Set(entries.flatMap((entry) => entry[name] ?? [])),
];
