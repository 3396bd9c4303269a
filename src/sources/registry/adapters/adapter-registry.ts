import type { Erasure } from '../../../platform/erasure/index.js';
import { badInput, GraftError, notFound } from '../../../kernel/errors.js';
import type { Sha256 } from '../../../kernel/hashing.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { RiskCurve } from '../../../kernel/risk.js';
import { checkedName, checkedText } from '../../../kernel/text.js';
import type { FileService } from '../../../platform/artifacts/index.js';
import type { Transaction } from '../../../platform/database/index.js';
import { ALIASES, parseAdapterReference, storedAttestation, storedMetrics, storedUsage } from './adapter.js';
import type { AdapterRow, AdapterVersionRow, Alias, AliasChangeRow, AliasEvidence } from './adapter.js';
import type { AdapterMetrics, Attestation, ServedAdapter } from './adapter.js';
import type { AdapterStore, NewAdapter, NewAdapterVersion } from './adapter-store.js';

interface AdapterRegistryParts {
  store: AdapterStore;
  files: FileService;
  erasure: Erasure;
}

interface Promotion {
  adapter: string;
  version: number;
  alias: Alias;
  by: string;
  reason: string;
  evidence: AliasEvidence;
  /** The version that the alias was seen to name when this was decided; left out: whatever it names now. */
  replaces?: string | null;
}

/** What shall go: an adapter, or one version of it. */
export interface Removal {
  adapter: string;
  /** null: all of it. */
  version: number | null;
  /** Whether it goes though an alias names it. */
  force: boolean;
  by: string;
  reason: string;
}

const MAX_REASON = 1_000;

/** Something beside the worker that serves adapters. @throws CONFLICT with the reason when it can't serve the version */
type AdapterServer = (found: { adapter: AdapterRow; version: AdapterVersionRow }) => Promise<void>;

/** Adapters and their versions: what a workspace has trained or imported, and which of it answers. */
export class AdapterRegistry {
  readonly store: AdapterStore;
  readonly #servers: AdapterServer[] = [];

  constructor(private readonly parts: AdapterRegistryParts) {
    this.store = parts.store;
    parts.erasure.addDependant({ needs: (workspaceId, contents) => parts.store.filesInUse(workspaceId, contents) });
  }

  /**
   * Adds a version whose files are stored already, and its adapter if the name is new. The files stay from here on.
   * @throws ALREADY_EXISTS, BAD_USER_INPUT, NOT_FOUND when one of the files was deleted meanwhile
   */
  async add(workspaceId: WorkspaceId, adapter: NewAdapter, version: NewAdapterVersion): Promise<AdapterVersionRow> {
    checkedName(adapter.name, 'input.adapter');
    return this.store.transaction(async (tx) => {
      await this.#hold(tx, workspaceId, [version.weightsFileId, version.configFileId, version.ggufFileId]);
      return this.store.addVersion(await this.store.ensure(workspaceId, adapter, tx), version, tx);
    });
  }

