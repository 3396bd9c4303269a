import { newId, type Uuid, type WorkspaceId } from '../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../kernel/pagination.js';
import type { Database } from '../../platform/database/index.js';
import { storedBody, type Answer, type AnswerStatus, type FinishedAnswer } from '../answer.js';
import type { Strategy } from '../strategies.js';

/** What an answer is recorded under before it exists. */
export interface NewAnswer {
  workspaceId: WorkspaceId;
  requestId: string;
  inputDigest: string;
  question: string;
  conversationId: string | null;
}

/** Why there is no answer. */
export interface Failure {
  status: 'FAILED' | 'CANCELLED';
  code: string;
  message: string;
}

export type Outcome = { finished: FinishedAnswer } | Failure;

/** The right to write one answer: others keep away until `lease_until`, and whoever took it over has another owner. */
export interface Lease {
  id: Uuid;
  owner: Uuid;
  createdAt: Date;
}

/** An answer under a request id of its own, which nobody else can have. */
export interface Unclaimed extends NewAnswer {
  id: Uuid;
  createdAt: Date;
}

/** What already stands under a request id. */
export interface Standing {
  status: AnswerStatus;
  inputDigest: string;
  answer: Answer | null;
}

export interface AnswerFilter {
  strategy?: Strategy | null;
  abstained?: boolean | null;
  conversationId?: string | null;
  /** Row id of the version that answered. */
  adapterVersionId?: string | null;
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
  body: unknown;
  createdAt: Date;
}

const COLUMNS = `id, workspace_id AS "workspaceId", request_id AS "requestId", input_digest AS "inputDigest", status, question,
  text, conversation_id AS "conversationId", body, created_at AS "createdAt"`;

/**
 * All SQL of the `answer` table. An answer under a caller's request id is RUNNING under a lease, then COMPLETE, FAILED or
 * CANCELLED. What failed or was cancelled, and what a dead gateway left RUNNING, may be taken up again under the same request
 * id with the same input. Any other answer gets its row when it is settled.
 */
export class AnswerStore {
  constructor(private readonly database: Database) {}

