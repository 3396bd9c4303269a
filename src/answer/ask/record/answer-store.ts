import { EVERYBODY, type Groups } from '../../../kernel/caller.js';
import { newId, type Uuid, type WorkspaceId } from '../../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../../kernel/pagination.js';
import { storable } from '../../../kernel/text.js';
import { Prisma, type Database, type Transaction } from '../../../platform/database/index.js';
import type { TaskKind } from '../../../sources/data/index.js';
import { sourceOf } from '../../../sources/knowledge/index.js';
import {
  confidenceOf,
  storedBody,
  type Answer,
  type AnswerBody,
  type AnswerStatus,
  type Assignment,
  type AssignmentKind,
  type FinishedAnswer,
} from '../answer.js';
import type { Strategy } from '../strategies.js';
import type { AnswerMeasures } from '../route/assignment.js';
import type { AskedBefore } from '../question.js';
import { conditionsOf, type AnswerFilter } from './answer-filter.js';
import { DELETED_TEXT, type ErasedAnswers, type FollowersOf, type OnErasure } from './on-erasure.js';

/** What an answer is recorded under before it exists. */
export interface NewAnswer {
  workspaceId: WorkspaceId;
  requestId: string;
  inputDigest: string;
  question: string;
  conversationId: string | null;
  /** `lineId` of the API key that asks; null where a request needs no key. */
  askedBy: Uuid | null;
}

/** What an answer is made with. */
export type MadeWith = Pick<AnswerBody, 'variant' | 'adapter'> & { strategy: Strategy };

/** Why there is no answer. */
export interface Failure {
  status: 'FAILED' | 'CANCELLED';
  code: string;
  message: string;
  /** What it would have been made with; null where that wasn't planned yet. */
  planned: MadeWith | null;
}

/** `behind`: the questions that the answered one was put behind, and so holds. */
export type AnswerOutcome = { finished: FinishedAnswer; behind?: readonly AskedBefore[] } | Failure;

/** Whose conversation is looked back on. */
interface AskerOf {
  workspaceId: WorkspaceId;
  conversationId: string;
  askedBy: Uuid | null;
  groups: Groups;
}

/** The right to write one answer: others keep away until `lease_until`, and whoever took it over has another owner. */
export interface AnswerLease {
  id: Uuid;
  owner: Uuid;
  createdAt: Date;
}

/** An answer under a request id of its own, which nobody else can have. */
interface Unclaimed extends NewAnswer {
  id: Uuid;
  createdAt: Date;
}

/** What already stands under a request id. */
interface Standing {
  status: AnswerStatus;
  inputDigest: string;
  answer: Answer | null;
}

/** What people said of an answer, counted. */
interface FeedbackCounts {
  id: string;
  /** Standing ones: those that no later one of the same source replaces. */
  count: number;
  /** Of those, how many say that the answer is wrong. */
  wrong: number;
  /** Whether they contradict each other. */
  disputed: boolean;
}

/** How long a gateway that was killed keeps its unfinished answer from others; it renews well before. */
export const LEASE_SECONDS = 30;

interface AnswerRow {
  id: string;
  workspaceId: string;
  requestId: string;
  inputDigest: string;
  status: AnswerStatus;
  question: string;
  text: string;
  conversationId: string | null;
  task: TaskKind;
  body: unknown;
  createdAt: Date;
  assignmentKind: AssignmentKind | null;
  assignmentSubject: string;
  assignmentArm: string;
  assignmentStage: number;
  assignmentBucket: number;
  assignmentProbability: number;
  assignmentForced: boolean;
  unitHash: string | null;
}

const COLUMNS = `id, workspace_id AS "workspaceId", request_id AS "requestId", input_digest AS "inputDigest", status, question,
  text, conversation_id AS "conversationId", task, body, created_at AS "createdAt", assignment_kind AS "assignmentKind",
  assignment_subject AS "assignmentSubject", assignment_arm AS "assignmentArm", assignment_stage AS "assignmentStage",
  assignment_bucket AS "assignmentBucket", assignment_probability AS "assignmentProbability",
  assignment_forced AS "assignmentForced", unit_hash AS "unitHash"`;

