import { notFound } from '../../../kernel/errors.js';
import { newId, type WorkspaceId } from '../../../kernel/ids.js';
import { decodeCursor, toPage, type Page, type PageRequest } from '../../../kernel/pagination.js';
import {
  asColumn,
  mapNameTaken,
  type Database,
  type Prisma,
  type Transaction,
} from '../../../platform/database/index.js';
import { storedFields, storedValues, type FeatureRow, type FeatureViewRecord } from './feature-view.js';

type Row = { entity: string; event_time: Date; created_time: Date; values: unknown };

const asView = (row: Prisma.FeatureViewGetPayload<object>): FeatureViewRecord => ({
  ...row,
  fields: storedFields.decode(row.fields),
});
const asRow = (row: Row): FeatureRow => ({
  entity: row.entity,
  eventTime: row.event_time,
  createdTime: row.created_time,
  values: storedValues.decode(row.values),
});

/** All queries of the tables `feature_view` and `feature_row`. */
export class FeatureStore {
  constructor(private readonly database: Database) {}

  /** @throws ALREADY_EXISTS */
  async createView(view: Omit<FeatureViewRecord, 'id' | 'createdAt'>): Promise<FeatureViewRecord> {
    try {
      return asView(
        await this.database.prisma.featureView.create({
          data: { id: newId(), ...view, fields: asColumn(storedFields.encode(view.fields)) },
        }),
      );
    } catch (error) {
      throw mapNameTaken(error, 'A feature view', view.name);
    }
  }

  async view(workspaceId: WorkspaceId, name: string): Promise<FeatureViewRecord | null> {
    if (name.includes('\0')) return null;
    const row = await this.database.prisma.featureView.findFirst({ where: { workspaceId, name } });
    return row && asView(row);
  }

  /** @throws NOT_FOUND */
  async requireView(workspaceId: WorkspaceId, name: string, field: string): Promise<FeatureViewRecord> {
    const view = await this.view(workspaceId, name);
    if (!view) throw notFound('The feature view', name, field);
    return view;
  }

  async viewsByIds(workspaceId: WorkspaceId, ids: readonly string[]): Promise<FeatureViewRecord[]> {
    return (await this.database.prisma.featureView.findMany({ where: { workspaceId, id: { in: [...ids] } } })).map(
      asView,
    );
  }

  /** By name; the cursor is the name. */
  async views(workspaceId: WorkspaceId, page: PageRequest): Promise<Page<FeatureViewRecord>> {
    const cursor = page.after === null ? null : String(decodeCursor(page.after, 1)[0]);
    const rows = await this.database.prisma.featureView.findMany({
      where: { workspaceId, ...(cursor === null ? {} : { name: { gt: cursor } }) },
      orderBy: { name: 'asc' },
      take: page.first + 1,
    });
    return toPage(rows.map(asView), page.first);
  }

  /**
   * Adds rows to a history. A row with the very same entity and times is there already and stays: sending rows twice
   * changes nothing. @returns how many were new
   */
  add(viewId: string, rows: readonly FeatureRow[], tx: Transaction = this.database.prisma): Promise<number> {
    const ids = rows.map(() => newId());
    const entities = rows.map((row) => row.entity);
    const eventTimes = rows.map((row) => row.eventTime.toISOString());
    const createdTimes = rows.map((row) => row.createdTime.toISOString());
    const values = rows.map((row) => JSON.stringify(storedValues.encode(row.values)));
    return tx.$executeRaw`
      INSERT INTO feature_row (id, view_id, entity, event_time, created_time, values)
      SELECT id::uuid, ${viewId}::uuid, entity, event_time::timestamptz, created_time::timestamptz, values::jsonb
      FROM unnest(${ids}::text[], ${entities}::text[], ${eventTimes}::text[], ${createdTimes}::text[], ${values}::text[])
        AS row(id, entity, event_time, created_time, values)
      ON CONFLICT DO NOTHING`;
  }

  /**
   * The value of each entity as a reader at `moment` sees it: the latest event at or before it (of those the latest created)
   * that was created by then and is not older than the time to live. One statement for any number of entities.
   */
  async valuesAt(view: FeatureViewRecord, entities: readonly string[], moment: Date): Promise<Map<string, FeatureRow>> {
    const oldest = view.ttlSeconds === null ? null : new Date(moment.getTime() - view.ttlSeconds * 1000);
    const { rows } = await this.database.pool.query<Row>(
      `SELECT wanted.entity, found.event_time, found.created_time, found.values
       FROM unnest($2::text[]) AS wanted(entity)
       CROSS JOIN LATERAL (
         SELECT event_time, created_time, values FROM feature_row
         WHERE view_id = $1 AND entity = wanted.entity AND event_time <= $3 AND created_time <= $3
           AND ($4::timestamptz IS NULL OR event_time >= $4)
         ORDER BY event_time DESC, created_time DESC LIMIT 1) found`,
      [view.id, [...new Set(entities)], moment, oldest],
    );
    return new Map(rows.map((row) => [row.entity, asRow(row)]));
  }

  /** The history of an entity, latest event first; the cursor is event and creation time in ms. */
  async history(viewId: string, entity: string, page: PageRequest): Promise<Page<FeatureRow>> {
    const cursor = page.after === null ? null : decodeCursor(page.after, 2).map((ms) => new Date(Number(ms)));
    const { rows } = await this.database.pool.query<Row>(
      `SELECT entity, event_time, created_time, values FROM feature_row
       WHERE view_id = $1 AND entity = $2 AND ($3::timestamptz IS NULL OR (event_time, created_time) < ($3, $4))
       ORDER BY event_time DESC, created_time DESC LIMIT $5`,
      [viewId, entity, cursor?.[0] ?? null, cursor?.[1] ?? null, page.first + 1],
    );
    return toPage(rows.map(asRow), page.first);
  }

  /** The whole history of a view in batches, in a fixed order. */
  async *all(viewId: string, batch = 5_000): AsyncGenerator<FeatureRow[]> {
    let last = null as FeatureRow | null;
    for (;;) {
      const { rows }: { rows: Row[] } = await this.database.pool.query<Row>(
        `SELECT entity, event_time, created_time, values FROM feature_row
         WHERE view_id = $1 AND ($2::text IS NULL OR (entity, event_time, created_time) > ($2, $3, $4))
         ORDER BY entity, event_time, created_time LIMIT $5`,
        [viewId, last?.entity ?? null, last?.eventTime ?? null, last?.createdTime ?? null, batch],
      );
      if (rows.length === 0) return;
      const page = rows.map(asRow);
      yield page;
      last = page.at(-1)!;
    }
  }

  /** Removes an entity from a workspace's views: the rows of a person. @returns how many rows went */
  async forget(workspaceId: WorkspaceId, entity: string): Promise<number> {
    const { rowCount } = await this.database.pool.query(
      `DELETE FROM feature_row USING feature_view v WHERE v.id = view_id AND v.workspace_id = $1 AND feature_row.entity = $2`,
      [workspaceId, entity],
    );
    return rowCount ?? 0;
  }
}