  /** @returns null when the request id is taken: by another input, by a complete answer, or by a gateway that still works on it */
  async claim(answer: NewAnswer): Promise<Lease | null> {
    const owner = newId();
    const { rows } = await this.database.pool.query<{ id: Uuid; createdAt: Date }>({
      name: 'ask-claim',
      text: `INSERT INTO answer (id, workspace_id, request_id, input_digest, status, question, conversation_id, lease_owner, lease_until)
             VALUES ($1, $2, $3, $4, 'RUNNING', $5, $6, $7, now() + make_interval(secs => $8))
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
  async renew({ id, owner }: Lease): Promise<boolean> {
    const { rowCount } = await this.database.pool.query({
      name: 'ask-renew',
      text: `UPDATE answer SET lease_until = now() + make_interval(secs => $3)
              WHERE id = $1 AND lease_owner = $2 AND status = 'RUNNING'`,
      values: [id, owner, LEASE_SECONDS],
    });
    return rowCount === 1;
  }

  /** @returns whether it was recorded: false when another gateway took it over */
  async complete({ id, owner }: Lease, finished: FinishedAnswer): Promise<boolean> {
    const { rowCount } = await this.database.pool.query({
      name: 'ask-complete',
      text: `UPDATE answer SET status = 'COMPLETE', text = $3, abstained = $4, strategy = $5, variant_id = $6,
                    configuration_digest = $7, body = $8, adapter_version_id = $9, lease_until = NULL, finished_at = now()
              WHERE id = $1 AND lease_owner = $2 AND status = 'RUNNING'`,
      values: [id, owner, ...finishedValues(finished)],
    });
    return rowCount === 1;
  }

  /** Records at once what nobody could join. */
  async add(answer: Unclaimed, outcome: Outcome): Promise<void> {
    await this.database.pool.query({
      name: 'ask-add',
      text: `INSERT INTO answer (id, workspace_id, request_id, input_digest, question, conversation_id, created_at, finished_at,
                    status, text, abstained, strategy, variant_id, configuration_digest, body, adapter_version_id,
                    error_code, error_message)
             VALUES ($1, $2, $3, $4, $5, $6, $7, now(), $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
      values: [
        answer.id,
        answer.workspaceId,
        answer.requestId,
        answer.inputDigest,
        answer.question,
        answer.conversationId,
        answer.createdAt,
        ...('finished' in outcome
          ? ['COMPLETE', ...finishedValues(outcome.finished), null, null]
          : [outcome.status, '', false, null, null, null, '{}', null, outcome.code, outcome.message]),
      ],
    });
  }

  async fail({ id, owner }: Lease, { status, code, message }: Failure): Promise<void> {
    await this.database.pool.query({
      name: 'ask-fail',
      text: `UPDATE answer SET status = $3, error_code = $4, error_message = $5, lease_until = NULL, finished_at = now()
              WHERE id = $1 AND lease_owner = $2 AND status = 'RUNNING'`,
      values: [id, owner, status, code, message],
    });
  }

  /** Deletes the answers that were told what is known of an entity. @returns how many */
  async forget(workspaceId: WorkspaceId, entity: string): Promise<number> {
    const { rowCount } = await this.database.pool.query({
      name: 'ask-forget',
      text: `DELETE FROM answer WHERE workspace_id = $1 AND body->'features' @> $2::jsonb`,
      values: [workspaceId, JSON.stringify([{ entity }])],
    });
    return rowCount ?? 0;
  }

  /** Deletes answers by row id, or all of a conversation. @returns how many */
  async remove(
    workspaceId: WorkspaceId,
    { ids, conversationId }: { ids: readonly string[]; conversationId: string | null },
  ): Promise<number> {
    const { rowCount } = await this.database.pool.query({
      name: 'ask-remove',
      text: 'DELETE FROM answer WHERE workspace_id = $1 AND (id = ANY($2::uuid[]) OR conversation_id = $3)',
      values: [workspaceId, ids, conversationId],
    });
    return rowCount ?? 0;
  }

  /** Complete answers by row id; those of other workspaces are missing. */
  async byIds(workspaceId: WorkspaceId, ids: readonly string[]): Promise<Map<string, Answer>> {
    const { rows } = await this.database.pool.query<AnswerRow>({
      name: 'ask-by-ids',
      text: `SELECT ${COLUMNS} FROM answer WHERE workspace_id = $1 AND id = ANY($2::uuid[]) AND status = 'COMPLETE'`,
      values: [workspaceId, ids],
    });
    return new Map(rows.map((row) => [row.id, toAnswer(row)]));
  }

  /** Complete answers, newest first; the cursor is `encodeCursor([answer.id])`. */
  async list(workspaceId: WorkspaceId, filter: AnswerFilter, page: PageRequest): Promise<Page<Answer>> {
    const { rows } = await this.database.pool.query<AnswerRow>({
      name: 'ask-list',
      text: `SELECT ${COLUMNS} FROM answer
              WHERE workspace_id = $1 AND status = 'COMPLETE' AND ($2::uuid IS NULL OR id < $2)
                AND ($3::text IS NULL OR strategy = $3) AND ($4::boolean IS NULL OR abstained = $4)
                AND ($5::text IS NULL OR conversation_id = $5) AND ($6::uuid IS NULL OR adapter_version_id = $6)
              ORDER BY id DESC LIMIT $7`,
      values: [
        workspaceId,
        page.after === null ? null : idCursor(page.after),
        filter.strategy ?? null,
        filter.abstained ?? null,
        filter.conversationId ?? null,
        filter.adapterVersionId ?? null,
        page.first + 1,
      ],
    });
    return toPage(rows.map(toAnswer), page.first);
  }
}

/** text, abstained, strategy, variant_id, configuration_digest, body, adapter_version_id */
const finishedValues = ({ text, ...body }: FinishedAnswer): unknown[] => [
  withoutNul(text),
  body.abstention !== null,
  body.route.strategy,
  body.variant.id,
  body.configuration.digest,
  JSON.stringify(storedBody.encode(body), (_, value: unknown) =>
    typeof value === 'string' ? withoutNul(value) : value,
  ),
  body.adapter?.versionId ?? null,
];

/** PostgreSQL holds no NUL; no text of ours has one, but a model's might. */
const withoutNul = (text: string): string => text.replaceAll('\0', '');

const toAnswer = ({
  id,
  workspaceId,
  requestId,
  question,
  text,
  conversationId,
  body,
  createdAt,
}: AnswerRow): Answer => ({
  ...storedBody.decode(body),
  ...{ id, workspaceId, requestId, question, text, conversationId, createdAt },
});