/** What a settled answer says of itself in columns: the last is its number among those that count for what they were drawn into. */
const TOLD = ['latency_ms', 'assignment_kind', 'assignment_subject', 'assignment_arm', 'assignment_stage']
  .concat(['assignment_bucket', 'assignment_probability', 'assignment_forced', 'unit_hash', 'assignment_sequence'])
  .join(', ');

/** The values of `TOLD`, of which eight are those of the assignment, from this parameter on. */
const toldFrom = (first: number): string => {
  const places = Array.from({ length: 9 }, (_, i) => `$${first + i}`);
  const [latency, kind, subject, arm, stage, bucket, probability, forced, unit] = places;
  return `${latency}::real, ${kind}::text, ${subject}::uuid, ${arm}::text, ${stage}::integer,
    ${bucket}::double precision, ${probability}::double precision, ${forced}::boolean, ${unit}::text,
    CASE WHEN ${forced} IS FALSE THEN nextval('answer_assignment_sequence') END`;
};

function measureColumns({ assignment, latencyMs }: AnswerMeasures): unknown[] {
  const { kind, subjectId, arm, stage, bucket, probability, forced, unitHash } = assignment ?? NO_ASSIGNMENT;
  return [latencyMs, kind, subjectId, arm, stage, bucket, probability, forced, unitHash];
}

/** What an answer read, from the sources that it quotes and the ids of its passages: these two parameters on. */
const readFrom = (first: number): string => `ARRAY(
  SELECT unnest($${first}::text[]) UNION
  SELECT k.name || '/' || d.name FROM chunk c JOIN document d ON d.id = c.document_id JOIN collection k ON k.id = d.collection_id
   WHERE c.id = ANY($${first + 1}::uuid[]))`;

/**
 * Keeps the answers that one was put behind (ids in this parameter) from being erased until it is written; those that are erased are missing.
 * Its own row (id in $1) is locked in its turn among them, as whoever erases locks them: one that is made again is older than what was asked since.
 */
const holdBehind = (ids: number): string =>
  `WITH behind AS (SELECT id FROM answer WHERE id = ANY($${ids}::uuid[]) OR id = $1 ORDER BY id FOR KEY SHARE)`;

/** The body in this parameter; once an answer that it was put behind is erased, without the questions that it holds. */
const bodyBehind = (body: number, ids: number): string =>
  `CASE WHEN (SELECT count(*) FROM behind WHERE id <> $1) < cardinality($${ids}::uuid[]) THEN $${body}::jsonb - 'askedAs' ELSE $${body}::jsonb END`;

/** That a reader of these groups may see every document that an answer read. */
const seenByGroups = (groups: Prisma.Sql): Prisma.Sql => Prisma.sql`NOT EXISTS (
  SELECT 1 FROM document_label l
   WHERE l.workspace_id = answer.workspace_id AND l.source = ANY(answer.read_from) AND NOT l.access && ${groups})`;

/** The same of the groups in this parameter; null: of all. */
const seenBy = (place: number): string =>
  `($${place}::text[] IS NULL OR ${seenByGroups(Prisma.raw(`$${place}::text[]`)).sql})`;

const NO_ASSIGNMENT: { [Name in keyof Assignment]: null } = {
  kind: null,
  subjectId: null,
  arm: null,
  stage: null,
  bucket: null,
  probability: null,
  forced: null,
  unitHash: null,
};

/**
 * All SQL of the `answer` table. An answer under a caller's request id is RUNNING under a lease, then COMPLETE, FAILED or
 * CANCELLED. What failed or was cancelled, and what a dead gateway left RUNNING, may be taken up again under the same request
 * id with the same input. Any other answer gets its row when it is settled.
 */
export class AnswerStore {
  readonly #onErasure: OnErasure[] = [];
  readonly #followers: FollowersOf[] = [];

  constructor(private readonly database: Database) {}

  /** What hangs on answers goes with them: `hook` works in the transaction that deletes them or blanks their text. */
  onErasure(hook: OnErasure): void {
    this.#onErasure.push(hook);
  }

