import type { Holder } from '../../../../platform/erasure/index.js';
import { notFound } from '../../../../kernel/errors.js';
import type { WorkspaceId } from '../../../../kernel/ids.js';
import { asColumn, type Database, Prisma, type Transaction } from '../../../../platform/database/index.js';
import { storedBlend, storedLabelFit, UNFITTED, type Blend, type LabelIndexRecord } from './label-index.js';

const asRecord = (row: Prisma.LabelIndexGetPayload<object>): LabelIndexRecord | null =>
  row.fit === null ? null : { ...row, fit: storedLabelFit.decode(row.fit) };

/** An index in the making. */
type BegunIndex = Pick<LabelIndexRecord, 'id' | 'workspaceId' | 'datasetVersionId' | 'embedderDigest'>;

/** All queries of the tables `label_index` and `label_blend`. */
export class LabelIndexStore {
  constructor(private readonly database: Database) {}

  /** Writes down that there will be vectors under this id; may be repeated. */
  async begin(index: BegunIndex): Promise<void> {
    await this.database.prisma.labelIndex.upsert({
      where: { id: index.id },
      update: {},
      create: { ...index, rows: 0 },
    });
  }

  /**
   * From now on the index answers, in place of others of the same version and embedder.
   * @returns the ids of those, whose vectors are of no use any more
   * @throws NOT_FOUND when it was forgotten meanwhile, with the rows
   */
  async finish(
    tx: Transaction,
    { id, datasetVersionId, embedderDigest }: BegunIndex,
    result: Finished,
  ): Promise<string[]> {
    const { rows, fit } = result;
    const { count } = await tx.labelIndex.updateMany({
      where: { id },
      data: { rows, fit: asColumn(storedLabelFit.encode(fit)), createdAt: new Date() },
    });
    if (count === 0) throw notFound('The index', id);
    const filter = { datasetVersionId, embedderDigest, id: { not: id } };
    const replaced = await tx.labelIndex.findMany({ where: filter });
    await tx.labelIndex.deleteMany({ where: filter });
    return replaced.map((index) => index.id);
  }

  async ofVersion(
    workspaceId: WorkspaceId,
    datasetVersionId: string,
    embedderDigest: string,
  ): Promise<LabelIndexRecord | null> {
    const rows = await this.database.prisma.labelIndex.findMany({
      where: { workspaceId, datasetVersionId, embedderDigest },
    });
    return rows.map(asRecord).find((record) => record !== null) ?? null;
  }

  /** That of the dataset's newest version that has one and whose rows are there. */
  async newestOf(
    workspaceId: WorkspaceId,
    datasetId: string,
    embedderDigest: string,
  ): Promise<LabelIndexRecord | null> {
    const { rows } = await this.database.pool.query<{ id: string }>({
      name: 'newest-label-index',
      text: `SELECT i.id FROM label_index i JOIN dataset_version v ON v.id = i.dataset_version_id
              WHERE i.workspace_id = $1 AND v.dataset_id = $2 AND i.embedder_digest = $3 AND i.fit IS NOT NULL
                AND v.withdrawn_at IS NULL
              ORDER BY v.version DESC LIMIT 1`,
      values: [workspaceId, datasetId, embedderDigest],
    });
    const row = rows[0] && (await this.database.prisma.labelIndex.findFirst({ where: { id: rows[0].id } }));
    return row ? asRecord(row) : null;
  }

  /** Ids of indexes of these versions: all, or those in the making. */
  async ofVersions(
    workspaceId: WorkspaceId,
    datasetVersionIds: readonly string[],
    scope: 'all' | 'begun',
  ): Promise<string[]> {
    const where = {
      workspaceId,
      datasetVersionId: { in: [...datasetVersionIds] },
      ...(scope === 'begun' && { fit: { equals: Prisma.DbNull } }),
    };
    return (await this.database.prisma.labelIndex.findMany({ where, select: { id: true } })).map(({ id }) => id);
  }

  async remove(workspaceId: WorkspaceId, id: string): Promise<void> {
    await this.database.prisma.labelIndex.deleteMany({ where: { workspaceId, id } });
  }

  /** How much the adapter version and the rows count; the same where nobody fitted it. */
  async blend(labelIndexId: string, adapterVersionId: string): Promise<Blend> {
    const row = await this.database.prisma.labelBlend.findFirst({ where: { labelIndexId, adapterVersionId } });
    return row ? storedBlend.decode(row.weights) : UNFITTED;
  }

  async setBlend(tx: Transaction, labelIndexId: string, adapterVersionId: string, weights: Blend): Promise<void> {
    const encodedWeights = asColumn(storedBlend.encode(weights));
    await tx.labelBlend.upsert({
      where: { labelIndexId_adapterVersionId: { labelIndexId, adapterVersionId } },
      update: { weights: encodedWeights },
      create: { labelIndexId, adapterVersionId, weights: encodedWeights },
    });
  }
}

/** Weights of adapters beside labelled rows: they go with the adapter. */
export const blendHolder = (database: Database): Holder => ({
  name: 'weights beside labelled rows',
  async erase({ adapterVersions = [] }) {
    const where = { adapterVersionId: { in: [...adapterVersions] } };
    return (await database.prisma.labelBlend.deleteMany({ where })).count;
  },
});

type Finished = Pick<LabelIndexRecord, 'rows' | 'fit'>;
