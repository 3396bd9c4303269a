import { GraftError, notFound } from '../../../kernel/errors.js';
import { isUuid, newId, type WorkspaceId } from '../../../kernel/ids.js';
import { idCursor, nameCursor, toPage, type Page, type PageRequest } from '../../../kernel/pagination.js';
import type { RiskCurve } from '../../../kernel/risk.js';
import type { Json } from '../../../kernel/stored-json.js';
import { asColumn, type Database, type Prisma, type Transaction } from '../../../platform/database/index.js';
import { storedAliasEvidence, storedAttestation, storedMetrics, storedUsage } from './adapter.js';
import type { AdapterMetrics, AdapterReference, AdapterRow, AdapterUsage, AdapterVersionRow } from './adapter.js';
import type { Alias, AliasChangeRow, AliasEvidence, Attestation } from './adapter.js';

export type NewAdapter = Pick<AdapterRow, 'name' | 'task' | 'modelId' | 'description'>;
export type NewAdapterVersion = Omit<
  Prisma.AdapterVersionUncheckedCreateInput,
  'id' | 'workspaceId' | 'adapterId' | 'version' | 'createdAt' | 'usage' | 'recipe' | 'metrics' | 'attestation'
> & {
  usage: AdapterUsage;
  /** How it was trained, as whoever trained it stores recipes. */
  recipe?: Json;
  metrics?: AdapterMetrics;
};

/** Who moves an alias to which version, and why. */
interface AliasMove {
  alias: Alias;
  /** null takes the alias away. */
  toVersionId: string | null;
  by: string;
  reason: string;
  evidence: AliasEvidence;
  /** Whether it restores what an earlier promotion replaced. */
  isRollback?: boolean;
  /** The scale at which the version was found to act; left out: whatever it is. */
  scale?: number;
}