  /** Keeps files from being deleted until a row names them. */
  async #hold(tx: Transaction, workspaceId: WorkspaceId, ids: readonly string[]): Promise<void> {
    const { files } = this.parts;
    const storedFiles = await files.find(workspaceId, { ids });
    const digests = new Set(storedFiles.map(({ sha256 }) => sha256));
    const lockedDigests = await files.hold(tx, workspaceId, [...digests]);
    if (new Set(storedFiles.map(({ id }) => id)).size < new Set(ids).size || lockedDigests.size < digests.size)
      throw new GraftError('NOT_FOUND', 'A file of the adapter was deleted before the adapter was added.', {
        hint: 'Train or import it again.',
      });
  }

  /** From now on no alias is moved to a version that this one can't serve. */
  servedBy(server: AdapterServer): void {
    this.#servers.push(server);
  }

  /** @throws NOT_FOUND */
  async require(workspaceId: WorkspaceId, name: string, field = 'name'): Promise<AdapterRow> {
    const adapter = await this.store.byName(workspaceId, name);
    if (!adapter) throw notFound('The adapter', name, field);
    return adapter;
  }

  /** @throws NOT_FOUND that names the field */
  async requireVersion(workspaceId: WorkspaceId, name: string, version: number): Promise<AdapterVersionRow> {
    const adapter = await this.require(workspaceId, name, 'input.adapter');
    const row = await this.store.resolve(adapter, { version });
    if (!row) throw notFound('The adapter version', `${name}@${version}`, 'input.version');
    return row;
  }

  /** A version with its adapter. @throws NOT_FOUND when it was deleted */
  async requireVersionById(
    workspaceId: WorkspaceId,
    id: string,
  ): Promise<{ version: AdapterVersionRow; adapter: AdapterRow }> {
    const [version] = await this.store.versionsById(workspaceId, [id]);
    const [adapter] = version ? await this.store.byIds(workspaceId, [version.adapterId]) : [];
    if (!version || !adapter) throw notFound('The adapter version', id);
    return { version, adapter };
  }

  /**
   * The version that a reference such as `routing`, `routing@candidate` or `routing@3` means, ready for the worker.
   * @throws BAD_USER_INPUT, NOT_FOUND, also when no version has the alias
   */
  async resolve(workspaceId: WorkspaceId, reference: string, field = 'input.adapter'): Promise<ServedAdapter> {
    const { name, which } = parseAdapterReference(reference, field);
    const adapter = await this.require(workspaceId, name, field);
    const version = await this.store.resolve(adapter, which);
    if (version) return this.served(workspaceId, adapter, version);
    if ('version' in which) throw notFound('The adapter version', reference, field);
    throw new GraftError('NOT_FOUND', `No version of ${name} has the alias ${which.alias}.`, {
      field,
      hint: `Promote one, or name one: ${name}@1.`,
    });
  }

  /** What the worker needs to apply a version. @throws NOT_FOUND when its file is gone */
  async served(workspaceId: WorkspaceId, adapter: AdapterRow, version: AdapterVersionRow): Promise<ServedAdapter> {
    const file = await this.parts.files.get(workspaceId, version.ggufFileId);
    return {
      versionId: version.id,
      adapter: adapter.name,
      version: version.version,
      task: adapter.task,
      variantId: version.variantId,
      modelId: adapter.modelId,
      datasetVersionId: version.datasetVersionId,
      usage: storedUsage.decode(version.usage),
      attestation: version.attestation === null ? null : storedAttestation.decode(version.attestation),
      risk: storedMetrics.decode(version.metrics).risk ?? null,
      file: { path: await this.parts.files.local(file), sha256: version.ggufSha256 as Sha256, scale: version.scale },
    };
  }

  /**
   * Moves an alias to a version.
   * @throws NOT_FOUND, BAD_USER_INPUT, CONFLICT when someone else moves it at the same time, the version was never attested or is given
   * another scale meanwhile, or engines can't serve it
   */
  async promote(workspaceId: WorkspaceId, promotion: Promotion): Promise<AliasChangeRow> {
    const { alias, by, evidence } = promotion;
    if (!ALIASES.includes(alias)) throw badInput('input.alias', `${String(alias)} is no alias.`);
    const reason = checkedText(promotion.reason, 'input.reason', MAX_REASON);
    const adapter = await this.require(workspaceId, promotion.adapter, 'input.adapter');
    const version = await this.store.resolve(adapter, { version: promotion.version });
    if (!version) throw notFound('The adapter version', `${promotion.adapter}@${promotion.version}`, 'input.version');
    await this.requireServable({ adapter, version });
    const { replaces = (await this.store.resolve(adapter, { alias }))?.id ?? null } = promotion;
    const { id: toVersionId, scale } = version;
    return this.store.moveAlias(adapter, { alias, toVersionId, by, reason, evidence, scale }, replaces);
  }

  /** To be asked before an alias is moved, outside of the transaction: engines may have to load the version. @throws CONFLICT when one can't serve it */
  async requireServable(candidate: { adapter: AdapterRow; version: AdapterVersionRow }): Promise<void> {
    for (const serves of this.#servers) await serves(candidate);
  }

  /** Puts an alias back to what it named before its last promotion. @throws NOT_FOUND, CONFLICT when there is nothing to go back to, it isn't attested any more, or engines can't serve it */
  async rollback(
    workspaceId: WorkspaceId,
    { name, alias, by, reason }: { name: string; alias: Alias; by: string; reason: string },
  ): Promise<AliasChangeRow> {
    const adapter = await this.require(workspaceId, name, 'input.adapter');
    const current = await this.store.resolve(adapter, { alias });
    const earlierVersionId = current && (await this.store.before(adapter, alias, current.id));
    if (!current || !earlierVersionId)
      throw new GraftError('CONFLICT', `${name}@${alias} has no earlier version to go back to.`, {
        field: 'input.alias',
      });
    const reasonText = checkedText(reason, 'input.reason', MAX_REASON);
    await this.requireServable(await this.requireVersionById(workspaceId, earlierVersionId));
    return this.store.moveAlias(
      adapter,
      { alias, toVersionId: earlierVersionId, by, reason: reasonText, evidence: {}, isRollback: true },
      current.id,
    );
  }

  /**
   * Takes an adapter, or one version of it, out of the registry: once the transaction commits nothing resolves to it any more. What else
   * holds something of it goes by an erasure.
   * @returns the versions that went
   * @throws NOT_FOUND, CONFLICT when an alias names one and it isn't forced
   */
  async remove(
    tx: Transaction,
    workspaceId: WorkspaceId,
    { adapter: name, version, force, by, reason }: Removal,
  ): Promise<{ adapter: AdapterRow; versions: AdapterVersionRow[] }> {
    const field = 'input.adapter';
    const reasonText = checkedText(reason, 'input.reason', MAX_REASON);
    await this.store.lockNames(workspaceId, tx);
    const adapter = await this.store.byName(workspaceId, name, tx);
    if (!adapter) throw notFound('The adapter', name, field);
    await tx.$executeRaw`SELECT 1 FROM adapter WHERE id = ${adapter.id}::uuid FOR UPDATE`;
    const allVersions = await this.store.versionsOf(workspaceId, [adapter.id]);
    const versions = version === null ? allVersions : allVersions.filter((row) => row.version === version);
    if (version !== null && versions.length === 0)
      throw notFound('The adapter version', `${name}@${version}`, 'input.version');
    const aliases = await this.store.aliasesOf(versions.map(({ id }) => id));
    const aliasedVersion = versions.find(({ id }) => aliases.has(id));
    if (aliasedVersion && !force)
      throw new GraftError(
        'CONFLICT',
        `${name}@${aliases.get(aliasedVersion.id)!.join(' and ')} is version ${aliasedVersion.version}.`,
        {
          field: version === null ? field : 'input.version',
          hint: 'Let the alias name another version first, or force it: then nothing answers as that alias.',
        },
      );
    if (version === null) await this.store.removeAdapter(adapter, tx);
    else await this.store.removeVersions(adapter, versions, { by, reason: reasonText }, tx);
    return { adapter, versions };
  }

  /** What an alias named at a moment; null when it named nothing, or what it named was deleted. */
  async asOf(
    workspaceId: WorkspaceId,
    adapter: AdapterRow,
    alias: Alias,
    moment: Date,
  ): Promise<AdapterVersionRow | null> {
    const change = await this.store.changeAsOf(adapter, alias, moment);
    if (!change?.toVersionId) return null;
    const [version] = await this.store.versionsById(workspaceId, [change.toVersionId]);
    return version ?? null;
  }

  /**
   * Gives a version the scale that it acts with from now on.
   * @throws CONFLICT when an alias names it or ever did: what has answered never changes under its name; NOT_FOUND when it was deleted
   */
  async rescale(version: AdapterVersionRow, scale: number, metrics: AdapterMetrics): Promise<void> {
    if (await this.store.rescale(version, scale, metrics)) return;
    await this.requireVersionById(version.workspaceId as WorkspaceId, version.id);
    throw new GraftError('CONFLICT', 'An alias names this version or once did, so its scale can’t be changed.', {
      hint: 'Train on from it (`startTraining` with `parent`): the new version’s scale can be chosen until an alias names that.',
    });
  }

  /** Writes down how often a version's answers to held-out rows were wrong at a scale; what it acts with by now decides. */
  async keepRisk(tx: Transaction, versionId: string, scale: number, risk: RiskCurve): Promise<void> {
    await this.store.keepRisk(tx, versionId, scale, risk);
  }

  /** Writes down that a version acts at the scale at which it was measured. @throws NOT_FOUND, CONFLICT when it has another by now */
  async attest(version: Pick<AdapterVersionRow, 'id' | 'scale'>, proof: Attestation): Promise<void> {
    await this.store.attest(version, proof);
  }
}
