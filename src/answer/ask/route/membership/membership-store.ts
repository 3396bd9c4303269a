import { z } from 'zod';
import type { WorkspaceId } from '../../../../kernel/ids.js';
import { storedJson } from '../../../../kernel/stored-json.js';
import { bytesOfFloats, floatsOfBytes } from '../../../../kernel/vectors.js';
import { asColumn, RecentReads, type Database, type Transaction } from '../../../../platform/database/index.js';
import type { Holder } from '../../../../platform/erasure/index.js';
import { calibratedMembership, type MembershipModel } from './membership.js';

const learned = calibratedMembership.extend({ classes: z.number().int(), dimensions: z.number().int() });
/** The column `learned` of an adapter membership. */
export const storedMembership = storedJson(learned);

/** Models that are kept in memory, of half a megabyte each. */
const MOST_KNOWN = 64;

/** All queries of `adapter_membership`, by adapter version. A rule of the database removes those of rows that are erased. */
export class MembershipStore {
  readonly #known = new RecentReads<MembershipModel | null>(MOST_KNOWN);

  constructor(private readonly database: Database) {}

  /** What tells a version's own messages, by this embedder; null where it was not learned. Another gateway's is seen within two seconds. */
  of(workspaceId: WorkspaceId, adapterVersionId: string, embedderDigest: string): Promise<MembershipModel | null> {
    const key = keyOf(workspaceId, adapterVersionId, embedderDigest);
    return this.#known.get(key, () => this.#read(workspaceId, adapterVersionId, embedderDigest));
  }

  async #read(
    workspaceId: WorkspaceId,
    adapterVersionId: string,
    embedderDigest: string,
  ): Promise<MembershipModel | null> {
    const row = await this.database.prisma.adapterMembership.findFirst({
      where: { workspaceId, adapterVersionId, embedderDigest },
    });
    if (!row) return null;
    const { labels, classes, dimensions, weights, calibration } = storedMembership.decode(row.learned);
    const regression = { classes, dimensions, weights: floatsOfBytes(row.regression) };
    return { labels, regression, rows: floatsOfBytes(row.rows), weights, calibration };
  }

  /** Keeps what was learned of a version, in place of what was before. */
  async put(
    tx: Transaction,
    key: { workspaceId: WorkspaceId; adapterVersionId: string; embedderDigest: string },
    { labels, regression, rows, weights, calibration }: MembershipModel,
  ): Promise<void> {
    const { classes, dimensions } = regression;
    const data = {
      learned: asColumn(storedMembership.encode({ labels, classes, dimensions, weights, calibration })),
      regression: bytesOfFloats(Float32Array.from(regression.weights)),
      rows: bytesOfFloats(rows),
    };
    const { workspaceId, adapterVersionId, embedderDigest } = key;
    await tx.adapterMembership.upsert({
      where: { adapterVersionId },
      create: { ...key, ...data },
      update: { embedderDigest, ...data },
    });
    this.#known.forget(keyOf(workspaceId, adapterVersionId, embedderDigest));
  }

  /** Forgets what was learned of versions. @returns of how many there was something */
  async forget(
    adapterVersionIds: readonly string[],
    tx: Pick<Transaction, 'adapterMembership'> = this.database.prisma,
  ): Promise<number> {
    const where = { adapterVersionId: { in: [...adapterVersionIds] } };
    const { count } = await tx.adapterMembership.deleteMany({ where });
    if (count > 0) this.#known.clear();
    return count;
  }
}

const keyOf = (...parts: readonly string[]): string => parts.join('/');

/** What tells an adapter's messages holds vectors of its rows, which go with the adapter. */
export const membershipHolder = (memberships: MembershipStore): Holder => ({
  name: 'memberships of adapters',
  erase: ({ adapterVersions = [] }) => memberships.forget(adapterVersions),
});
