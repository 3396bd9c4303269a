import { isUuid, newId, type WorkspaceId } from '../../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../../kernel/pagination.js';
import type { Json } from '../../../kernel/stored-json.js';
import { asColumn, Prisma, type Database, type Transaction } from '../../../platform/database/index.js';
import { notify, type EventLog } from '../../../platform/events/index.js';
import { UNCOUNTED, UNHEARD, type ReadPosition } from '../counting.js';
import { WatchedStore } from '../subject-store.js';
import { TESTS_TOPIC } from '../topic.js';
import type { RolloutOutcome, FirstVerdict } from './measures.js';
import {
  storedState,
  type KeptState,
  type RolloutAction,
  type RolloutDecisionRow,
  type RolloutRow,
  storedDecisionEvidence,
} from './rollout.js';

type NewRollout = Omit<
  Prisma.RolloutUncheckedCreateInput,
  | 'createdAt'
  | 'finishedAt'
  | 'revision'
  | 'watchedMs'
  | 'lastSequence'
  | 'recentSequences'
  | 'lastVerdict'
  | 'recentVerdicts'
  | 'decisions'
>;

/** What a look at a rollout finds besides its answers. */
export interface RolloutSurroundings {
  revision: number;
  /** The version that production names now; null where none. */
  productionId: string | null;
  candidateExists: boolean;
  /** What its answers are held against is there still. */
  againstExists: boolean;
}

/** One decision, before it is a row. */
export interface NewRolloutDecision {
  action: RolloutAction;
  check: string;
  reasons: readonly string[];
  by?: string | null;
  reason?: string | null;
  evidence: Json;
}

const evidenceColumn = ({ evidence }: NewRolloutDecision) => asColumn(storedDecisionEvidence.encode(evidence));

/** Newest answers that tell how many are judged. */
const JUDGED_OF = 1_000;

/** Most rollouts that are shown of one adapter or version. */
export const MOST_SHOWN = 20;

export const rolloutStream = (id: string): string => `rollout:${id}`;

/** All SQL of `rollout` and `rollout_decision`. */
export class RolloutStore extends WatchedStore<'rollout'> {
  constructor(
    database: Database,
    private readonly events: EventLog,
  ) {
    super(database, 'rollout');
  }

  create(rollout: NewRollout, tx: Transaction): Promise<RolloutRow> {
    return tx.rollout.create({ data: rollout });
  }

  /** @returns the share of a version's newest answers of which somebody said something, 0 to 1; null where there are none */
  async judgedShare(workspaceId: WorkspaceId, versionId: string): Promise<number | null> {
    const { rows } = await this.database.pool.query<{ share: number | null }>({
      name: 'rollout-judged-share',
      text: `SELECT avg((feedback_count > 0)::int)::float8 AS share
               FROM (SELECT feedback_count FROM answer WHERE workspace_id = $1 AND adapter_version_id = $2
                      ORDER BY id DESC LIMIT ${JUDGED_OF}) AS newest`,
      values: [workspaceId, versionId],
    });
    return rows[0]?.share ?? null;
  }

  /** Of each adapter, or of each version as candidate, the newest first: two statements for any number of them. */
  async newestOf(
    workspaceId: WorkspaceId,
    what: 'adapterId' | 'candidateId',
    ids: readonly string[],
  ): Promise<RolloutRow[][]> {
    const column = Prisma.raw(what === 'adapterId' ? 'adapter_id' : 'candidate_id');
    const newest = await this.database.prisma.$queryRaw<{ id: string }[]>`
      SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY ${column} ORDER BY id DESC) AS place FROM rollout
         WHERE workspace_id = ${workspaceId}::uuid AND ${column} = ANY(${ids.filter(isUuid)}::uuid[])) AS found
       WHERE place <= ${MOST_SHOWN}`;
    const rows = await this.byIds(
      workspaceId,
      newest.map(({ id }) => id),
    );
    rows.sort((a, b) => (a.id < b.id ? 1 : -1));
    return ids.map((id) => rows.filter((row) => row[what] === id));
  }

  /**
   * Everything that a look wants, in one statement, as there are many looks: the rollout's surroundings, and its answers that weren't counted.
   * @returns null when the rollout is gone
   */
  async look(
    { id, adapterId, candidateId, againstId }: RolloutRow,
    behind: ReadPosition,
    most: number,
  ): Promise<{ around: RolloutSurroundings; outcomes: RolloutOutcome[] } | null> {
    type Found = RolloutSurroundings & Omit<RolloutOutcome, 'sequence'> & { sequence: string | null };
    const { rows } = await this.database.pool.query<Found>({
      name: 'rollout-look',
      text: `SELECT came.*, revision,
                    (SELECT version_id FROM adapter_alias WHERE adapter_id = $5 AND alias = 'production') AS "productionId",
                    EXISTS (SELECT 1 FROM adapter_version WHERE id = $6) AS "candidateExists",
                    EXISTS (SELECT 1 FROM adapter_version WHERE id = $7) AS "againstExists"
               FROM rollout LEFT JOIN LATERAL (${UNCOUNTED}) came ON true
              WHERE rollout.id = $1 ORDER BY came.sequence`,
      values: [id, ...behind, most, adapterId, candidateId, againstId],
    });
    const [around] = rows;
    if (!around) return null;
    const outcomes = rows.flatMap(({ sequence, ...row }) =>
      sequence === null ? [] : [{ ...row, sequence: BigInt(sequence) }],
    );
    return { around, outcomes };
  }

