import { newId, type WorkspaceId } from '../../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../../kernel/pagination.js';
import { asColumn, type Database, type Prisma, type Transaction } from '../../../platform/database/index.js';
import { notify, type EventLog } from '../../../platform/events/index.js';
import { WatchedStore } from '../subject-store.js';
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

type NewExperiment = Omit<
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
export class ExperimentStore extends WatchedStore<'experiment'> {
  constructor(
    database: Database,
    private readonly events: EventLog,
  ) {
    super(database, 'experiment');
  }

  create(experiment: NewExperiment, tx: Transaction): Promise<ExperimentRow> {
    return tx.experiment.create({ data: experiment });
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
}
