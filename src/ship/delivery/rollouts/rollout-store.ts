import { isUuid, type WorkspaceId } from '../../../kernel/ids.js';
import type { Json } from '../../../kernel/stored-json.js';
import { asColumn, Prisma, type Database, type Transaction } from '../../../platform/database/index.js';
import { notify, type EventLog } from '../../../platform/events/index.js';
import { UNCOUNTED, UNCOUNTED_VERDICTS, type ReadPosition } from '../counting.js';
import { DecidedStore, type NewDecision } from '../subject-store.js';
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

/** What a look at a rollout finds besides its answers. */
export interface RolloutSurroundings {
  revision: number;
  /** The version that production names now; null where none. */
  productionId: string | null;
  candidateExists: boolean;
  /** What its answers are held against is there still. */
  againstExists: boolean;
}

export interface NewRolloutDecision extends NewDecision<RolloutAction> {
  /** Which check decided. */
  check: string;
  evidence: Json;
}

/** Newest answers that tell how many are judged. */
const JUDGED_OF = 1_000;

/** Most rollouts that are shown of one adapter or version. */
export const MOST_SHOWN = 20;

/** All SQL of `rollout` and `rollout_decision`. */
export class RolloutStore extends DecidedStore<'rollout'> {
  constructor(database: Database, events: EventLog) {
    super(database, 'rollout', events);
  }

  create(rollout: Prisma.RolloutUncheckedCreateInput, tx: Transaction): Promise<RolloutRow> {
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
    field: 'adapterId' | 'candidateId',
    ids: readonly string[],
  ): Promise<RolloutRow[][]> {
    const column = Prisma.raw(field === 'adapterId' ? 'adapter_id' : 'candidate_id');
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
    return ids.map((id) => rows.filter((row) => row[field] === id));
  }

  /**
   * Everything that a look wants, in one statement, as there are many looks: the rollout's surroundings, and its answers that weren't counted.
   * @returns null when the rollout is gone
   */
  async poll(
    { id, adapterId, candidateId, againstId }: RolloutRow,
    position: ReadPosition,
    limit: number,
  ): Promise<{ around: RolloutSurroundings; outcomes: RolloutOutcome[] } | null> {
    type Found = RolloutSurroundings & Omit<RolloutOutcome, 'sequence'> & { sequence: string | null };
    const { rows } = await this.database.pool.query<Found>({
      name: 'rollout-poll',
      text: `SELECT came.*, revision,
                    (SELECT version_id FROM adapter_alias WHERE adapter_id = $5 AND alias = 'production') AS "productionId",
                    EXISTS (SELECT 1 FROM adapter_version WHERE id = $6) AS "candidateExists",
                    EXISTS (SELECT 1 FROM adapter_version WHERE id = $7) AS "againstExists"
               FROM rollout LEFT JOIN LATERAL (${UNCOUNTED}) came ON true
              WHERE rollout.id = $1 ORDER BY came.sequence`,
      values: [id, ...position, limit, adapterId, candidateId, againstId],
    });
    const [surroundings] = rows;
    if (!surroundings) return null;
    const outcomes = rows.flatMap(({ sequence, ...row }) =>
      sequence === null ? [] : [{ ...row, sequence: BigInt(sequence) }],
    );
    return { around: surroundings, outcomes };
  }

  /** What was said of its answers behind a place, so many at most. */
  async uncountedVerdicts(rolloutId: string, position: ReadPosition, limit: number): Promise<FirstVerdict[]> {
    const { rows } = await this.database.pool.query<Omit<FirstVerdict, 'sequence'> & { sequence: string }>({
      name: 'rollout-uncounted-verdicts',
      text: UNCOUNTED_VERDICTS,
      values: [rolloutId, ...position, limit],
    });
    return rows.map((row) => ({ ...row, sequence: BigInt(row.sequence) }));
  }

  /**
   * Writes what was counted where nothing follows from it: one statement, as there are many of them.
   * @returns whether it is written; false where somebody has decided since `revision`
   */
  async persist(
    { id, revision }: Pick<RolloutRow, 'id' | 'revision'>,
    counts: RolloutCounts,
    tx: Transaction,
  ): Promise<boolean> {
    const { kept, watchedMs, lastSequence, recentSequences, lastVerdict, recentVerdicts } = counts;
    const updatedCount = await tx.$executeRaw`
      UPDATE rollout SET state = ${JSON.stringify(storedState.encode(kept))}::jsonb, watched_ms = ${watchedMs},
             last_sequence = ${lastSequence}, recent_sequences = ${recentSequences}::bigint[],
             last_verdict = ${lastVerdict}, recent_verdicts = ${recentVerdicts}::bigint[], revision = revision + 1
       WHERE id = ${id}::uuid AND revision = ${revision} AND finished_at IS NULL`;
    return updatedCount === 1;
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
    const savedDecisions: RolloutDecisionRow[] = [];
    for (const decision of decisions) savedDecisions.push(await this.decide(saved, decision, tx));
    if (decisions.length > 0) await notify(tx, TESTS_TOPIC);
    return { row: saved, decisions: savedDecisions };
  }

  /** Adds a decision to those of a rollout, and tells of it. */
  decide(row: RolloutRow, decision: NewRolloutDecision, tx: Transaction): Promise<RolloutDecisionRow> {
    const { check, evidence } = decision;
    const { step, share } = row;
    const columns = { step, share, check, evidence: asColumn(storedDecisionEvidence.encode(evidence)) };
    return this.addDecision(row, decision, columns, tx);
  }
}

/** What was counted, where nothing follows from it: the numbers as PostgreSQL writes arrays. */
export interface RolloutCounts extends Pick<RolloutRow, 'watchedMs' | 'lastSequence' | 'lastVerdict'> {
  kept: KeptState;
  recentSequences: string;
  recentVerdicts: string;
}

/** What a look changes of a rollout. */
export interface RolloutUpdate extends Partial<Omit<RolloutRow, 'plan' | 'state' | 'gate'>> {
  kept: KeptState;
  decisions: readonly NewRolloutDecision[];
}
