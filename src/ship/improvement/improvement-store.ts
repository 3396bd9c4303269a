import { newId, type WorkspaceId } from '../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../kernel/pagination.js';
import { asColumn, type Database, type Transaction } from '../../platform/database/index.js';
import { SubjectStore } from '../delivery/index.js';
import type { ImprovementOutcome, ImprovementRow, ImprovementTrigger } from './improvement.js';
import { storedSettings, type PolicyRow, type PolicySettings } from './policy.js';

interface NewImprovement {
  workspaceId: WorkspaceId;
  adapterId: string;
  runId: string;
  policyId: string | null;
  trigger: ImprovementTrigger;
  reason: string;
  startedBy: string;
  settings: PolicySettings;
  productionId: string | null;
}

/** What an improvement has come to; each is written once. */
type Edges = Partial<Omit<ImprovementRow, 'settings'>>;

/** All SQL of the tables `retraining_policy` and `improvement`. */
export class ImprovementStore extends SubjectStore<'improvement'> {
  constructor(database: Database) {
    super(database, 'improvement');
  }

  /** The policies of these adapters, in their order; null where an adapter has none. */
  async policiesOf(workspaceId: WorkspaceId, adapterIds: readonly string[]): Promise<(PolicyRow | null)[]> {
    const rows = await this.database.prisma.retrainingPolicy.findMany({
      where: { workspaceId, adapterId: { in: [...adapterIds] } },
    });
    const byAdapter = new Map(rows.map((row) => [row.adapterId, row]));
    return adapterIds.map((id) => byAdapter.get(id) ?? null);
  }

  /** In the order of their ids, which is that of their making. */
  async policies(workspaceId: WorkspaceId, page: PageRequest): Promise<Page<PolicyRow>> {
    const rows = await this.database.prisma.retrainingPolicy.findMany({
      where: { workspaceId, ...(page.after === null ? {} : { id: { gt: idCursor(page.after) } }) },
      orderBy: { id: 'asc' },
      take: page.first + 1,
    });
    return toPage(rows, page.first);
  }

  policiesById(workspaceId: WorkspaceId, ids: readonly string[]): Promise<PolicyRow[]> {
    return this.database.prisma.retrainingPolicy.findMany({ where: { workspaceId, id: { in: [...ids] } } });
  }

  /** Of every workspace: what the keeper looks after. */
  active(): Promise<PolicyRow[]> {
    return this.database.prisma.retrainingPolicy.findMany({ where: { pausedReason: null }, orderBy: { id: 'asc' } });
  }

  /** Makes the adapter's policy, or changes it; either way it works again. */
  setPolicy(workspaceId: WorkspaceId, adapterId: string, settings: PolicySettings, actor: string): Promise<PolicyRow> {
    const values = { settings: asColumn(storedSettings.encode(settings)), pausedReason: null, setBy: actor };
    return this.database.prisma.retrainingPolicy.upsert({
      where: { adapterId, workspaceId },
      create: { id: newId(), workspaceId, adapterId, ...values },
      update: { ...values, updatedAt: new Date() },
    });
  }

  async pausePolicy(workspaceId: WorkspaceId, adapterId: string, reason: string, tx?: Transaction): Promise<void> {
    const client = tx ?? this.database.prisma;
    await client.retrainingPolicy.updateMany({ where: { workspaceId, adapterId }, data: { pausedReason: reason } });
  }

  /** @throws the database's error of a taken key where the adapter has a live one: see `isTaken` */
  create({ settings, ...row }: NewImprovement & { id: string }, tx: Transaction): Promise<ImprovementRow> {
    return tx.improvement.create({ data: { ...row, settings: asColumn(storedSettings.encode(settings)) } });
  }

  /** The newest of an adapter; null when it never had one. */
  newestOf(adapterId: string): Promise<ImprovementRow | null> {
    return this.database.prisma.improvement.findFirst({ where: { adapterId }, orderBy: { id: 'desc' } });
  }

  keep(id: string, edges: Edges, tx?: Transaction): Promise<ImprovementRow> {
    return (tx ?? this.database.prisma).improvement.update({ where: { id }, data: edges });
  }

  /** Ends one; one that has ended stays as it ended. */
  async end(id: string, outcome: ImprovementOutcome, message: string, tx?: Transaction): Promise<void> {
    await (tx ?? this.database.prisma).improvement.updateMany({
      where: { id, outcome: null },
      data: { outcome, message: message.slice(0, 2_000), finishedAt: new Date() },
    });
  }

  /** How many of an adapter's newest improvements the gate refused, up to the first that came to something else. */
  async refusedInARow(adapterId: string, limit: number): Promise<number> {
    const newest = await this.database.prisma.improvement.findMany({
      where: { adapterId, outcome: { notIn: ['NOTHING_NEW', 'CANCELLED'] } },
      orderBy: { id: 'desc' },
      take: limit,
      select: { outcome: true },
    });
    const first = newest.findIndex(({ outcome }) => outcome !== 'REFUSED');
    return first < 0 ? newest.length : first;
  }

  /** Seconds that an adapter's improvements trained within the last so many hours. */
  async trainedSeconds(adapterId: string, hours: number): Promise<number> {
    const { rows } = await this.database.pool.query<{ seconds: number | null }>(
      `SELECT sum(extract(epoch FROM coalesce(run.finished_at, now()) - greatest(run.started_at, now() - make_interval(hours => $2::int))))::float8 AS seconds
         FROM improvement JOIN run ON run.id = ANY(improvement.training_run_ids)
        WHERE improvement.adapter_id = $1 AND run.started_at IS NOT NULL
          AND coalesce(run.finished_at, now()) > now() - make_interval(hours => $2::int)`,
      [adapterId, hours],
    );
    return rows[0]?.seconds ?? 0;
  }
}
