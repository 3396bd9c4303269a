import { enumeration } from '../../kernel/enumeration.js';
import { notFound } from '../../kernel/errors.js';
import type { ErrorCode } from '../../kernel/error-codes.js';
import { isUuid, type WorkspaceId } from '../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../kernel/pagination.js';
import { asColumn, type Database, type Prisma, type Transaction } from '../../platform/database/index.js';
import type { EventLog } from '../../platform/events/index.js';
import type { PairStore } from './pair-store.js';
import { storedSkipped, type ShadowRow, type ShadowStatus } from './shadow.js';

export type NewShadow = Omit<
  Prisma.ShadowUncheckedCreateInput,
  'status' | 'answered' | 'skipped' | 'createdAt' | 'finishedAt' | 'pairs'
>;

/** What a look at a shadow finds. */
export interface ShadowLook {
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
export interface ShadowEnd {
  status: Exclude<ShadowStatus, 'RUNNING'>;
  errorCode?: ErrorCode | null;
  by?: string | null;
  reason: string;
}

/** What is told of a shadow. */
export const ShadowEventKind = enumeration('STARTED', 'COMPARED', 'FAILED', 'ENDED');
export type ShadowEventKind = keyof typeof ShadowEventKind;

export const shadowStream = (id: string): string => `shadow:${id}`;

/** All SQL of `shadow`. */
export class ShadowStore {
  constructor(
    private readonly database: Database,
    private readonly events: EventLog,
    private readonly pairs: PairStore,
  ) {}

  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.prisma.$transaction(work);
  }

  async create(shadow: NewShadow, tx: Transaction): Promise<ShadowRow> {
    const skipped = asColumn(storedSkipped.encode({}));
    const row = await tx.shadow.create({ data: { ...shadow, status: 'RUNNING', skipped } });
    await this.tell(row, 'STARTED', null, tx);
    return row;
  }

  /** Tells whoever follows the shadow. */
  async tell(
    { id, workspaceId }: Pick<ShadowRow, 'id' | 'workspaceId'>,
    kind: ShadowEventKind,
    answerId: string | null,
    tx: Transaction,
  ): Promise<void> {
    await this.events.append(workspaceId as WorkspaceId, shadowStream(id), kind, { answerId }, tx);
  }

  async byKey(workspaceId: WorkspaceId, idempotencyKey: string): Promise<ShadowRow | null> {
    return this.database.prisma.shadow.findFirst({ where: { workspaceId, idempotencyKey } });
  }

  async byIds(workspaceId: WorkspaceId, ids: readonly string[]): Promise<ShadowRow[]> {
    return this.database.prisma.shadow.findMany({ where: { workspaceId, id: { in: ids.filter(isUuid) } } });
  }

  /** @throws NOT_FOUND */
  async require(workspaceId: WorkspaceId, id: string, field = 'id'): Promise<ShadowRow> {
    const [row] = await this.byIds(workspaceId, [id]);
    if (!row) throw notFound('The shadow', id, field);
    return row;
  }

  async liveOf(adapterId: string): Promise<ShadowRow | null> {
    return this.database.prisma.shadow.findFirst({ where: { adapterId, finishedAt: null } });
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

  /** Newest first; the cursor is `encodeCursor([shadow.id])`. */
  async list(workspaceId: WorkspaceId, adapter: string | null, page: PageRequest): Promise<Page<ShadowRow>> {
    const before = page.after === null ? undefined : idCursor(page.after);
    const rows = await this.database.prisma.shadow.findMany({
      where: { workspaceId, ...(adapter !== null && { adapter }), ...(before !== undefined && { id: { lt: before } }) },
      orderBy: { id: 'desc' },
      take: page.first + 1,
    });
    return toPage(rows, page.first);
  }

  async look({ id, adapterId, candidateId }: ShadowRow): Promise<ShadowLook> {
    const { rows } = await this.database.pool.query<ShadowLook>({
      name: 'shadow-look',
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

  /** Keeps others from writing it until the transaction ends; answers are sampled meanwhile. @throws NOT_FOUND */
  async lock(workspaceId: WorkspaceId, id: string, tx: Transaction): Promise<ShadowRow> {
    if (!isUuid(id)) throw notFound('The shadow', id);
    await tx.$executeRaw`SELECT 1 FROM shadow WHERE id = ${id}::uuid AND workspace_id = ${workspaceId}::uuid FOR NO KEY UPDATE`;
    const row = await tx.shadow.findFirst({ where: { id, workspaceId } });
    if (!row) throw notFound('The shadow', id);
    return row;
  }

  /** Counts the sampled answers that were skipped, and lets go of their rows. */
  async countSkipped(row: ShadowRow, tx: Transaction): Promise<ShadowRow> {
    const taken = await this.pairs.takeSkipped(tx, row.id);
    if (taken.size === 0) return row;
    const known = storedSkipped.decode(row.skipped);
    for (const [reason, count] of taken) known[reason] = (known[reason] ?? 0) + count;
    return tx.shadow.update({ where: { id: row.id }, data: { skipped: asColumn(storedSkipped.encode(known)) } });
  }

  async countAnswered(id: string, tx: Transaction): Promise<void> {
    await tx.shadow.update({ where: { id }, data: { answered: { increment: 1 } } });
  }

  /** Ends it, unless it has ended: what waits is skipped, and nothing is sampled any more. */
  async end(row: ShadowRow, { status, errorCode, by, reason }: ShadowEnd, tx: Transaction): Promise<ShadowRow> {
    if (row.finishedAt !== null) return row;
    await this.pairs.skip(tx, row.id, 'ENDED');
    await this.countSkipped(row, tx);
    const ended = await tx.shadow.update({
      where: { id: row.id },
      data: { status, errorCode: errorCode ?? null, endedBy: by ?? null, endReason: reason, finishedAt: new Date() },
    });
    await this.tell(ended, 'ENDED', null, tx);
    return ended;
  }

  /** Live ones whose runs have ended, so that nobody works on them: cancelled, or failed for good. */
  async abandoned(): Promise<(Pick<ShadowRow, 'id'> & { workspaceId: WorkspaceId; code: ErrorCode | null })[]> {
    const { rows } = await this.database.pool.query<{ id: string; workspaceId: WorkspaceId; code: ErrorCode | null }>({
      name: 'shadows-abandoned',
      text: `SELECT shadow.id, shadow.workspace_id AS "workspaceId", run.error_code AS code
               FROM shadow JOIN run ON run.id = shadow.run_id
              WHERE shadow.finished_at IS NULL AND run.finished_at IS NOT NULL`,
    });
    return rows;
  }
}
