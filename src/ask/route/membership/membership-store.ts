import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { storedJson } from '../../../kernel/stored-json.js';
import { asColumn, type Database, type Transaction } from '../../../platform/database/index.js';
import type { Holder } from '../../../platform/erasure/index.js';
import type { MembershipModel } from './membership.js';

const learned = z.object({
  labels: z.array(z.string()),
  classes: z.number().int(),
  dimensions: z.number().int(),
  weights: z.object({ bias: z.number(), own: z.number(), label: z.number(), near: z.number() }),
  calibration: z.object({
    rows: z.number().int(),
    foreign: z.number().int(),
    scores: z.array(z.number()),
    auc: z.number(),
  }),
});
/** The column `learned` of an adapter membership. */
export const storedMembership = storedJson(learned);

/** How long a model that was read is taken for the newest one, in ms: each question of an adapter asks for it. */
const KNOWN_MS = 2_000;
/** Models that are kept in memory, of half a megabyte each. */
const MOST_KNOWN = 64;

/** All queries of `adapter_membership`, by adapter version. A rule of the database removes those of rows that are erased. */
export class MembershipStore {
  readonly #known = new LRUCache<string, Promise<MembershipModel | null>>({ max: MOST_KNOWN, ttl: KNOWN_MS });

  constructor(private readonly database: Database) {}

  /** What tells a version's own messages, by this embedder; null where it was not learned. Another gateway's is seen within two seconds. */
  of(workspaceId: WorkspaceId, adapterVersionId: string, embedderDigest: string): Promise<MembershipModel | null> {
    const key = keyOf(workspaceId, adapterVersionId, embedderDigest);
    const known = this.#known.get(key);
    if (known) return known;
    const model = this.#read(workspaceId, adapterVersionId, embedderDigest);
    model.catch(() => this.#known.delete(key));
    this.#known.set(key, model);
    return model;
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
    const regression = { classes, dimensions, weights: floatsOf(row.regression) };
    return { labels, regression, rows: floatsOf(row.rows), weights, calibration };
  }

  /** Keeps what was learned of a version, in place of what was before. */
  async put(
    tx: Transaction,
    of: { workspaceId: WorkspaceId; adapterVersionId: string; embedderDigest: string },
    { labels, regression, rows, weights, calibration }: MembershipModel,
  ): Promise<void> {
    const { classes, dimensions } = regression;
    const scores = [...calibration.scores];
    const data = {
      learned: asColumn(
        storedMembership.encode({
          labels: [...labels],
          classes,
          dimensions,
          weights,
          calibration: { ...calibration, scores },
        }),
      ),
      regression: bytesOf(Float32Array.from(regression.weights)),
      rows: bytesOf(rows),
    };
    const { workspaceId, adapterVersionId, embedderDigest } = of;
    await tx.adapterMembership.upsert({
      where: { adapterVersionId },
      create: { ...of, ...data },
      update: { embedderDigest, ...data },
    });
    this.#known.delete(keyOf(workspaceId, adapterVersionId, embedderDigest));
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

const bytesOf = (floats: Float32Array): Uint8Array<ArrayBuffer> => new Uint8Array(floats.slice().buffer);

const floatsOf = (bytes: Uint8Array): Float32Array => new Float32Array(new Uint8Array(bytes).buffer);
