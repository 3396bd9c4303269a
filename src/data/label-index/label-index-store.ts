import type { WorkspaceId } from '../../kernel/ids.js';
import { asColumn, type Database, type Prisma, type Transaction } from '../../platform/database/index.js';
import { storedBlend, storedLabelFit, UNFITTED, type Blend, type LabelIndexRecord } from './label-index.js';

const asRecord = (row: Prisma.LabelIndexGetPayload<object>): LabelIndexRecord => ({
  ...row,
  fit: storedLabelFit.decode(row.fit),
});

/** All queries of the tables `label_index` and `label_blend`. */
export class LabelIndexStore {
  constructor(private readonly database: Database) {}

  /** Adds an index, in place of an older one of the same version and embedder. @returns the ids of those that it replaced */
  async add(tx: Transaction, { fit, ...row }: Omit<LabelIndexRecord, 'createdAt'>): Promise<string[]> {
    const { datasetVersionId, embedderDigest } = row;
    const before = await tx.labelIndex.findMany({ where: { datasetVersionId, embedderDigest } });
    await tx.labelIndex.deleteMany({ where: { datasetVersionId, embedderDigest } });
    await tx.labelIndex.create({ data: { ...row, fit: asColumn(storedLabelFit.encode(fit)) } });
    return before.map(({ id }) => id);
  }

  async ofVersion(
    workspaceId: WorkspaceId,
    datasetVersionId: string,
    embedderDigest: string,
  ): Promise<LabelIndexRecord | null> {
    const row = await this.database.prisma.labelIndex.findFirst({
      where: { workspaceId, datasetVersionId, embedderDigest },
    });
    return row && asRecord(row);
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
              WHERE i.workspace_id = $1 AND v.dataset_id = $2 AND i.embedder_digest = $3 AND v.withdrawn_at IS NULL
              ORDER BY v.version DESC LIMIT 1`,
      values: [workspaceId, datasetId, embedderDigest],
    });
    const row = rows[0] && (await this.database.prisma.labelIndex.findUnique({ where: { id: rows[0].id } }));
    return row ? asRecord(row) : null;
  }

  async ofVersions(workspaceId: WorkspaceId, datasetVersionIds: readonly string[]): Promise<LabelIndexRecord[]> {
    const where = { workspaceId, datasetVersionId: { in: [...datasetVersionIds] } };
    return (await this.database.prisma.labelIndex.findMany({ where })).map(asRecord);
  }

  async remove(workspaceId: WorkspaceId, id: string): Promise<void> {
    await this.database.prisma.labelIndex.deleteMany({ where: { workspaceId, id } });
  }

  /** How much the adapter version and the rows count; the same where nobody fitted it. */
  async blend(labelIndexId: string, adapterVersionId: string): Promise<Blend> {
    const row = await this.database.prisma.labelBlend.findUnique({
      where: { labelIndexId_adapterVersionId: { labelIndexId, adapterVersionId } },
    });
    return row ? storedBlend.decode(row.weights) : UNFITTED;
  }

  async setBlend(tx: Transaction, labelIndexId: string, adapterVersionId: string, weights: Blend): Promise<void> {
    const stored = asColumn(storedBlend.encode(weights));
    await tx.labelBlend.upsert({
      where: { labelIndexId_adapterVersionId: { labelIndexId, adapterVersionId } },
      update: { weights: stored },
      create: { labelIndexId, adapterVersionId, weights: stored },
    });
  }
}
