import { notFound } from '../../../kernel/errors.js';
import { isUuid, newId, type WorkspaceId } from '../../../kernel/ids.js';
import { decodeCursor, toPage, type Page, type PageRequest } from '../../../kernel/pagination.js';
import {
  asColumn,
  mapNameTaken,
  type Database,
  type Prisma,
  type Transaction,
} from '../../../platform/database/index.js';
import type { TaskKind } from './tasks/index.js';
import { storedVersion, type DatasetRecord, type RowGroupRecord, type VersionRecord } from './dataset.js';

type NewVersion = Omit<
  VersionRecord,
  'id' | 'version' | 'createdAt' | 'withdrawnAt' | 'withdrawnReason' | 'withdrawnBy'
>;

/** When and why a version was withdrawn, and by which run; null: by an erasure. */
export interface Withdrawn {
  withdrawnAt: Date;
  withdrawnReason: string;
  withdrawnBy: string | null;
}

const asVersion = (row: Prisma.DatasetVersionGetPayload<object>): VersionRecord => ({
  ...row,
  manifest: storedVersion.manifest.decode(row.manifest),
  sources: storedVersion.sources.decode(row.sources),
  counts: storedVersion.counts.decode(row.counts),
  statistics: storedVersion.statistics.decode(row.statistics),
  report: storedVersion.report.decode(row.report),
});

/** All queries of the tables `dataset`, `dataset_version`, `dataset_row_group`, `dataset_export` and `dataset_parent`. */
export class DatasetStore {
  constructor(private readonly database: Database) {}

  /** @throws ALREADY_EXISTS */
  async create(row: Omit<DatasetRecord, 'id' | 'createdAt'>): Promise<DatasetRecord> {
    try {
      return (await this.database.prisma.dataset.create({ data: { id: newId(), ...row } })) as DatasetRecord;
    } catch (error) {
      throw mapNameTaken(error, 'A dataset', row.name);
    }
  }

  async byName(workspaceId: WorkspaceId, name: string): Promise<DatasetRecord | null> {
    if (name.includes('\0')) return null;
    return (await this.database.prisma.dataset.findFirst({ where: { workspaceId, name } })) as DatasetRecord | null;
  }

  /** @throws NOT_FOUND */
  async require(workspaceId: WorkspaceId, name: string, field: string): Promise<DatasetRecord> {
    const row = await this.byName(workspaceId, name);
    if (!row) throw notFound('The dataset', name, field);
    return row;
  }

  async byIds(workspaceId: WorkspaceId, ids: readonly string[]): Promise<DatasetRecord[]> {
    return (await this.database.prisma.dataset.findMany({
      where: { workspaceId, id: { in: [...ids] } },
    })) as DatasetRecord[];
  }

  /** By name; the cursor is the name. */
  async list(workspaceId: WorkspaceId, page: PageRequest): Promise<Page<DatasetRecord>> {
    const cursor = page.after === null ? null : String(decodeCursor(page.after, 1)[0]);
    const rows = await this.database.prisma.dataset.findMany({
      where: { workspaceId, ...(cursor === null ? {} : { name: { gt: cursor } }) },
      orderBy: { name: 'asc' },
      take: page.first + 1,
    });
    return toPage(rows as DatasetRecord[], page.first);
  }

  /** Which of these labels, or entity types, some dataset for the task declares or has rows of. One statement for any number of them. */
  async knownLabels(workspaceId: WorkspaceId, task: TaskKind, labels: readonly string[]): Promise<Set<string>> {
    if (labels.length === 0) return new Set();
    const { rows } = await this.database.pool.query<{ label: string }>(
      `WITH known AS (
         SELECT unnest(labels) AS label FROM dataset WHERE workspace_id = $1 AND task = $2
         UNION SELECT coalesce(share->>'label', share->>'type') FROM dataset JOIN dataset_version v ON v.dataset_id = dataset.id,
           jsonb_array_elements((v.statistics->'labels') || (v.statistics->'entityTypes')) AS share
          WHERE dataset.workspace_id = $1 AND task = $2 AND withdrawn_at IS NULL)
       SELECT label FROM known WHERE label = ANY($3)`,
      [workspaceId, task, labels],
    );
    return new Set(rows.map(({ label }) => label));
  }

