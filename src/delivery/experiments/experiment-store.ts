import { notFound } from '../../kernel/errors.js';
import { isUuid, newId, type WorkspaceId } from '../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../kernel/pagination.js';
import { asColumn, type Database, type Prisma, type Transaction } from '../../platform/database/index.js';
import { notify, type EventLog } from '../../platform/events/index.js';
import { TESTS_TOPIC } from '../topic.js';
import {
  storedExperimentState,
  storedPoint,
  storedSettings,
  type ExperimentAction,
  type ExperimentDecisionRow,
  type ExperimentRow,
  type ExperimentSettings,
  type ExperimentState,
  type ComparisonPoint,
  type PointComparison,
} from './experiment.js';

export type NewExperiment = Omit<
  Prisma.ExperimentUncheckedCreateInput,
  'createdAt' | 'startedAt' | 'finishedAt' | 'revision' | 'watchedMs' | 'decisions' | 'points' | 'units' | 'feedback'
>;

/** One decision, before it is a row. */
export interface NewExperimentDecision {
  action: ExperimentAction;
  reasons: readonly string[];
  by?: string | null;
  reason?: string | null;
}

/** What a look changes of an experiment. */
export interface ExperimentUpdate extends Partial<
  Pick<
    ExperimentRow,
    | ('status' | 'phase' | 'watchedMs' | 'verdict' | 'winner' | 'final' | 'startedAt' | 'finishedAt' | 'runId')
    | ('lastSequence' | 'recentSequences' | 'lastFeedback' | 'recentFeedback' | 'productionId')
  >
> {
  state: ExperimentState;
  /** Where its coverage was widened. */
  plan?: ExperimentSettings;
  /** Of the phase, as counted by now. */
  answers: number;
  decisions: readonly NewExperimentDecision[];
  point?: readonly PointComparison[] | null;
}

/** What a look finds besides answers. */
export interface ExperimentSurroundings {
  revision: number;
  /** The version that production of the experiment’s adapter names now; null where none, or where it has no adapter. */
  productionId: string | null;
  /** Versions of arms that are there and attested; variants of arms that are there. */
  usable: string[];
}

/** The stream of events of an experiment. */
export const experimentStream = (id: string): string => `experiment:${id}`;

