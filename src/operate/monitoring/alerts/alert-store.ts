import { newId, type Uuid } from '../../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../../kernel/pagination.js';
import { asColumn, type Database, type Prisma, type Transaction } from '../../../platform/database/index.js';
import type { AlertKind, AlertRecord, NewAlert } from './alert.js';
import { storedRule, storedState, type Rule, type RuleState } from './rule.js';

export interface RuleRecord {
  id: string;
  workspaceId: string;
  name: string;
  rule: Rule;
  state: RuleState;
  enabled: boolean;
  createdAt: Date;
  updatedAt: Date;
}

/** Alerts that a span of a series is held against. */
const MOST_DURING = 200;

type RuleRow = Prisma.AlertRuleGetPayload<object>;

const toRule = (row: RuleRow): RuleRecord => ({
  ...row,
  rule: storedRule.decode(row.rule),
  state: storedState.decode(row.state),
});

/** All SQL of `alert_rule` and `alert`. */
export class AlertStore {
  constructor(private readonly database: Database) {}

  /** Rules that look at answers of these workspaces, in the order in which they were made. */
  async enabledRules(tx: Transaction, workspaceIds: readonly string[]): Promise<RuleRecord[]> {
    const where = { workspaceId: { in: [...workspaceIds] }, enabled: true };
    return (await tx.alertRule.findMany({ where, orderBy: { id: 'asc' } })).map(toRule);
  }

  async saveState(tx: Transaction, id: string, state: RuleState): Promise<void> {
    await tx.alertRule.updateMany({ where: { id }, data: { state: asColumn(storedState.encode(state)) } });
  }

  async rules(workspaceId: string, page: PageRequest): Promise<Page<RuleRecord>> {
    const cursor = page.after === null ? null : idCursor(page.after);
    const rows = await this.database.prisma.alertRule.findMany({
      where: { workspaceId, ...(cursor && { id: { gt: cursor } }) },
      orderBy: { id: 'asc' },
      take: page.first + 1,
    });
    return toPage(rows.map(toRule), page.first);
  }

  async rulesByIds(workspaceId: string, ids: readonly string[]): Promise<Map<string, RuleRecord>> {
    const rows = await this.database.prisma.alertRule.findMany({ where: { workspaceId, id: { in: [...ids] } } });
    return new Map(rows.map((row) => [row.id, toRule(row)]));
  }

  async countRules(tx: Transaction, workspaceId: string): Promise<number> {
    return tx.alertRule.count({ where: { workspaceId } });
  }

  async ruleNamed(tx: Transaction, workspaceId: string, name: string): Promise<RuleRecord | null> {
    const row = await tx.alertRule.findUnique({ where: { workspaceId_name: { workspaceId, name } } });
    return row && toRule(row);
  }

  async putRule(
    tx: Transaction,
    {
      workspaceId,
      name,
      rule,
      state,
      enabled,
    }: Pick<RuleRecord, 'workspaceId' | 'name' | 'rule' | 'state' | 'enabled'>,
  ): Promise<RuleRecord> {
    const columns = {
      rule: asColumn(storedRule.encode(rule)),
      state: asColumn(storedState.encode(state)),
      enabled,
    };
    return toRule(
      await tx.alertRule.upsert({
        where: { workspaceId_name: { workspaceId, name } },
        create: { id: newId(), workspaceId, name, ...columns },
        update: { ...columns, updatedAt: new Date() },
      }),
    );
  }

  async removeRule(tx: Transaction, id: string): Promise<void> {
    await tx.alertRule.delete({ where: { id } });
  }

