import { newId } from '../../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../../kernel/pagination.js';
import { asColumn, type Database, type Prisma, type Transaction } from '../../../platform/database/index.js';
import {
  storedPayload,
  type DeliveryRecord,
  type DeliveryStatus,
  type Payload,
  type WebhookRecord,
} from './webhook.js';

/** A delivery that is this gateway's to try. */
export interface Due {
  id: string;
  url: string;
  secret: string;
  payload: Payload;
  attempts: number;
}

const SHOWN = { id: true, workspaceId: true, url: true, createdAt: true } as const;

/** All SQL of `webhook` and `webhook_delivery`. */
export class WebhookStore {
  constructor(private readonly database: Database) {}

  /** Has each webhook of the workspace told, if and when the transaction commits. */
  async plan(tx: Transaction, workspaceId: string, payload: Payload): Promise<void> {
    const webhooks = await tx.webhook.findMany({ where: { workspaceId }, select: { id: true } });
    await tx.webhookDelivery.createMany({
      data: webhooks.map(({ id }) => ({
        id: newId(),
        workspaceId,
        webhookId: id,
        status: 'WAITING',
        payload: asColumn(storedPayload.encode(payload)) as Prisma.InputJsonValue,
      })),
    });
  }

  async add(workspaceId: string, url: string, secret: string): Promise<WebhookRecord> {
    return this.database.prisma.webhook.create({ data: { id: newId(), workspaceId, url, secret }, select: SHOWN });
  }

  async count(workspaceId: string): Promise<number> {
    return this.database.prisma.webhook.count({ where: { workspaceId } });
  }

  async byIds(workspaceId: string, ids: readonly string[]): Promise<Map<string, WebhookRecord>> {
    const where = { workspaceId, id: { in: [...ids] } };
    const rows = await this.database.prisma.webhook.findMany({ where, select: SHOWN });
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** Deliveries go with it. @returns whether there was one */
  async remove(workspaceId: string, id: string): Promise<boolean> {
    return (await this.database.prisma.webhook.deleteMany({ where: { workspaceId, id } })).count === 1;
  }

  async list(workspaceId: string, page: PageRequest): Promise<Page<WebhookRecord>> {
    const cursor = page.after === null ? null : idCursor(page.after);
    const rows = await this.database.prisma.webhook.findMany({
      where: { workspaceId, ...(cursor && { id: { gt: cursor } }) },
      orderBy: { id: 'asc' },
      take: page.first + 1,
      select: SHOWN,
    });
    return toPage(rows, page.first);
  }

  /** Newest first; the cursor is `encodeCursor([delivery.id])`. */
  async deliveries(workspaceId: string, webhookId: string, page: PageRequest): Promise<Page<DeliveryRecord>> {
    const cursor = page.after === null ? null : idCursor(page.after);
    const rows = await this.database.prisma.webhookDelivery.findMany({
      where: { workspaceId, webhookId, ...(cursor && { id: { lt: cursor } }) },
      orderBy: { id: 'desc' },
      take: page.first + 1,
    });
    const items = rows.map((row) => ({
      ...row,
      status: row.status as DeliveryStatus,
      payload: storedPayload.decode(row.payload),
    }));
    return toPage(items, page.first);
  }

  /** Takes what is due; others keep away for `leaseSeconds`, after which whoever took it counts as gone. */
  async take(limit: number, leaseSeconds: number): Promise<Due[]> {
    const rows = await this.database.prisma.$queryRaw<(Omit<Due, 'payload'> & { payload: unknown })[]>`
      UPDATE webhook_delivery d SET attempts = attempts + 1, next_at = now() + make_interval(secs => ${leaseSeconds})
        FROM webhook w
       WHERE w.id = d.webhook_id AND d.id IN (
         SELECT id FROM webhook_delivery WHERE status = 'WAITING' AND next_at <= now()
          ORDER BY next_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
      RETURNING d.id, w.url, w.secret, d.payload, d.attempts`;
    return rows.map((row) => ({ ...row, payload: storedPayload.decode(row.payload) }));
  }

  /** Notes how a try ended. Only who tried last does: a slow one that was taken over changes nothing. */
  async settle(
    { id, attempts }: Pick<Due, 'id' | 'attempts'>,
    status: DeliveryStatus,
    outcome: string,
    waitSeconds = 0,
  ): Promise<void> {
    await this.database.prisma.$executeRaw`
      UPDATE webhook_delivery SET status = ${status}, outcome = ${outcome},
             next_at = now() + make_interval(secs => ${waitSeconds}),
             ended_at = CASE WHEN ${status} = 'WAITING' THEN NULL ELSE now() END
       WHERE id = ${id}::uuid AND attempts = ${attempts} AND status = 'WAITING'`;
  }

  /** Deliveries by status, of all workspaces. */
  async counts(): Promise<{ status: string; count: number }[]> {
    return this.database.prisma.$queryRaw`SELECT status, count(*)::int AS count FROM webhook_delivery GROUP BY status`;
  }

  /** Forgets deliveries that ended longer ago. @returns how many */
  async forget(days: number): Promise<number> {
    return this.database.prisma.$executeRaw`
      DELETE FROM webhook_delivery WHERE ended_at < now() - make_interval(days => ${days})`;
  }
}