  async versionsByIds(workspaceId: WorkspaceId, ids: readonly string[]): Promise<VersionRecord[]> {
    return (await this.database.prisma.datasetVersion.findMany({ where: { workspaceId, id: { in: [...ids] } } })).map(
      asVersion,
    );
  }

  /** @throws NOT_FOUND */
  async requireVersion(workspaceId: WorkspaceId, id: string, field: string): Promise<VersionRecord> {
    const row = isUuid(id) ? await this.database.prisma.datasetVersion.findFirst({ where: { id, workspaceId } }) : null;
    if (!row) throw notFound('The dataset version', id, field);
    return asVersion(row);
  }

  async versionByNumber(datasetId: string, version: number): Promise<VersionRecord | null> {
    const row = await this.database.prisma.datasetVersion.findFirst({ where: { datasetId, version } });
    return row ? asVersion(row) : null;
  }

  /** The newest version whose rows are there. */
  async latest(datasetId: string): Promise<VersionRecord | null> {
    const row = await this.database.prisma.datasetVersion.findFirst({
      where: { datasetId, withdrawnAt: null },
      orderBy: { version: 'desc' },
    });
    return row ? asVersion(row) : null;
  }

  /** The newest version of each dataset, withdrawn or not, by dataset: one statement for any number of them. */
  async latestOf(datasetIds: readonly string[]): Promise<Map<string, VersionRecord>> {
    const rows = await this.database.prisma.datasetVersion.findMany({
      where: { datasetId: { in: [...datasetIds] } },
      distinct: ['datasetId'],
      orderBy: [{ datasetId: 'asc' }, { version: 'desc' }],
    });
    return new Map(rows.map((row) => [row.datasetId, asVersion(row)]));
  }

  /** A page of versions of each dataset, newest first; the cursor is the version number. Two statements for any number of datasets. */
  async versionsOf(datasetIds: readonly string[], page: PageRequest): Promise<Map<string, Page<VersionRecord>>> {
    const cursor = page.after === null ? null : Number(decodeCursor(page.after, 1)[0]);
    const { rows: ranked } = await this.database.pool.query<{ id: string }>(
      `SELECT id FROM (
         SELECT id, row_number() OVER (PARTITION BY dataset_id ORDER BY version DESC) AS place FROM dataset_version
         WHERE dataset_id = ANY($1) AND ($2::int IS NULL OR version < $2)) ranked WHERE place <= $3`,
      [datasetIds, cursor, page.first + 1],
    );
    const rows = await this.database.prisma.datasetVersion.findMany({
      where: { id: { in: ranked.map((row) => row.id) } },
      orderBy: { version: 'desc' },
    });
    const versionsFor = (id: string) => rows.filter((row) => row.datasetId === id).map(asVersion);
    return new Map(datasetIds.map((id) => [id, toPage(versionsFor(id), page.first)]));
  }

  /** All versions of a dataset whose rows are there. */
  async standing(datasetId: string): Promise<VersionRecord[]> {
    return (await this.database.prisma.datasetVersion.findMany({ where: { datasetId, withdrawnAt: null } })).map(
      asVersion,
    );
  }

  /** All versions of a dataset whose rows were erased. */
  async withdrawn(datasetId: string): Promise<VersionRecord[]> {
    const where = { datasetId, withdrawnAt: { not: null } };
    return (await this.database.prisma.datasetVersion.findMany({ where })).map(asVersion);
  }

