import type { Holder } from '../../../../platform/erasure/index.js';
import { newId, type WorkspaceId } from '../../../../kernel/ids.js';
import { bytesOfFloats, floatsOfBytes } from '../../../../kernel/vectors.js';
import {
  asColumn,
  RecentReads,
  type Database,
  type Prisma,
  type Transaction,
} from '../../../../platform/database/index.js';
import {
  storedLearned,
  type AdapterSample,
  type RouterParameters,
  type RouterMode,
  type RouterRecord,
} from './router.js';

const asRecord = (row: Prisma.RouterVersionGetPayload<object>): RouterRecord => ({
  ...row,
  mode: row.mode as RouterMode,
  learned: storedLearned.decode(row.learned),
});

/** Workspaces whose router is kept in memory: some megabytes each. */
const MOST_KNOWN = 64;

/** All queries of the tables `router_version` and `adapter_sample`. A rule of the database removes samples of rows that are erased. */
export class RouterStore {
  /** Every question asks for the newest version, and there is a new one once in a while. */
  readonly #known = new RecentReads<Current | null>(MOST_KNOWN);

  constructor(private readonly database: Database) {}

  /** The newest version of this embedder with its samples; null before the first. Another gateway's is seen within two seconds. */
  current(workspaceId: WorkspaceId, embedderDigest: string): Promise<Current | null> {
    return this.#known.get(workspaceId, () => this.#read(workspaceId, embedderDigest));
  }

  async #read(workspaceId: WorkspaceId, embedderDigest: string): Promise<Current | null> {
    const { prisma } = this.database;
    const row = await prisma.routerVersion.findFirst({
      where: { workspaceId, embedderDigest },
      orderBy: { version: 'desc' },
    });
    if (!row) return null;
    const record = asRecord(row);
    const ids = record.learned.adapters.map(({ versionId }) => versionId);
    const samples = await prisma.adapterSample.findMany({
      where: { workspaceId, embedderDigest, adapterVersionId: { in: ids } },
    });
    return { record, samples: new Map(samples.map((sample) => [sample.adapterVersionId, toSample(sample)])) };
  }

  /** Workspaces that have a router, or an adapter in production. */
  async workspaces(): Promise<WorkspaceId[]> {
    const rows = await this.database.prisma.$queryRaw<{ workspace_id: WorkspaceId }[]>`
      SELECT workspace_id FROM router_version
       UNION SELECT workspace_id FROM adapter JOIN adapter_alias ON adapter_id = adapter.id WHERE alias = 'production'
       ORDER BY workspace_id`;
    return rows.map((row) => row.workspace_id);
  }

  async newest(workspaceId: WorkspaceId): Promise<RouterRecord | null> {
    const row = await this.database.prisma.routerVersion.findFirst({
      where: { workspaceId },
      orderBy: { version: 'desc' },
    });
    return row && asRecord(row);
  }

  /** The next version, which goes on with the mode that somebody set last. */
  async add(
    tx: Transaction,
    workspaceId: WorkspaceId,
    { embedderDigest, mode, modeAskedAt, learned, samples }: NewRouterVersion,
  ): Promise<RouterRecord> {
    const last = await lockedNewest(tx, workspaceId);
    const modeSetAt = last?.modeSetAt ?? null;
    // What somebody said since the fit was asked for stands.
    const stands = modeSetAt !== null && (modeAskedAt === null || modeSetAt > modeAskedAt);
    const version = (last?.version ?? 0) + 1;
    const row = await tx.routerVersion.create({
      data: {
        id: newId(),
        workspaceId,
        version,
        embedderDigest,
        modeSetAt,
        mode: last && stands ? last.mode : mode,
        learned: asColumn(storedLearned.encode(learned)),
      },
    });
    await tx.adapterSample.deleteMany({ where: { workspaceId } });
    for (const { adapterVersionId, regression, rows, ordinals, labels } of samples)
      await tx.adapterSample.create({
        data: {
          adapterVersionId,
          workspaceId,
          embedderDigest,
          dimensions: regression.dimensions,
          classes: regression.classes,
          vectors: bytesOfFloats(rows),
          weights: bytesOfFloats(Float32Array.from(regression.weights)),
          ordinals: [...ordinals],
          labels: [...labels],
        },
      });
    this.#known.forget(workspaceId);
    return asRecord(row);
  }

  /** Forgets the vectors of adapters that are deleted. @returns how many adapters had some */
  async forget(adapterVersionIds: readonly string[]): Promise<number> {
    const where = { adapterVersionId: { in: [...adapterVersionIds] } };
    const { count } = await this.database.prisma.adapterSample.deleteMany({ where });
    if (count > 0) this.#known.clear();
    return count;
  }

  /** What a version may decide; null where there is none of the number. */
  async modeOf(workspaceId: WorkspaceId, version: number): Promise<RouterMode | null> {
    const row = await this.database.prisma.routerVersion.findFirst({ where: { workspaceId, version } });
    return row && asRecord(row).mode;
  }

  /** Of a version; where it was the newest one, also of the one that a fit adds in this moment. @returns the newest of these; null where there is none */
  async setMode(workspaceId: WorkspaceId, version: number, mode: RouterMode): Promise<RouterRecord | null> {
    const last = (await this.newest(workspaceId))?.version ?? version;
    const row = await this.database.prisma.$transaction(async (tx) => {
      const newest = await lockedNewest(tx, workspaceId);
      const upTo = last === version ? (newest?.version ?? version) : version;
      await tx.$executeRaw`
        UPDATE router_version SET mode = ${mode}, mode_set_at = now()
         WHERE workspace_id = ${workspaceId}::uuid AND version BETWEEN ${version} AND ${upTo}`;
      return tx.routerVersion.findFirst({ where: { workspaceId, version: upTo } });
    });
    this.#known.forget(workspaceId);
    return row && asRecord(row);
  }
}

/** The newest version, which nobody else follows or changes until the transaction ends. */
async function lockedNewest(
  tx: Transaction,
  workspaceId: WorkspaceId,
): Promise<Prisma.RouterVersionGetPayload<object> | null> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`router:${workspaceId}`}, 0))`;
  return tx.routerVersion.findFirst({ where: { workspaceId }, orderBy: { version: 'desc' } });
}

/** What the router kept of an adapter's rows goes with the adapter. */
export const sampleHolder = (routers: RouterStore): Holder => ({
  name: 'samples of the router',
  erase: ({ adapterVersions = [] }) => routers.forget(adapterVersions),
});

export interface Current {
  record: RouterRecord;
  /** By adapter version. */
  samples: ReadonlyMap<string, AdapterSample>;
}

interface NewRouterVersion {
  embedderDigest: string;
  mode: RouterMode;
  /** When somebody asked for the mode, by the database’s clock; null: nobody did, and what the version before has goes on. */
  modeAskedAt: Date | null;
  learned: RouterParameters;
  samples: readonly AdapterSample[];
}

const toSample = ({
  adapterVersionId,
  dimensions,
  classes,
  vectors,
  weights,
  ordinals,
  labels,
}: Prisma.AdapterSampleGetPayload<object>): AdapterSample => ({
  adapterVersionId,
  regression: { dimensions, classes, weights: floatsOfBytes(weights) },
  rows: floatsOfBytes(vectors),
  ordinals,
  labels,
});