/** All queries of `adapter`, `adapter_version`, `adapter_alias` and `adapter_alias_change`. */
export class AdapterStore {
  constructor(private readonly database: Database) {}

  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.prisma.$transaction(work);
  }

  /** By name; the cursor is `encodeCursor([adapter.name])`. */
  async adapters(workspaceId: WorkspaceId, task: string | null, page: PageRequest): Promise<Page<AdapterRow>> {
    const cursor = page.after === null ? undefined : nameCursor(page.after);
    const rows = await this.database.prisma.adapter.findMany({
      where: {
        workspaceId,
        ...(task === null ? {} : { task }),
        ...(cursor === undefined ? {} : { name: { gt: cursor } }),
      },
      orderBy: { name: 'asc' },
      take: page.first + 1,
    });
    return toPage(rows, page.first);
  }

  async byName(workspaceId: WorkspaceId, name: string, tx?: Transaction): Promise<AdapterRow | null> {
    if (name.includes('\0')) return null;
    const client = tx ?? this.database.prisma;
    return client.adapter.findFirst({ where: { workspaceId, name } });
  }

  async byIds(workspaceId: WorkspaceId, ids: readonly string[]): Promise<AdapterRow[]> {
    return this.database.prisma.adapter.findMany({ where: { workspaceId, id: { in: ids.filter(isUuid) } } });
  }

  /** The adapter of this name, made if there is none. @throws ALREADY_EXISTS when the name is one of another task or model */
  async ensure(workspaceId: WorkspaceId, adapter: NewAdapter, tx: Transaction): Promise<AdapterRow> {
    await this.lockNames(workspaceId, tx);
    const knownAdapter = await this.byName(workspaceId, adapter.name, tx);
    if (!knownAdapter) return tx.adapter.create({ data: { id: newId(), workspaceId, ...adapter } });
    if (knownAdapter.task === adapter.task && knownAdapter.modelId === adapter.modelId) return knownAdapter;
    throw new GraftError('ALREADY_EXISTS', `The adapter ${adapter.name} is for another task or another base model.`, {
      field: 'input.adapter',
      hint: 'Choose another name.',
    });
  }

  /** Until the transaction ends, nobody else adds or takes away adapters of the workspace. */
  async lockNames(workspaceId: WorkspaceId, tx: Transaction): Promise<void> {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`adapters:${workspaceId}`}, 0))`;
  }

  /** Takes versions away with the aliases that name them, which are written down as naming nothing; their files stay. */
  async removeVersions(
    adapter: AdapterRow,
    versions: readonly AdapterVersionRow[],
    { by, reason }: { by: string; reason: string },
    tx: Transaction,
  ): Promise<void> {
    const ids = versions.map(({ id }) => id);
    const { id: adapterId, workspaceId } = adapter;
    for (const { alias, versionId } of await tx.adapterAlias.findMany({ where: { versionId: { in: ids } } }))
      await tx.adapterAliasChange.create({
        data: {
          id: newId(),
          workspaceId,
          adapterId,
          alias,
          fromVersionId: versionId,
          toVersionId: null,
          changedBy: by,
          reason,
          evidence: asColumn(storedAliasEvidence.encode({})),
        },
      });
    await tx.adapterVersion.deleteMany({ where: { id: { in: ids } } });
  }

  /** Takes an adapter away with its versions and the record of its aliases; their files stay. */
  async removeAdapter({ id }: AdapterRow, tx: Transaction): Promise<void> {
    await tx.adapter.delete({ where: { id } });
  }

  /** Adds the next version; the same weights are never added twice: the earlier version is returned. */
  async addVersion(adapter: AdapterRow, version: NewAdapterVersion, tx: Transaction): Promise<AdapterVersionRow> {
    // Versions are numbered without gaps, so two that arrive at once wait for each other.
    await tx.$executeRaw`SELECT 1 FROM adapter WHERE id = ${adapter.id}::uuid FOR UPDATE`;
    const knownVersion = await tx.adapterVersion.findUnique({
      where: { adapterId_digest: { adapterId: adapter.id, digest: version.digest } },
    });
    if (knownVersion) return knownVersion;
    const { lastVersion } = await tx.adapter.update({
      where: { id: adapter.id },
      data: { lastVersion: { increment: 1 } },
    });
    const { usage, recipe, metrics, ...columns } = version;
    return tx.adapterVersion.create({
      data: {
        ...columns,
        id: newId(),
        workspaceId: adapter.workspaceId,
        adapterId: adapter.id,
        version: lastVersion,
        usage: asColumn(storedUsage.encode(usage)),
        metrics: asColumn(storedMetrics.encode(metrics ?? {})),
        ...(recipe === undefined ? {} : { recipe: asColumn(recipe) }),
      },
    });
  }

  async versionsById(workspaceId: WorkspaceId, ids: readonly string[]): Promise<AdapterVersionRow[]> {
    return this.database.prisma.adapterVersion.findMany({ where: { workspaceId, id: { in: ids.filter(isUuid) } } });
  }

  /** Newest first. */
  async versionsOf(workspaceId: WorkspaceId, adapterIds: readonly string[]): Promise<AdapterVersionRow[]> {
    return this.database.prisma.adapterVersion.findMany({
      where: { workspaceId, adapterId: { in: [...adapterIds] } },
      orderBy: [{ adapterId: 'asc' }, { version: 'desc' }],
    });
  }

  /** Versions trained on a dataset version, also through a parent: the way from the rows to what learned from them. */
  async versionsTrainedOn(workspaceId: WorkspaceId, datasetVersionId: string): Promise<AdapterVersionRow[]> {
    return this.database.prisma.adapterVersion.findMany({
      where: { workspaceId, OR: [{ datasetVersionId }, { inheritedFrom: { has: datasetVersionId } }] },
      orderBy: { id: 'asc' },
    });
  }

  /** The newest version that was trained here on a variant of a model. */
  async newestTrained(workspaceId: WorkspaceId, variantId: string): Promise<AdapterVersionRow | null> {
    return this.database.prisma.adapterVersion.findFirst({
      where: { workspaceId, variantId, origin: 'TRAINED' },
      orderBy: { id: 'desc' },
    });
  }

  /** The newest version that the worker serves from this file at this scale, with its adapter. */
  async versionServing(
    workspaceId: WorkspaceId,
    { sha256, scale }: { sha256: string; scale: number },
  ): Promise<{ adapter: AdapterRow; version: AdapterVersionRow } | null> {
    const row = await this.database.prisma.adapterVersion.findFirst({
      where: { workspaceId, ggufSha256: sha256, scale },
      include: { adapter: true },
      orderBy: { id: 'desc' },
    });
    return row && { adapter: row.adapter, version: row };
  }

  /** What `production` names on the model file of this digest, in every workspace: engines are the installation's. */
  async inProductionOn(sha256: string): Promise<{ adapter: AdapterRow; version: AdapterVersionRow }[]> {
    const rows = await this.database.prisma.adapterAlias.findMany({
      where: { alias: 'production', version: { variant: { sha256 } } },
      include: { adapter: true, version: true },
      orderBy: { versionId: 'asc' },
    });
    return rows.map(({ adapter, version }) => ({ adapter, version }));
  }

  /** Which of these versions there still are, in any workspace. */
  async existing(ids: readonly string[]): Promise<Set<string>> {
    const where = { id: { in: ids.filter(isUuid) } };
    const rows = await this.database.prisma.adapterVersion.findMany({ where, select: { id: true } });
    return new Set(rows.map(({ id }) => id));
  }

  /** What needs files with these contents, by digest: versions keep their PEFT files and the GGUF made from them. */
  async filesInUse(workspaceId: WorkspaceId, digests: readonly string[]): Promise<Map<string, string>> {
    const { rows } = await this.database.pool.query<{ sha256: string; adapter: string; version: number }>(
      `SELECT DISTINCT ON (sha256) sha256, adapter.name AS adapter, version
       FROM stored_file f
       JOIN adapter_version v ON f.id IN (weights_file_id, config_file_id, gguf_file_id)
       JOIN adapter ON adapter.id = adapter_id
       WHERE f.workspace_id = $1 AND v.workspace_id = $1 AND sha256 = ANY($2)
       ORDER BY sha256, v.id DESC`,
      [workspaceId, digests],
    );
    return new Map(rows.map(({ sha256, adapter, version }) => [sha256, `${adapter}@${version} is made of it.`]));
  }

  async resolve(adapter: AdapterRow, selector: AdapterReference['which']): Promise<AdapterVersionRow | null> {
    if ('version' in selector)
      return this.database.prisma.adapterVersion.findFirst({
        where: { adapterId: adapter.id, version: selector.version },
      });
    const pointer = await this.database.prisma.adapterAlias.findFirst({
      where: { adapterId: adapter.id, alias: selector.alias },
      include: { version: true },
    });
    return pointer?.version ?? null;
  }

  /** Aliases of these versions, by version id. */
  async aliasesOf(versionIds: readonly string[]): Promise<Map<string, string[]>> {
    const rows = await this.database.prisma.adapterAlias.findMany({
      where: { versionId: { in: [...versionIds] } },
      orderBy: { alias: 'asc' },
    });
    const aliases = new Map<string, string[]>();
    for (const { versionId, alias } of rows) aliases.set(versionId, [...(aliases.get(versionId) ?? []), alias]);
    return aliases;
  }

  /**
   * The one way by which an alias moves: writes down who, when, why and on what evidence, in one transaction. Whether engines can serve the version
   * is asked before: see `AdapterRegistry.requireServable`.
   * @param expected the version that the alias is thought to name now; of two callers who move it at once the second fails
   * @param outer a transaction that the move is part of
   * @throws CONFLICT when it names another, or the version isn't attested or was given another scale; NOT_FOUND when that was deleted
   */
  async moveAlias(
    adapter: Pick<AdapterRow, 'id' | 'workspaceId' | 'name'>,
    move: AliasMove,
    expected: string | null,
    outer?: Transaction,
  ): Promise<AliasChangeRow> {
    const { alias, toVersionId } = move;
    const key = { adapterId_alias: { adapterId: adapter.id, alias } };
    const moving = async (tx: Transaction): Promise<AliasChangeRow> => {
      await tx.$executeRaw`SELECT 1 FROM adapter WHERE id = ${adapter.id}::uuid FOR UPDATE`;
      if (toVersionId !== null) {
        const version = await tx.adapterVersion.findUnique({ where: { id: toVersionId } });
        if (!version) throw notFound('The adapter version', toVersionId);
        if (version.attestation === null)
          throw new GraftError('CONFLICT', `${adapter.name}@${version.version} isn’t attested.`, {
            hint: 'Attest it (attestAdapter) first.',
          });
        if (version.scale !== (move.scale ?? version.scale))
          throw new GraftError('CONFLICT', 'The version was given another scale in the meantime.', {
            hint: 'Attest and evaluate it again.',
          });
      }
      const now = await tx.adapterAlias.findUnique({ where: key });
      if ((now?.versionId ?? null) !== expected)
        throw new GraftError('CONFLICT', `${adapter.name}@${alias} was moved by someone else in the meantime.`, {
          hint: 'Look at the adapter again, then decide.',
        });
      if (toVersionId === null) await tx.adapterAlias.deleteMany({ where: { adapterId: adapter.id, alias } });
      else
        await tx.adapterAlias.upsert({
          where: key,
          create: { adapterId: adapter.id, alias, versionId: toVersionId },
          update: { versionId: toVersionId },
        });
      return tx.adapterAliasChange.create({
        data: {
          id: newId(),
          workspaceId: adapter.workspaceId,
          adapterId: adapter.id,
          alias,
          fromVersionId: expected,
          toVersionId,
          changedBy: move.by,
          reason: move.reason,
          evidence: asColumn(storedAliasEvidence.encode(move.evidence)),
          isRollback: move.isRollback ?? false,
        },
      });
    };
    return outer ? moving(outer) : this.transaction(moving);
  }

  /** Newest first; the cursor of a change is `encodeCursor([change.id])`. */
  async changes(adapter: AdapterRow, page: PageRequest): Promise<Page<AliasChangeRow>> {
    const cursor = page.after === null ? undefined : idCursor(page.after);
    const rows = await this.database.prisma.adapterAliasChange.findMany({
      where: { adapterId: adapter.id, ...(cursor === undefined ? {} : { id: { lt: cursor } }) },
      orderBy: { id: 'desc' },
      take: page.first + 1,
    });
    return toPage(rows, page.first);
  }

  /** What an alias was at a moment: the last change until then; null when there was none. */
  async changeAsOf(adapter: AdapterRow, alias: Alias, moment: Date): Promise<AliasChangeRow | null> {
    return this.database.prisma.adapterAliasChange.findFirst({
      where: { adapterId: adapter.id, alias, createdAt: { lte: moment } },
      orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    });
  }

  /** The newest change that let an alias name a version; null when none did. */
  async newestMoveTo(adapter: AdapterRow, alias: Alias, versionId: string): Promise<AliasChangeRow | null> {
    return this.database.prisma.adapterAliasChange.findFirst({
      where: { adapterId: adapter.id, alias, toVersionId: versionId },
      orderBy: { id: 'desc' },
    });
  }

  /**
   * The version that the alias named before it was moved to `current` by promotion; null when there is none to go back to.
   * Going back twice goes back two versions: a rollback is no promotion of what it restored.
   */
  async before(adapter: AdapterRow, alias: Alias, current: string): Promise<string | null> {
    const change = await this.database.prisma.adapterAliasChange.findFirst({
      where: {
        adapterId: adapter.id,
        alias,
        toVersionId: current,
        isRollback: false,
        NOT: { fromVersionId: current },
      },
      orderBy: { id: 'desc' },
    });
    return change?.fromVersionId ?? null;
  }

  /** Keeps a version from being deleted until the transaction ends. @throws NOT_FOUND when it was */
  async holdVersion(id: string, tx: Transaction): Promise<void> {
    const lockedRows = await tx.$queryRaw<unknown[]>`SELECT 1 FROM adapter_version WHERE id = ${id}::uuid FOR SHARE`;
    if (lockedRows.length === 0) throw new GraftError('NOT_FOUND', 'The adapter version was deleted meanwhile.');
  }

  /**
   * Gives a version another scale; an attestation at the one before is dropped with it.
   * @returns false, and changes nothing, when an alias names the version or ever did: it has answered, and a rollback may put it back
   */
  async rescale(
    { id, adapterId, workspaceId }: AdapterVersionRow,
    scale: number,
    metrics: AdapterMetrics,
  ): Promise<boolean> {
    const json = JSON.stringify(storedMetrics.encode({ ...metrics, risk: null }));
    return this.transaction(async (tx) => {
      // As `moveAlias` does: no alias comes to name it meanwhile.
      await tx.$executeRaw`SELECT 1 FROM adapter WHERE id = ${adapterId}::uuid FOR UPDATE`;
      const changed = await tx.$executeRaw`
        UPDATE adapter_version SET scale = ${scale}, metrics = metrics || ${json}::jsonb,
          attestation = CASE WHEN scale = ${scale} THEN attestation END
        WHERE id = ${id}::uuid AND workspace_id = ${workspaceId}::uuid
          AND NOT EXISTS (SELECT 1 FROM adapter_alias_change WHERE to_version_id = adapter_version.id)`;
      return changed === 1;
    });
  }

  /** Does nothing where the version acts at another scale by now. */
  async keepRisk(tx: Transaction, id: string, scale: number, risk: RiskCurve): Promise<void> {
    const metrics = JSON.stringify(storedMetrics.encode({ risk }));
    await tx.$executeRaw`UPDATE adapter_version SET metrics = metrics || ${metrics}::jsonb WHERE id = ${id}::uuid AND scale = ${scale}`;
  }

  /** Writes down that a version acts at a scale. @throws NOT_FOUND when it was deleted meanwhile, CONFLICT when it was rescaled */
  async attest({ id, scale }: Pick<AdapterVersionRow, 'id' | 'scale'>, proof: Attestation): Promise<void> {
    const attestation = asColumn(storedAttestation.encode(proof));
    const { count } = await this.database.prisma.adapterVersion.updateMany({
      where: { id, scale },
      data: { attestation },
    });
    if (count > 0) return;
    if (!(await this.existing([id])).has(id)) throw notFound('The adapter version', id);
    throw new GraftError('CONFLICT', 'The version was given another scale while it was shown that it acts.', {
      hint: 'Attest it again.',
    });
  }
}