  /** A standing version that was made of each of these files, by their digests. One statement for any number of them. */
  async madeOf(
    workspaceId: WorkspaceId,
    digests: readonly string[],
  ): Promise<Map<string, { dataset: string; version: number }>> {
    const { rows } = await this.database.pool.query<{ sha256: string; dataset: string; version: number }>(
      `SELECT DISTINCT ON (sha256) sha256, dataset.name AS dataset, version
       FROM dataset_version v JOIN dataset ON dataset.id = dataset_id,
            jsonb_array_elements(manifest->'files') AS file, unnest(ARRAY[file->>'sha256', file->>'pair']) AS sha256
       WHERE v.workspace_id = $1 AND withdrawn_at IS NULL AND sha256 = ANY($2)
       ORDER BY sha256, v.id DESC`,
      [workspaceId, digests],
    );
    return new Map(rows.map(({ sha256, ...user }) => [sha256, user]));
  }

  /** Standing versions whose rows hold text of one of these documents, by collection and name. */
  async showing(
    workspaceId: WorkspaceId,
    documents: readonly { collectionId: string; name: string }[],
  ): Promise<{ id: string; datasetId: string }[]> {
    if (documents.length === 0) return [];
    const { rows } = await this.database.pool.query<{ id: string; datasetId: string }>(
      `SELECT v.id, v.dataset_id AS "datasetId" FROM dataset_version v
        WHERE v.workspace_id = $1 AND v.withdrawn_at IS NULL AND EXISTS (
          SELECT 1 FROM unnest($2::text[], $3::text[]) AS d(collection, name)
           WHERE v.manifest #>> '{origin,collection,id}' = d.collection
             AND v.manifest #> '{origin,collection,documents}' ? d.name)`,
      [workspaceId, documents.map(({ collectionId }) => collectionId), documents.map(({ name }) => name)],
    );
    return rows;
  }

  /** Standing versions whose questions are those of one of these. */
  async askingOf(
    workspaceId: WorkspaceId,
    versionIds: readonly string[],
  ): Promise<{ id: string; datasetId: string }[]> {
    const { rows } = await this.database.pool.query<{ id: string; datasetId: string }>(
      `SELECT id, dataset_id AS "datasetId" FROM dataset_version
        WHERE workspace_id = $1 AND withdrawn_at IS NULL AND manifest #>> '{origin,questions,versionId}' = ANY($2)`,
      [workspaceId, versionIds],
    );
    return rows;
  }

  /** A standing version whose rows lie in files with these contents, by digest. */
  async keptIn(
    workspaceId: WorkspaceId,
    digests: readonly string[],
  ): Promise<Map<string, { dataset: string; version: number }>> {
    const { rows } = await this.database.pool.query<{ sha256: string; dataset: string; version: number }>(
      `SELECT DISTINCT ON (sha256) sha256, dataset.name AS dataset, version
       FROM dataset_row_group
       JOIN dataset_version v ON v.id = version_id JOIN dataset ON dataset.id = dataset_id
       WHERE v.workspace_id = $1 AND withdrawn_at IS NULL AND sha256 = ANY($2)
       ORDER BY sha256, v.id DESC`,
      [workspaceId, digests],
    );
    return new Map(rows.map(({ sha256, ...user }) => [sha256, user]));
  }

  /** Parents by child: one statement for any number of versions. */
  async parents(versionIds: readonly string[]): Promise<Map<string, VersionRecord[]>> {
    const rows = await this.database.prisma.datasetParent.findMany({
      where: { versionId: { in: [...versionIds] } },
      include: { parent: true },
    });
    const byChild = new Map<string, VersionRecord[]>();
    for (const row of rows) byChild.set(row.versionId, [...(byChild.get(row.versionId) ?? []), asVersion(row.parent)]);
    return byChild;
  }

  /** The version that a deletion made of this one, or null. */
  async successor(version: VersionRecord): Promise<VersionRecord | null> {
    const rows = await this.database.prisma.datasetVersion.findMany({
      where: { parents: { some: { parentId: version.id } } },
      orderBy: { version: 'desc' },
    });
    return rows.map(asVersion).find((row) => row.manifest.base?.digest === version.digest) ?? null;
  }

  rowGroups(versionId: string): Promise<RowGroupRecord[]> {
    return this.database.prisma.datasetRowGroup.findMany({ where: { versionId }, orderBy: { position: 'asc' } });
  }