  /** What was said of its answers behind a place, so many at most. */
  async unheard(rolloutId: string, behind: ReadPosition, most: number): Promise<FirstVerdict[]> {
    const { rows } = await this.database.pool.query<Omit<FirstVerdict, 'sequence'> & { sequence: string }>({
      name: 'rollout-unheard',
      text: UNHEARD,
      values: [rolloutId, ...behind, most],
    });
    return rows.map((row) => ({ ...row, sequence: BigInt(row.sequence) }));
  }

  /**
   * Writes what was counted where nothing follows from it: one statement, as there are many of them.
   * @returns whether it is written; false where somebody has decided since `revision`
   */
  async keep(
    { id, revision }: Pick<RolloutRow, 'id' | 'revision'>,
    counted: RolloutCounts,
    tx: Transaction,
  ): Promise<boolean> {
    const { kept, watchedMs, lastSequence, recentSequences, lastVerdict, recentVerdicts } = counted;
    const written = await tx.$executeRaw`
      UPDATE rollout SET state = ${JSON.stringify(storedState.encode(kept))}::jsonb, watched_ms = ${watchedMs},
             last_sequence = ${lastSequence}, recent_sequences = ${recentSequences}::bigint[],
             last_verdict = ${lastVerdict}, recent_verdicts = ${recentVerdicts}::bigint[], revision = revision + 1
       WHERE id = ${id}::uuid AND revision = ${revision} AND finished_at IS NULL`;
    return written === 1;
  }

  /** Writes what follows from a look, with what was decided, and wakes up who draws by it and who follows it. */
  async save(
    row: RolloutRow,
    { kept, decisions, ...columns }: RolloutUpdate,
    tx: Transaction,
  ): Promise<{ row: RolloutRow; decisions: RolloutDecisionRow[] }> {
    const saved = await tx.rollout.update({
      where: { id: row.id },
      data: { ...columns, state: asColumn(storedState.encode(kept)), revision: { increment: 1 } },
    });
    const made: RolloutDecisionRow[] = [];
    for (const decision of decisions) made.push(await this.decide(saved, decision, tx));
    if (decisions.length > 0) await notify(tx, TESTS_TOPIC);
    return { row: saved, decisions: made };
  }

  /** Adds a decision to those of a rollout, and tells of it. */
  async decide(row: RolloutRow, decision: NewRolloutDecision, tx: Transaction): Promise<RolloutDecisionRow> {
    const made = await tx.rolloutDecision.create({
      data: {
        id: newId(),
        workspaceId: row.workspaceId,
        rolloutId: row.id,
        step: row.step,
        share: row.share,
        action: decision.action,
        check: decision.check,
        reasons: [...decision.reasons],
        decidedBy: decision.by ?? null,
        reason: decision.reason ?? null,
        evidence: evidenceColumn(decision),
      },
    });
    await this.events.append(row.workspaceId as WorkspaceId, rolloutStream(row.id), 'decided', { id: made.id }, tx);
    return made;
  }

  /** Oldest first; the cursor is `encodeCursor([decision.id])`. */
  async decisions(rolloutId: string, page: PageRequest): Promise<Page<RolloutDecisionRow>> {
    const after = page.after === null ? undefined : idCursor(page.after);
    const rows = await this.database.prisma.rolloutDecision.findMany({
      where: { rolloutId, ...(after === undefined ? {} : { id: { gt: after } }) },
      orderBy: { id: 'asc' },
      take: page.first + 1,
    });
    return toPage(rows, page.first);
  }

  lastDecision(rolloutId: string): Promise<RolloutDecisionRow | null> {
    return this.database.prisma.rolloutDecision.findFirst({ where: { rolloutId }, orderBy: { id: 'desc' } });
  }

  async decisionsById(workspaceId: WorkspaceId, ids: readonly string[]): Promise<RolloutDecisionRow[]> {
    return this.database.prisma.rolloutDecision.findMany({ where: { workspaceId, id: { in: [...ids] } } });
  }
}

/** What was counted, where nothing follows from it: the numbers as PostgreSQL writes arrays. */
export interface RolloutCounts extends Pick<RolloutRow, 'watchedMs' | 'lastSequence' | 'lastVerdict'> {
  kept: KeptState;
  recentSequences: string;
  recentVerdicts: string;
}

/** What a look changes of a rollout. */
export interface RolloutUpdate extends Partial<
  Pick<
    RolloutRow,
    | 'status'
    | 'awaitsApproval'
    | 'step'
    | 'share'
    | 'controls'
    | 'watchedMs'
    | 'lastSequence'
    | 'recentSequences'
    | 'lastVerdict'
    | 'recentVerdicts'
    | 'finishedAt'
  >
> {
  kept: KeptState;
  decisions: readonly NewRolloutDecision[];
}