/** All SQL of `experiment`, `experiment_decision` and `experiment_point`. */
export class ExperimentStore {
  constructor(
    private readonly database: Database,
    private readonly events: EventLog,
  ) {}

  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.prisma.$transaction(work);
  }

  create(experiment: NewExperiment, tx: Transaction): Promise<ExperimentRow> {
    return tx.experiment.create({ data: experiment });
  }

  async byKey(workspaceId: WorkspaceId, idempotencyKey: string): Promise<ExperimentRow | null> {
    return this.database.prisma.experiment.findFirst({ where: { workspaceId, idempotencyKey } });
  }

  async byIds(workspaceId: WorkspaceId, ids: readonly string[]): Promise<ExperimentRow[]> {
    return this.database.prisma.experiment.findMany({ where: { workspaceId, id: { in: ids.filter(isUuid) } } });
  }

  /** @throws NOT_FOUND */
  async require(workspaceId: WorkspaceId, id: string, field = 'id'): Promise<ExperimentRow> {
    const [row] = await this.byIds(workspaceId, [id]);
    if (!row) throw notFound('The experiment', id, field);
    return row;
  }

  /** Newest first; the cursor is `encodeCursor([experiment.id])`. */
  async list(
    workspaceId: WorkspaceId,
    { status, adapter }: { status: string | null; adapter: string | null },
    page: PageRequest,
  ): Promise<Page<ExperimentRow>> {
    const before = page.after === null ? undefined : idCursor(page.after);
    const rows = await this.database.prisma.experiment.findMany({
      where: {
        workspaceId,
        ...(status === null ? {} : { status }),
        ...(adapter === null ? {} : { adapter }),
        ...(before === undefined ? {} : { id: { lt: before } }),
      },
      orderBy: { id: 'desc' },
      take: page.first + 1,
    });
    return toPage(rows, page.first);
  }

  /** Those of all workspaces that questions are drawn into, in an order that doesn’t change. */
  async running(): Promise<ExperimentRow[]> {
    return this.database.prisma.experiment.findMany({ where: { status: 'RUNNING' }, orderBy: { id: 'asc' } });
  }

  async surroundings(
    { id, adapterId }: Pick<ExperimentRow, 'id' | 'adapterId'>,
    used: readonly string[],
  ): Promise<ExperimentSurroundings | null> {
    const { rows } = await this.database.pool.query<ExperimentSurroundings>({
      name: 'experiment-surroundings',
      text: `SELECT revision,
                    (SELECT version_id FROM adapter_alias WHERE adapter_id = $2 AND alias = 'production') AS "productionId",
                    ARRAY(SELECT id FROM adapter_version WHERE id = ANY($3::uuid[]) AND attestation IS NOT NULL
                          UNION ALL SELECT id FROM model_variant WHERE id = ANY($3::uuid[]))::text[] AS usable
               FROM experiment WHERE id = $1`,
      values: [id, adapterId, used],
    });
    return rows[0] ?? null;
  }

  /** Keeps others from deciding until the transaction ends. @throws NOT_FOUND */
  async lock(workspaceId: WorkspaceId, id: string, tx: Transaction): Promise<ExperimentRow> {
    if (!isUuid(id)) throw notFound('The experiment', id, 'input.experiment');
    await tx.$executeRaw`SELECT 1 FROM experiment WHERE id = ${id}::uuid AND workspace_id = ${workspaceId}::uuid FOR UPDATE`;
    const row = await tx.experiment.findFirst({ where: { id, workspaceId } });
    if (!row) throw notFound('The experiment', id, 'input.experiment');
    return row;
  }

  /** Writes what follows from a look, with what was decided, and wakes up who draws by it and who follows it. */
  async save(row: ExperimentRow, saved: ExperimentUpdate, tx: Transaction): Promise<ExperimentRow> {
    const { state, plan, answers, decisions, point = null, ...columns } = saved;
    const after = await tx.experiment.update({
      where: { id: row.id },
      data: {
        ...columns,
        ...(plan && { plan: asColumn(storedSettings.encode(plan)) }),
        state: asColumn(storedExperimentState.encode(state)),
        revision: { increment: 1 },
      },
    });
    for (const decision of decisions) await this.decide(after, answers, decision, tx);
    if (point !== null) {
      const key = { experimentId: row.id, phase: after.phase, answers };
      const comparisons = asColumn(storedPoint.encode([...point]));
      await tx.experimentPoint.upsert({
        where: { experimentId_phase_answers: key },
        create: { ...key, comparisons },
        update: { comparisons },
      });
    }
    if (decisions.length > 0) await notify(tx, TESTS_TOPIC);
    return after;
  }

  /** Adds a decision to those of an experiment, and tells of it. */
  async decide(
    row: ExperimentRow,
    answers: number,
    { action, reasons, by = null, reason = null }: NewExperimentDecision,
    tx: Transaction,
  ): Promise<void> {
    const { id } = await tx.experimentDecision.create({
      data: {
        id: newId(),
        workspaceId: row.workspaceId,
        experimentId: row.id,
        phase: row.phase,
        answers,
        action,
        reasons: [...reasons],
        decidedBy: by,
        reason,
      },
    });
    await this.events.append(row.workspaceId as WorkspaceId, experimentStream(row.id), 'decided', { id }, tx);
  }

  /** Oldest first; the cursor is `encodeCursor([decision.id])`. */
  async decisions(experimentId: string, page: PageRequest): Promise<Page<ExperimentDecisionRow>> {
    const after = page.after === null ? undefined : idCursor(page.after);
    const rows = await this.database.prisma.experimentDecision.findMany({
      where: { experimentId, ...(after === undefined ? {} : { id: { gt: after } }) },
      orderBy: { id: 'asc' },
      take: page.first + 1,
    });
    return toPage(rows, page.first);
  }

  async decisionsById(workspaceId: WorkspaceId, ids: readonly string[]): Promise<ExperimentDecisionRow[]> {
    return this.database.prisma.experimentDecision.findMany({ where: { workspaceId, id: { in: [...ids] } } });
  }

  /** Of these experiments in their phases, those with the fewest answers first. */
  async points(experimentIds: readonly string[]): Promise<Map<string, ComparisonPoint[]>> {
    const rows = await this.database.prisma.experimentPoint.findMany({
      where: { experimentId: { in: [...experimentIds] } },
      orderBy: [{ phase: 'asc' }, { answers: 'asc' }],
    });
    const found = new Map<string, ComparisonPoint[]>(experimentIds.map((id) => [id, []]));
    for (const { experimentId, comparisons, ...rest } of rows)
      found.get(experimentId)!.push({ ...rest, comparisons: storedPoint.decode(comparisons) });
    return found;
  }

  /** Live experiments whose runs have ended, so that nobody watches them: cancelled, or failed for good. */
  async unwatched(): Promise<{ id: string; workspaceId: WorkspaceId; runStatus: string; error: string | null }[]> {
    const { rows } = await this.database.pool.query<{
      id: string;
      workspaceId: WorkspaceId;
      runStatus: string;
      error: string | null;
    }>({
      name: 'experiments-unwatched',
      text: `SELECT experiment.id, experiment.workspace_id AS "workspaceId", run.status AS "runStatus", run.error_message AS error
               FROM experiment JOIN run ON run.id = experiment.run_id
              WHERE experiment.run_id IS NOT NULL AND experiment.finished_at IS NULL AND run.finished_at IS NOT NULL`,
    });
    return rows;
  }
}