  /** Ids of the stored files that are row groups with one of these contents. */
  async rowGroupFiles(digests: readonly string[]): Promise<Set<string>> {
    const where = { sha256: { in: [...digests] } };
    return new Set((await this.database.prisma.datasetRowGroup.findMany({ where })).map((group) => group.fileId));
  }

  /** Ids of the stored files that rows of these versions were exported to. */
  async exportFiles(versionIds: readonly string[]): Promise<string[]> {
    const where = { versionId: { in: [...versionIds] } };
    return (await this.database.prisma.datasetExport.findMany({ where })).map((row) => row.fileId);
  }

  /** Notes an export. @returns false when the version was withdrawn in the meantime: then the file must not stay */
  async addExport(tx: Transaction, versionId: string, fileId: string): Promise<boolean> {
    const added = await tx.$executeRaw`
      WITH standing AS (SELECT id FROM dataset_version WHERE id = ${versionId}::uuid AND withdrawn_at IS NULL FOR SHARE)
      INSERT INTO dataset_export (version_id, file_id) SELECT id, ${fileId}::uuid FROM standing`;
    return added === 1;
  }

  /** Holds other writers of this dataset's versions off until the transaction ends. */
  async lock(tx: Transaction, datasetId: string): Promise<void> {
    await tx.$queryRaw`SELECT 1 FROM dataset WHERE id = ${datasetId}::uuid FOR UPDATE`;
  }

  async byDigest(tx: Transaction, datasetId: string, digest: string): Promise<VersionRecord | null> {
    const row = await tx.datasetVersion.findUnique({ where: { datasetId_digest: { datasetId, digest } } });
    return row ? asVersion(row) : null;
  }

  /** Adds the next version. Call it under `lock`. */
  async addVersion(
    tx: Transaction,
    version: NewVersion,
    rowGroups: Omit<RowGroupRecord, 'versionId'>[],
    parents: readonly string[],
  ): Promise<VersionRecord> {
    const { _max } = await tx.datasetVersion.aggregate({
      where: { datasetId: version.datasetId },
      _max: { version: true },
    });
    const { manifest, sources, counts, statistics, report, ...rest } = version;
    const row = await tx.datasetVersion.create({
      data: {
        ...rest,
        id: newId(),
        version: (_max.version ?? 0) + 1,
        manifest: asColumn(storedVersion.manifest.encode(manifest)),
        sources: asColumn(storedVersion.sources.encode(sources)),
        counts: asColumn(storedVersion.counts.encode(counts)),
        statistics: asColumn(storedVersion.statistics.encode(statistics)),
        report: asColumn(storedVersion.report.encode(report)),
      },
    });
    await tx.datasetRowGroup.createMany({ data: rowGroups.map((group) => ({ ...group, versionId: row.id })) });
    await tx.datasetParent.createMany({ data: parents.map((parentId) => ({ versionId: row.id, parentId })) });
    return asVersion(row);
  }

  /** Takes versions out of use: their row groups are forgotten, and what the report quotes of rows. */
  async withdraw(tx: Transaction, versionIds: readonly string[], withdrawn: Withdrawn): Promise<void> {
    // Who is writing down what is known of these rows ends first, or finds them withdrawn: what goes with them is looked for before the update waits.
    await tx.$executeRaw`SELECT 1 FROM dataset_version WHERE id = ANY(${[...versionIds]}::uuid[]) ORDER BY id FOR UPDATE`;
    for (const row of await tx.datasetVersion.findMany({ where: { id: { in: [...versionIds] }, withdrawnAt: null } })) {
      const report = asVersion(row).report;
      const problems = report.problems.map((problem) => ({ ...problem, example: null, rows: [] }));
      await tx.datasetVersion.update({
        where: { id: row.id },
        data: { ...withdrawn, report: asColumn(storedVersion.report.encode({ ...report, problems })) },
      });
    }
    await tx.datasetRowGroup.deleteMany({ where: { versionId: { in: [...versionIds] } } });
  }
}