  /** What was shown an answer's words loses its own where a document's words are erased from that one. */
  onFollowing(followers: FollowersOf): void {
    this.#followers.push(followers);
  }

  /** Tells whoever has something that hangs on answers that these are being erased, and those that were shown their words. */
  async erasing(tx: Transaction, { ids: erasedIds, ...erased }: ErasedAnswers): Promise<void> {
    if (erasedIds.length === 0) return;
    const lists = erased.kept ? await Promise.all(this.#followers.map((followers) => followers(tx, erasedIds))) : [];
    const followerIds = lists.flat();
    if (followerIds.length > 0)
      await tx.$executeRaw`
        UPDATE answer SET text = ${DELETED_TEXT}
         WHERE workspace_id = ${erased.workspaceId}::uuid AND id = ANY(${followerIds}::uuid[]) AND text <> ''`;
    for (const hook of this.#onErasure) await hook(tx, { ...erased, ids: [...erasedIds, ...followerIds] });
  }

  /** @returns null when the request id is taken: by another input, by a complete answer, or by a gateway that still works on it */
  async claim(answer: NewAnswer): Promise<AnswerLease | null> {
    const owner = newId();
    const { rows } = await this.database.pool.query<{ id: Uuid; createdAt: Date }>({
      name: 'ask-claim',
      text: `INSERT INTO answer (id, workspace_id, request_id, input_digest, status, question, conversation_id, asked_by, lease_owner, lease_until)
             VALUES ($1, $2, $3, $4, 'RUNNING', $5, $6, $7, $8, now() + make_interval(secs => $9))
             ON CONFLICT (workspace_id, request_id) DO UPDATE
               SET status = 'RUNNING', lease_owner = EXCLUDED.lease_owner, lease_until = EXCLUDED.lease_until,
                   error_code = NULL, error_message = NULL, finished_at = NULL
             WHERE answer.input_digest = EXCLUDED.input_digest AND
               (answer.status IN ('FAILED', 'CANCELLED') OR (answer.status = 'RUNNING' AND answer.lease_until < now()))
             RETURNING id, created_at AS "createdAt"`,
      values: [
        newId(),
        answer.workspaceId,
        answer.requestId,
        answer.inputDigest,
        answer.question,
        answer.conversationId,
        answer.askedBy,
        owner,
        LEASE_SECONDS,
      ],
    });
    const row = rows[0];
    return row === undefined ? null : { ...row, owner };
  }

  async standing(workspaceId: WorkspaceId, requestId: string): Promise<Standing | null> {
    const { rows } = await this.database.pool.query<AnswerRow>({
      name: 'ask-standing',
      text: `SELECT ${COLUMNS} FROM answer WHERE workspace_id = $1 AND request_id = $2`,
      values: [workspaceId, requestId],
    });
    const row = rows[0];
    if (row === undefined) return null;
    const { status, inputDigest } = row;
    return { status, inputDigest, answer: status === 'COMPLETE' ? toAnswer(row) : null };
  }

  /** @returns whether the lease still held */
  async renew({ id, owner }: AnswerLease): Promise<boolean> {
    const { rowCount } = await this.database.pool.query({
      name: 'ask-renew',
      text: `UPDATE answer SET lease_until = now() + make_interval(secs => $3)
              WHERE id = $1 AND lease_owner = $2 AND status = 'RUNNING'`,
      values: [id, owner, LEASE_SECONDS],
    });
    return rowCount === 1;
  }

  /** @returns whether it was recorded: false when another gateway took it over */
  async complete(
    { id, owner }: AnswerLease,
    finished: FinishedAnswer,
    measures: AnswerMeasures,
    earlierQuestions: readonly AskedBefore[] = [],
  ): Promise<boolean> {
    const { rowCount } = await this.database.pool.query({
      name: 'ask-complete',
      text: `${holdBehind(23)}
             UPDATE answer SET status = 'COMPLETE', text = $3, abstained = $4, strategy = $5, variant_id = $6,
                    configuration_digest = $7, body = ${bodyBehind(8, 23)}, adapter_version_id = $9, task = $10, confidence = $11,
                    read_from = ${readFrom(12)}, lease_until = NULL, finished_at = now(), (${TOLD}) = ROW(${toldFrom(14)})
              WHERE id = $1 AND lease_owner = $2 AND status = 'RUNNING'`,
      values: [
        id,
        owner,
        ...finishedValues(finished, earlierQuestions),
        ...measureColumns(measures),
        idsOf(earlierQuestions),
      ],
    });
    return rowCount === 1;
  }

  /** Records at once what nobody could join. */
  async add(answer: Unclaimed, outcome: AnswerOutcome, measures: AnswerMeasures): Promise<void> {
    const earlierQuestions = 'finished' in outcome ? (outcome.behind ?? []) : [];
    const planColumns = plannedColumns('finished' in outcome ? null : outcome.planned);
    await this.database.pool.query({
      name: 'ask-add',
      text: `${holdBehind(32)}
             INSERT INTO answer (id, workspace_id, request_id, input_digest, question, conversation_id, created_at, finished_at,
                    status, text, abstained, strategy, variant_id, configuration_digest, body, adapter_version_id,
                    task, confidence, read_from, error_code, error_message, asked_by, ${TOLD})
             VALUES ($1, $2, $3, $4, $5, $6, $7, now(), $8, $9, $10, $11, $12, $13, ${bodyBehind(14, 32)}, $15, $16, $17, ${readFrom(18)},
                     $20, $21, $22, ${toldFrom(23)})`,
      values: [
        answer.id,
        answer.workspaceId,
        answer.requestId,
        answer.inputDigest,
        answer.question,
        answer.conversationId,
        answer.createdAt,
        ...('finished' in outcome
          ? ['COMPLETE', ...finishedValues(outcome.finished, earlierQuestions), null, null]
          : [
              outcome.status,
              '',
              false,
              planColumns.strategy,
              planColumns.variantId,
              null,
              planColumns.body,
              planColumns.adapterVersionId,
              null,
              null,
              [],
              [],
              outcome.code,
              outcome.message,
            ]),
        answer.askedBy,
        ...measureColumns(measures),
        idsOf(earlierQuestions),
      ],
    });
  }

  async fail({ id, owner }: AnswerLease, failure: Failure, measures: AnswerMeasures): Promise<void> {
    const { status, code, message } = failure;
    const { strategy, variantId, adapterVersionId, body } = plannedColumns(failure.planned);
    await this.database.pool.query({
      name: 'ask-fail',
      text: `UPDATE answer SET status = $3, error_code = $4, error_message = $5, lease_until = NULL, finished_at = now(),
                    strategy = $6, variant_id = $7, adapter_version_id = $8, body = $9, (${TOLD}) = ROW(${toldFrom(10)})
              WHERE id = $1 AND lease_owner = $2 AND status = 'RUNNING'`,
      values: [
        id,
        owner,
        status,
        code,
        message,
        strategy,
        variantId,
        adapterVersionId,
        body,
        ...measureColumns(measures),
      ],
    });
  }

  /**
   * What one caller asked before in a conversation, oldest first: of complete answers that the caller may see.
   * @param limit of the newest ones
   */
  async askedBefore({ workspaceId, conversationId, askedBy, groups }: AskerOf, limit: number): Promise<AskedBefore[]> {
    const { rows } = await this.database.pool.query<AskedBefore>({
      name: 'ask-asked-before',
      text: `SELECT id, question, read_from AS "readFrom" FROM answer
              WHERE workspace_id = $1 AND conversation_id = $2 AND asked_by IS NOT DISTINCT FROM $3::uuid AND status = 'COMPLETE' AND ${seenBy(4)}
              ORDER BY id DESC LIMIT $5`,
      values: [workspaceId, conversationId, askedBy, groups, limit],
    });
    return rows.reverse();
  }

  /** Deletes the answers that were told what is known of an entity. @returns how many */
  forget(workspaceId: WorkspaceId, entity: string): Promise<number> {
    return this.#delete(workspaceId, Prisma.sql`body->'features' @> ${JSON.stringify([{ entity }])}::jsonb`);
  }

  /** Deletes answers by row id, or all of a conversation, of those that a reader of the groups may see. @returns how many */
  remove(
    workspaceId: WorkspaceId,
    { ids, conversationId }: { ids: readonly string[]; conversationId: string | null },
    groups: Groups,
  ): Promise<number> {
    const visibility = groups === null ? Prisma.sql`TRUE` : seenByGroups(Prisma.sql`${groups}::text[]`);
    return this.#delete(
      workspaceId,
      Prisma.sql`((id = ANY(${ids}::uuid[]) OR conversation_id = ${conversationId}) AND ${visibility})`,
    );
  }

  #delete(workspaceId: WorkspaceId, condition: Prisma.Sql): Promise<number> {
    return this.database.prisma.$transaction(async (tx) => {
      // All rows that change are locked at once and in one order, as whoever completes one locks them; and one deletion goes after another, as what
      // was asked meanwhile behind an answer that goes changes, too, whose turn may be over.
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`answers deleted ${workspaceId}`}, 0))`;
      const rows = await tx.$queryRaw<{ id: string; conversation: string | null; gone: boolean | null }[]>`
        SELECT id, conversation_id AS conversation, (${condition}) AS gone FROM answer
         WHERE workspace_id = ${workspaceId}::uuid AND id IN (
           SELECT id FROM answer WHERE workspace_id = ${workspaceId}::uuid AND ${condition}
           UNION
           SELECT id FROM answer WHERE workspace_id = ${workspaceId}::uuid AND body ? 'askedAs' AND conversation_id IN (
             SELECT conversation_id FROM answer WHERE workspace_id = ${workspaceId}::uuid AND ${condition}))
         ORDER BY id FOR UPDATE`;
      const deletedRows = rows.filter((row) => row.gone === true);
      const ids = deletedRows.map(({ id }) => id);
      const talks = [
        ...new Set(deletedRows.flatMap(({ conversation }) => (conversation === null ? [] : [conversation]))),
      ];
      // What is deleted stands in the follow-ups that were put behind it, too.
      await tx.$executeRaw`
        UPDATE answer SET body = body - 'askedAs'
         WHERE workspace_id = ${workspaceId}::uuid AND conversation_id = ANY(${talks}::text[]) AND body ? 'askedAs'`;
      await this.erasing(tx, { workspaceId, ids, kept: false });
      return tx.$executeRaw`DELETE FROM answer WHERE id = ANY(${ids}::uuid[])`;
    });
  }

  /** Keeps others from deleting these answers until the transaction ends. @returns the complete ones, by row id */
  async hold(tx: Transaction, workspaceId: WorkspaceId, ids: readonly string[]): Promise<Map<string, Answer>> {
    const rows = await tx.$queryRaw<AnswerRow[]>`
      SELECT ${Prisma.raw(COLUMNS)} FROM answer
       WHERE workspace_id = ${workspaceId}::uuid AND id = ANY(${ids}::uuid[]) AND status = 'COMPLETE'
       ORDER BY id FOR NO KEY UPDATE`;
    return new Map(rows.map((row) => [row.id, toAnswer(row)]));
  }

  /** Writes down how often feedback was given to answers, which `list` filters by, and numbers it for the tests that they count for. */
  async noteFeedback(tx: Transaction, counts: readonly FeedbackCounts[]): Promise<void> {
    await tx.$executeRaw`
      UPDATE answer SET feedback_count = told.count, feedback_wrong = told.wrong, disputed = told.disputed,
             feedback_sequence = CASE WHEN assignment_sequence IS NOT NULL THEN nextval('answer_assignment_sequence') END
        FROM jsonb_to_recordset(${JSON.stringify(counts)}::jsonb) AS told (id uuid, count int, wrong int, disputed boolean)
       WHERE answer.id = told.id`;
  }

  /** Complete answers by row id; those of other workspaces are missing, and those that read what such a reader may not see. */
  async byIds(
    workspaceId: WorkspaceId,
    ids: readonly string[],
    groups: Groups = EVERYBODY,
  ): Promise<Map<string, Answer>> {
    const { rows } = await this.database.pool.query<AnswerRow>({
      name: 'ask-by-ids',
      text: `SELECT ${COLUMNS} FROM answer WHERE workspace_id = $1 AND id = ANY($2::uuid[]) AND status = 'COMPLETE' AND ${seenBy(3)}`,
      values: [workspaceId, ids, groups],
    });
    return new Map(rows.map((row) => [row.id, toAnswer(row)]));
  }

  /** Complete answers that such a reader may see, newest first; the cursor is `encodeCursor([answer.id])`. */
  async list(
    workspaceId: WorkspaceId,
    filter: AnswerFilter,
    page: PageRequest,
    groups: Groups = EVERYBODY,
  ): Promise<Page<Answer>> {
    const { where, values } = conditionsOf(filter, 5);
    const { rows } = await this.database.pool.query<AnswerRow>(
      `SELECT ${COLUMNS} FROM answer
        WHERE ${["workspace_id = $1 AND status = 'COMPLETE' AND ($2::uuid IS NULL OR id < $2)", seenBy(4), ...where].join(' AND ')}
        ORDER BY id DESC LIMIT $3`,
      [workspaceId, page.after === null ? null : idCursor(page.after), page.first + 1, groups, ...values],
    );
    return toPage(rows.map(toAnswer), page.first);
  }
}

/** What a failure says of what it was planned with: series and rules are split and narrowed by it. */
const plannedColumns = (plan: MadeWith | null) => ({
  strategy: plan?.strategy ?? null,
  variantId: plan?.variant.id ?? null,
  adapterVersionId: plan?.adapter?.versionId ?? null,
  body: plan === null ? '{}' : JSON.stringify({ variant: plan.variant, adapter: plan.adapter }),
});

/** text, abstained, strategy, variant_id, configuration_digest, body, adapter_version_id, task, confidence, and the two of `readFrom` */
const finishedValues = (
  { text, task, ...body }: FinishedAnswer,
  earlierQuestions: readonly AskedBefore[],
): unknown[] => [
  storable(text),
  body.abstention !== null,
  body.route.strategy,
  body.variant.id,
  body.configuration.digest,
  // No text of ours has what PostgreSQL refuses, but a model's might.
  JSON.stringify(storedBody.encode(body), (_, value: unknown) => (typeof value === 'string' ? storable(value) : value)),
  body.adapter?.versionId ?? null,
  task,
  confidenceOf(body),
  sourcesOf(body, earlierQuestions),
  body.passages.map(({ chunkId }) => chunkId),
];

/** What it quotes, and what was read for the questions that it holds: who may not see those must not see it either. */
const sourcesOf = ({ evidence, citations }: AnswerBody, earlierQuestions: readonly AskedBefore[]): string[] => {
  const quoted = [...evidence, ...citations].map((span) => sourceOf(span.collectionName, span.documentName));
  return [...new Set([...quoted, ...earlierQuestions.flatMap(({ readFrom }) => readFrom)])];
};

const idsOf = (earlierQuestions: readonly AskedBefore[]): string[] => earlierQuestions.map(({ id }) => id);

const toAnswer = (row: AnswerRow): Answer => {
  const { id, workspaceId, requestId, question, text, conversationId, task, createdAt } = row;
  return {
    ...storedBody.decode(row.body),
    id,
    workspaceId,
    requestId,
    question,
    text,
    conversationId,
    task,
    createdAt,
    assignment: toAssignment(row),
  };
};

const toAssignment = ({ assignmentKind: kind, unitHash, ...row }: AnswerRow): Assignment | null =>
  kind && {
    kind,
    unitHash,
    subjectId: row.assignmentSubject,
    arm: row.assignmentArm,
    stage: row.assignmentStage,
    bucket: row.assignmentBucket,
    probability: row.assignmentProbability,
    forced: row.assignmentForced,
  };
