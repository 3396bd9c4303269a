import { choice } from '../../../kernel/record.js';
import type { ErrorCode } from '../../../kernel/error-codes.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { asColumn, type Database, type Prisma, type Transaction } from '../../../platform/database/index.js';
import type { EventLog } from '../../../platform/events/index.js';
import { WatchedStore } from '../subject-store.js';
import type { PairStore } from './pair-store.js';
import { storedSkipped, type ShadowRow, type ShadowStatus } from './shadow.js';

type NewShadow = Omit<Prisma.ShadowUncheckedCreateInput, 'status' | 'skipped'>;

/** What a look at a shadow finds. */
export interface ShadowPoll {
  status: ShadowStatus;
  answered: number;
  /** Asked within the last hour. */
  lately: number;
  skipped: boolean;
  /** The version that production names now; null where none. */
  productionId: string | null;
  /** Whether the candidate is attested; null when it is gone. */
  attested: boolean | null;
}

/** How a shadow ends. */
interface ShadowEnd {
  status: Exclude<ShadowStatus, 'RUNNING'>;
  errorCode?: ErrorCode | null;
  by?: string | null;
  reason: string;
}

/** What is told of a shadow. */
export const ShadowEventKind = choice('ShadowEventKind', 'What happened in a shadow.', {
  STARTED: 'It began.',
  COMPARED: 'The candidate answered a sampled question.',
  FAILED: 'The candidate failed on one.',
  ENDED: 'It ended.',
});
export type ShadowEventKind = keyof typeof ShadowEventKind;

/** All SQL of `shadow`. */
export class ShadowStore extends WatchedStore<'shadow'> {
  constructor(
    database: Database,
    events: EventLog,
    private readonly pairs: PairStore,
  ) {
    super(database, 'shadow', events);
  }

  async create(shadow: NewShadow, tx: Transaction): Promise<ShadowRow> {
    const skipped = asColumn(storedSkipped.encode({}));
    const row = await tx.shadow.create({ data: { ...shadow, status: 'RUNNING', skipped } });
    await this.report(row, 'STARTED', null, tx);
    return row;
  }

  /** Tells who follows it. */
  report(row: ShadowRow, kind: ShadowEventKind, answerId: string | null, tx: Transaction): Promise<void> {
    return this.announce(row, kind, { answerId }, tx);
  }

  /** The newest shadow of each of these versions that ran to its end, beside the version that each is held against. */
  async lastOf(workspaceId: WorkspaceId, pairs: readonly (readonly [string, string])[]): Promise<ShadowRow[]> {
    return this.database.prisma.shadow.findMany({
      where: {
        workspaceId,
        status: 'COMPLETE',
        OR: pairs.map(([candidateId, againstId]) => ({ candidateId, againstId })),
      },
      orderBy: { id: 'desc' },
      distinct: ['candidateId', 'againstId'],
    });
  }

  async poll({ id, adapterId, candidateId }: ShadowRow): Promise<ShadowPoll> {
    const { rows } = await this.database.pool.query<ShadowPoll>({
      name: 'shadow-poll',
      text: `SELECT status, answered,
                    (SELECT count(*)::int FROM shadow_pair WHERE shadow_id = $1 AND asked_at > now() - interval '1 hour') AS lately,
                    EXISTS (SELECT 1 FROM shadow_pair WHERE shadow_id = $1 AND status = 'SKIPPED') AS skipped,
                    (SELECT version_id FROM adapter_alias WHERE adapter_id = $2 AND alias = 'production') AS "productionId",
                    (SELECT attestation IS NOT NULL FROM adapter_version WHERE id = $3) AS attested
               FROM shadow WHERE id = $1`,
      values: [id, adapterId, candidateId],
    });
    return rows[0]!;
  }

  /** Counts the sampled answers that were skipped, and lets go of their rows. */
  async countSkipped(row: ShadowRow, tx: Transaction): Promise<ShadowRow> {
    const counts = await this.pairs.takeSkipped(tx, row.id);
    if (counts.size === 0) return row;
    const totals = storedSkipped.decode(row.skipped);
    for (const [reason, count] of counts) totals[reason] = (totals[reason] ?? 0) + count;
    return tx.shadow.update({ where: { id: row.id }, data: { skipped: asColumn(storedSkipped.encode(totals)) } });
  }

  async countAnswered(id: string, tx: Transaction): Promise<void> {
    await tx.shadow.update({ where: { id }, data: { answered: { increment: 1 } } });
  }

  /** Ends it, unless it has ended: what waits is skipped, and nothing is sampled any more. */
  async end(row: ShadowRow, { status, errorCode, by, reason }: ShadowEnd, tx: Transaction): Promise<ShadowRow> {
    if (row.finishedAt !== null) return row;
    await this.pairs.skip(tx, row.id, 'ENDED');
    await this.countSkipped(row, tx);
    const endedRow = await tx.shadow.update({
      where: { id: row.id },
      data: { status, errorCode: errorCode ?? null, endedBy: by ?? null, endReason: reason, finishedAt: new Date() },
    });
    await this.report(endedRow, 'ENDED', null, tx);
    return endedRow;
  }
}