  /**
   * Raises an alert, or once more the one of its source that is not resolved.
   * @returns it, and whether it is new
   */
  async raise(tx: Transaction, raised: NewAlert): Promise<{ alert: AlertRecord; isNew: boolean }> {
    const { workspaceId, source, sentence, evidence, observations } = raised;
    const [openAlert] = await tx.$queryRaw<{ id: Uuid }[]>`
      UPDATE alert SET times = times + 1, last_raised_at = now(), recovered_at = NULL, sentence = ${sentence},
             evidence = ${evidence}, observations = ${observations}
       WHERE workspace_id = ${workspaceId}::uuid AND source = ${source} AND status <> 'RESOLVED' RETURNING id`;
    if (openAlert) return { alert: await this.#one(tx, openAlert.id), isNew: false };
    const row = await tx.alert.create({ data: { ...raised, id: newId(), status: 'OPEN' } });
    return { alert: row as AlertRecord, isNew: true };
  }

  /** Notes that the cause of an alert is gone. */
  async recover(tx: Transaction, workspaceId: string, source: string): Promise<void> {
    await tx.$executeRaw`
      UPDATE alert SET recovered_at = now()
       WHERE workspace_id = ${workspaceId}::uuid AND source = ${source} AND status <> 'RESOLVED' AND recovered_at IS NULL`;
  }

  /** Alerts of a kind whose cause is there. */
  standing(tx: Transaction, kind: AlertKind): Promise<{ workspaceId: string; source: string }[]> {
    const where = { kind, status: { not: 'RESOLVED' }, recoveredAt: null };
    return tx.alert.findMany({ where, select: { workspaceId: true, source: true } });
  }

  /** Resolves what has recovered and stayed so for its time. @returns those */
  async resolveRecovered(tx: Transaction, actor: string): Promise<AlertRecord[]> {
    const rows = await tx.$queryRaw<{ id: Uuid }[]>`
      UPDATE alert SET status = 'RESOLVED', resolved_at = now(), resolved_by = ${actor}
       WHERE status <> 'RESOLVED' AND recovered_at <= now() - make_interval(secs => quiet_minutes * 60) RETURNING id`;
    return Promise.all(rows.map(({ id }) => this.#one(tx, id)));
  }

  async acknowledge(tx: Transaction, workspaceId: string, id: string, actor: string): Promise<boolean> {
    const changed = await tx.alert.updateMany({
      where: { workspaceId, id, status: 'OPEN' },
      data: { status: 'ACKNOWLEDGED', acknowledgedAt: new Date(), acknowledgedBy: actor },
    });
    return changed.count === 1;
  }

  async resolve(tx: Transaction, workspaceId: string, id: string, actor: string): Promise<boolean> {
    const changed = await tx.alert.updateMany({
      where: { workspaceId, id, status: { not: 'RESOLVED' } },
      data: { status: 'RESOLVED', resolvedAt: new Date(), resolvedBy: actor },
    });
    return changed.count === 1;
  }

  /** Newest first; the cursor is `encodeCursor([alert.id])`. */
  async alerts(workspaceId: string, open: boolean | null, page: PageRequest): Promise<Page<AlertRecord>> {
    const cursor = page.after === null ? null : idCursor(page.after);
    const rows = await this.database.prisma.alert.findMany({
      where: {
        workspaceId,
        ...(cursor && { id: { lt: cursor } }),
        ...(open !== null && { status: open ? { not: 'RESOLVED' } : 'RESOLVED' }),
      },
      orderBy: { id: 'desc' },
      take: page.first + 1,
    });
    return toPage(rows as AlertRecord[], page.first);
  }

  /** Alerts about an adapter that are not resolved: sources of drift end with `name@3`, and rules name it, with or without a version. */
  async openAbout(workspaceId: string, adapter: string): Promise<AlertRecord[]> {
    const adapterPath = ['where', 'adapter'];
    const rows = await this.database.prisma.alert.findMany({
      where: {
        workspaceId,
        status: { not: 'RESOLVED' },
        OR: [
          { source: { contains: `:${adapter}@` } },
          { rule: { rule: { path: adapterPath, equals: adapter } } },
          { rule: { rule: { path: adapterPath, string_starts_with: `${adapter}@` } } },
        ],
      },
      orderBy: { id: 'desc' },
      take: 20,
    });
    return rows as AlertRecord[];
  }

  /** Whether an alert of drift about an adapter was raised before a moment and not resolved then. */
  async driftStood(workspaceId: string, adapter: string, moment: Date): Promise<boolean> {
    const stood = await this.database.prisma.alert.findFirst({
      where: {
        workspaceId,
        kind: { not: 'RULE' },
        source: { contains: `:${adapter}@` },
        raisedAt: { lte: moment },
        OR: [{ resolvedAt: null }, { resolvedAt: { gt: moment } }],
      },
      select: { id: true },
    });
    return stood !== null;
  }

  /** Alerts that were raised before `to` and not resolved before `from`, newest first, each with the rule that raised it: at most 200. */
  async during(workspaceId: string, from: Date, to: Date): Promise<{ alert: AlertRecord; rule: Rule | null }[]> {
    const rows = await this.database.prisma.alert.findMany({
      where: { workspaceId, raisedAt: { lt: to }, OR: [{ resolvedAt: null }, { resolvedAt: { gte: from } }] },
      orderBy: { id: 'desc' },
      take: MOST_DURING,
      include: { rule: true },
    });
    return rows.map(({ rule, ...alert }) => ({
      alert: alert as AlertRecord,
      rule: rule && storedRule.decode(rule.rule),
    }));
  }

  async byIds(
    workspaceId: string,
    ids: readonly string[],
    tx: Transaction = this.database.prisma,
  ): Promise<Map<string, AlertRecord>> {
    const rows = await tx.alert.findMany({ where: { workspaceId, id: { in: [...ids] } } });
    return new Map(rows.map((row) => [row.id, row as AlertRecord]));
  }

  /** Alerts that are not resolved, of all workspaces, by kind and status. */
  async unresolved(): Promise<{ kind: string; status: string; count: number }[]> {
    return this.database.prisma.$queryRaw`
      SELECT kind, status, count(*)::int AS count FROM alert WHERE status <> 'RESOLVED' GROUP BY kind, status`;
  }

  async #one(tx: Transaction, id: string): Promise<AlertRecord> {
    return (await tx.alert.findUniqueOrThrow({ where: { id } })) as AlertRecord;
  }
}
