import { asColumn, type Database, type Prisma, type Transaction } from '../../../platform/database/index.js';
import { notify, type EventLog } from '../../../platform/events/index.js';
import { DecidedStore, type NewDecision } from '../subject-store.js';
import { TESTS_TOPIC } from '../topic.js';
import {
  storedExperimentState,
  storedPoint,
  storedSettings,
  type ExperimentAction,
  type ExperimentRow,
  type ExperimentSettings,
  type ExperimentState,
  type ComparisonPoint,
  type PointComparison,
} from './experiment.js';

export type NewExperimentDecision = NewDecision<ExperimentAction>;

/** What a look changes of an experiment. */
export interface ExperimentUpdate extends Partial<Omit<ExperimentRow, 'plan' | 'state'>> {
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

/** All SQL of `experiment`, `experiment_decision` and `experiment_point`. */
export class ExperimentStore extends DecidedStore<'experiment'> {
  constructor(database: Database, events: EventLog) {
    super(database, 'experiment', events);
  }

  create(experiment: Prisma.ExperimentUncheckedCreateInput, tx: Transaction): Promise<ExperimentRow> {
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
    const savedRow = await tx.experiment.update({
      where: { id: row.id },
      data: {
        ...columns,
        ...(plan && { plan: asColumn(storedSettings.encode(plan)) }),
        state: asColumn(storedExperimentState.encode(state)),
        revision: { increment: 1 },
      },
    });
    for (const decision of decisions) await this.decide(savedRow, answers, decision, tx);
    if (point !== null) {
      const key = { experimentId: row.id, phase: savedRow.phase, answers };
      const comparisons = asColumn(storedPoint.encode([...point]));
      await tx.experimentPoint.upsert({
        where: { experimentId_phase_answers: key },
        create: { ...key, comparisons },
        update: { comparisons },
      });
    }
    if (decisions.length > 0) await notify(tx, TESTS_TOPIC);
    return savedRow;
  }

  /** Adds a decision to those of an experiment, and tells of it. */
  async decide(row: ExperimentRow, answers: number, decision: NewExperimentDecision, tx: Transaction): Promise<void> {
    await this.addDecision(row, decision, { phase: row.phase, answers }, tx);
  }

  /** Of these experiments in their phases, those with the fewest answers first. */
  async points(experimentIds: readonly string[]): Promise<Map<string, ComparisonPoint[]>> {
    const rows = await this.database.prisma.experimentPoint.findMany({
      where: { experimentId: { in: [...experimentIds] } },
      orderBy: [{ phase: 'asc' }, { answers: 'asc' }],
    });
    const pointsByExperiment = new Map<string, ComparisonPoint[]>(experimentIds.map((id) => [id, []]));
    for (const { experimentId, comparisons, ...rest } of rows)
      pointsByExperiment.get(experimentId)!.push({ ...rest, comparisons: storedPoint.decode(comparisons) });
    return pointsByExperiment;
  }
}
