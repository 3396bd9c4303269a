import { createReadStream } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../kernel/clock.js';
import { GraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { ArtifactStore, FileService, StagedBytes, StoredFileRow } from '../../../platform/artifacts/index.js';
import type { Transaction } from '../../../platform/database/index.js';
import type { FeatureService } from '../features/feature-service.js';
import type { DataFile } from './files/records.js';
import { DEFAULT_SPLIT_RULE } from './importing/splits.js';
import type { IsolatedMaker } from './making/isolated-maker.js';
import type { FeatureHistory } from './making/join-features.js';
import type { MadeVersion } from './making/make-version.js';
import type { VersionRecipe, RecipeFile } from './making/recipe.js';
import type { TokenCounter } from './validation/index.js';
import {
  manifestDigest,
  type DatasetRecord,
  type VersionManifest,
  type RowGroupRecord,
  type VersionOrigin,
  type VersionRecord,
  type VersionSource,
} from './dataset.js';
import type { DatasetStore } from './dataset-store.js';
import { eraseVersions, eraseWithdrawnRows, type MadeOfRows, type VersionPlace } from './erase-rows.js';
import type { AddVersionInput, DeleteRowsInput, ImportContext, ImportOutput } from './import-run.js';

interface ImportParts {
  store: DatasetStore;
  files: FileService;
  artifacts: ArtifactStore;
  features: FeatureService;
  maker: IsolatedMaker;
  madeOfRows: MadeOfRows;
  clock: Clock;
  /** Tokens by the model that is trained by default; null without one: then bytes are taken for an estimate. */
  countTokens: ((workspaceId: WorkspaceId) => TokenCounter) | null;
  /** Working folder, for this home alone. */
  folder: string;
}

type MadeOrFound = Pick<ImportOutput, 'versionId' | 'created'>;

/** The run on whose behalf a version is made. */
type MakingContext = Pick<ImportContext, 'run' | 'signal' | 'fenced'> & {
  progress(fraction: number, message: string): Promise<void>;
};

const cameInBetween = () => new GraftError('CONFLICT', 'Another version came in between; send the deletion again.');

/** How often a version is made anew because another one came in between. */
const ATTEMPTS = 3;

/**
 * The runs that make dataset versions. A version becomes visible in one transaction at the end, with all of its rows, so
 * a run that is killed leaves nothing but a working folder, which its next attempt empties.
 */
export class Importer {
  constructor(private readonly parts: ImportParts) {}

  /** Removes what killed runs left behind. Call it before runs start. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.parts.folder).catch(() => []))
      await rm(join(this.parts.folder, name), { recursive: true, force: true });
  }

  async run(context: ImportContext): Promise<ImportOutput> {
    const { input } = context;
    const [dataset] = await this.parts.store.byIds(context.run.workspaceId as WorkspaceId, [input.datasetId]);
    if (!dataset) throw new GraftError('NOT_FOUND', 'The dataset does not exist any more.');
    const folder = join(this.parts.folder, context.run.id);
    try {
      return input.operation === 'add'
        ? await this.#add(context, dataset, input, folder)
        : await this.#delete(context, dataset, input, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /**
   * Adds a version of files that another run has made, as that run.
   * @param origin what they were made of
   * @throws as an IMPORT run
   */
  async addMade(
    context: MakingContext,
    dataset: DatasetRecord,
    input: AddVersionInput,
    origin: VersionOrigin,
  ): Promise<MadeOrFound> {
    const folder = join(this.parts.folder, context.run.id);
    try {
      return await this.#add(context, dataset, input, folder, origin);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #add(
    context: MakingContext,
    dataset: DatasetRecord,
    input: AddVersionInput,
    folder: string,
    origin?: VersionOrigin,
  ): Promise<ImportOutput> {
    const files = await this.#files(dataset.workspaceId as WorkspaceId, input);
    for (let attempt = 1; ; attempt++) {
      const latest = await this.parts.store.latest(dataset.id);
      const base = input.extend ? latest : null;
      const groups = latest ? await this.parts.store.rowGroups(latest.id) : [];
      const recipe: VersionRecipe = {
        settings: {
          task: dataset.task,
          labels: dataset.labels,
          language: dataset.language,
          maxTokens: input.maxTokens,
          minRowsPerLabel: input.minRowsPerLabel,
        },
        files,
        base: base ? { rowGroups: await this.#paths(groups), without: null, revision: input.revision ?? null } : null,
        steps: input.steps ?? base?.manifest.steps ?? [],
        // Files that come again without a rule make the version that they made, and not one that is drawn otherwise.
        splitRule: input.splitRule ?? (origin ? base : latest)?.manifest.splitRule ?? DEFAULT_SPLIT_RULE,
        features: await this.#histories(
          dataset.workspaceId as WorkspaceId,
          input.features ?? base?.manifest.features.map(({ view }) => view) ?? [],
          `${folder}-features`,
        ),
      };
      const newVersion = await this.#make(context, recipe, groups, folder).finally(() =>
        rm(`${folder}-features`, { recursive: true, force: true }),
      );
      const version = await this.#commit(context, dataset, recipe, newVersion, latest, base, { origin });
      if (version) return { ...version, withdrawn: [], deletedFiles: [], keptFiles: [] };
      if (attempt === ATTEMPTS)
        throw new GraftError(
          'CONFLICT',
          'Other versions of this dataset kept coming in between; start the import again.',
        );
    }
  }

  async #delete(
    context: ImportContext,
    dataset: DatasetRecord,
    input: DeleteRowsInput,
    folder: string,
  ): Promise<ImportOutput> {
    const version = await this.#standingWithout(context, dataset, input, folder);
    const erased = await eraseWithdrawnRows(this.parts, dataset);
    const derivedVersions = await this.#eraseMadeOf(context, input);
    return { ...version, withdrawn: [...input.withdraw, ...derivedVersions], ...erased };
  }

  async #standingWithout(
    context: ImportContext,
    dataset: DatasetRecord,
    input: DeleteRowsInput,
    folder: string,
  ): Promise<MadeOrFound> {
    if (input.baseId === null) return { versionId: null, created: false };
    const base = await this.parts.store.requireVersion(dataset.workspaceId as WorkspaceId, input.baseId, 'baseId');
    if (base.withdrawnAt) return this.#alreadyDeleted(context, base);
    return input.places.length === base.report.rows
      ? this.#withdrawAll(context, dataset, base, input)
      : this.#makeWithout(context, dataset, base, input, folder);
  }

  /** Versions that ask the questions of withdrawn ones go with them, as a whole. @returns their ids */
  async #eraseMadeOf(context: ImportContext, { withdraw, reason }: DeleteRowsInput): Promise<string[]> {
    const { store } = this.parts;
    const workspaceId = context.run.workspaceId as WorkspaceId;
    const versions = await store.askingOf(workspaceId, withdraw);
    await this.eraseVersions(context, versions, reason);
    return versions.map(({ id }) => id);
  }

  /** Withdraws whole versions and erases their rows, as the run that finds that it must. */
  eraseVersions(context: MakingContext, versions: readonly VersionPlace[], reason: string): Promise<void> {
    const { run } = context;
    return eraseVersions(this.parts, run.workspaceId as WorkspaceId, versions, {
      within: (work) => context.fenced(work),
      withdrawn: { withdrawnAt: this.parts.clock.now(), withdrawnReason: reason, withdrawnBy: run.id },
    });
  }

  /** No row is left, so there is no version to make. */
  async #withdrawAll(
    context: ImportContext,
    dataset: DatasetRecord,
    base: VersionRecord,
    input: DeleteRowsInput,
  ): Promise<MadeOrFound> {
    const { store } = this.parts;
    await context.fenced(async (tx) => {
      await store.lock(tx, dataset.id);
      if ((await store.latest(dataset.id))?.id !== base.id) throw cameInBetween();
      await this.#withdraw(tx, context, input);
    });
    return { versionId: null, created: false };
  }

  #withdraw(
    tx: Transaction,
    { run }: Pick<ImportContext, 'run'>,
    { withdraw, reason }: DeleteRowsInput,
  ): Promise<void> {
    const withdrawn = { withdrawnAt: this.parts.clock.now(), withdrawnReason: reason, withdrawnBy: run.id };
    return this.parts.store.withdraw(tx, withdraw, withdrawn);
  }

  async #makeWithout(
    context: ImportContext,
    dataset: DatasetRecord,
    base: VersionRecord,
    input: DeleteRowsInput,
    folder: string,
  ): Promise<MadeOrFound> {
    const groups = await this.parts.store.rowGroups(base.id);
    const { settings, splitRule, steps } = base.manifest;
    const exclusion = input.places.length > 0 ? { sql: `ordinal IN (${input.places.join(', ')})`, values: [] } : null;
    const recipe: VersionRecipe = {
      settings: { task: dataset.task, ...settings },
      files: [],
      base: { rowGroups: await this.#paths(groups), without: exclusion, revision: null },
      steps,
      splitRule,
      features: null,
    };
    const newVersion = await this.#make(context, recipe, groups, folder);
    const version = await this.#commit(context, dataset, recipe, newVersion, base, base, { deletion: input });
    if (!version) throw cameInBetween();
    return version;
  }

  /** The version is gone: by an earlier attempt of this run, or because another deletion came first. */
  async #alreadyDeleted({ run }: ImportContext, base: VersionRecord): Promise<MadeOrFound> {
    if (base.withdrawnBy !== run.id)
      throw new GraftError('CONFLICT', 'Another deletion came in between; send this one again.');
    const successor = await this.parts.store.successor(base);
    return { versionId: successor?.id ?? null, created: successor !== null };
  }

  async #files(workspaceId: WorkspaceId, input: AddVersionInput): Promise<RecipeFile[]> {
    const files: RecipeFile[] = [];
    for (const { fileId, pairId, split, mapping } of input.files) {
      const file = await this.#dataFile(await this.parts.files.get(workspaceId, fileId));
      const pair = pairId === null ? null : await this.#dataFile(await this.parts.files.get(workspaceId, pairId));
      files.push({ file, pair, split, mapping });
    }
    return files;
  }

  async #dataFile(row: StoredFileRow): Promise<DataFile> {
    return { path: await this.parts.files.local(row), name: row.name, bytes: Number(row.bytes), sha256: row.sha256 };
  }

  async #histories(workspaceId: WorkspaceId, names: readonly string[], folder: string): Promise<FeatureHistory[]> {
    const histories: FeatureHistory[] = [];
    for (const name of names) histories.push(await this.parts.features.exportHistory(workspaceId, name, folder));
    return histories;
  }

  #paths(groups: readonly RowGroupRecord[]): Promise<string[]> {
    return Promise.all(groups.map((group) => this.parts.artifacts.local(group.sha256)));
  }

  async #make(
    context: MakingContext,
    recipe: VersionRecipe,
    parent: readonly RowGroupRecord[],
    folder: string,
  ): Promise<MadeVersion> {
    return this.parts.maker.make(recipe, {
      folder,
      parent: await this.#paths(parent.filter((group) => !group.quarantined)),
      signal: context.signal,
      countTokens: this.parts.countTokens?.(context.run.workspaceId as WorkspaceId) ?? null,
      progress: (fraction, message) => context.progress(fraction, message),
    });
  }

  /** Makes the version visible, or finds that it exists. @returns null when another version came in between */
  async #commit(
    context: MakingContext,
    dataset: DatasetRecord,
    recipe: VersionRecipe,
    newVersion: MadeVersion,
    latest: VersionRecord | null,
    base: VersionRecord | null,
    { deletion = null, origin }: { deletion?: DeleteRowsInput | null; origin?: VersionOrigin | undefined },
  ): Promise<MadeOrFound | null> {
    const { store, files, artifacts } = this.parts;
    const workspaceId = dataset.workspaceId as WorkspaceId;
    const manifest = manifestOf(recipe, newVersion, base, deletion?.places.length ?? 0, origin);
    const digest = manifestDigest(manifest);
    const staged: StagedBytes[] = [];
    try {
      for (const group of newVersion.rowGroups)
        staged.push(await artifacts.stage(createReadStream(group.path), { maxBytes: Number.MAX_SAFE_INTEGER }));
      return await context.fenced<MadeOrFound | null>(async (tx) => {
        await store.lock(tx, dataset.id);
        const knownVersion = await store.byDigest(tx, dataset.id, digest);
        if (knownVersion?.withdrawnAt)
          throw new GraftError(
            'DATASET_UNUSABLE',
            `These are the rows of version ${knownVersion.version}, which was withdrawn: ${knownVersion.withdrawnReason}`,
          );
        // Also where another deletion has made this very version: what each withdraws differs.
        if (knownVersion) {
          if (deletion) await this.#withdraw(tx, context, deletion);
          return { versionId: knownVersion.id, created: false };
        }
        if ((await store.latest(dataset.id))?.id !== latest?.id) return null;
        if (deletion) await this.#withdraw(tx, context, deletion);
        await this.#holdFiles(tx, workspaceId, recipe);
        const rowGroups = [];
        for (const [position, group] of newVersion.rowGroups.entries()) {
          const name = `${dataset.name}-${digest.slice(0, 12)}-${position}.parquet`;
          const file = await files.adopt(
            tx,
            workspaceId,
            { name, mediaType: 'application/vnd.apache.parquet' },
            staged[position]!,
          );
          rowGroups.push({
            position,
            fileId: file.id,
            sha256: file.sha256,
            rows: group.rows,
            quarantined: group.quarantined,
          });
        }
        const { counts, statistics, report } = newVersion;
        const row = {
          workspaceId,
          datasetId: dataset.id,
          digest,
          manifest,
          sources: sourcesOf(recipe, base),
          counts,
          statistics,
          report,
          openErrors: report.openErrors,
        };
        const version = await store.addVersion(tx, row, rowGroups, latest ? [latest.id] : []);
        return { versionId: version.id, created: true };
      });
    } finally {
      for (const bytes of staged) await bytes.discard();
    }
  }

  /** @throws NOT_FOUND when a file was deleted with somebody's rows since it was read: the version would have them */
  async #holdFiles(tx: Transaction, workspaceId: WorkspaceId, { files }: VersionRecipe): Promise<void> {
    const read = files.flatMap(({ file, pair }) => (pair ? [file, pair] : [file]));
    const lockedDigests = await this.parts.files.hold(
      tx,
      workspaceId,
      read.map(({ sha256 }) => sha256),
    );
    const missingFile = read.find(({ sha256 }) => !lockedDigests.has(sha256));
    if (missingFile)
      throw new GraftError('NOT_FOUND', `The file ${missingFile.name} was deleted while it was being imported.`);
  }
}

function manifestOf(
  recipe: VersionRecipe,
  newVersion: MadeVersion,
  base: VersionRecord | null,
  leftOut: number,
  ownOrigin: VersionOrigin | undefined,
): VersionManifest {
  const { task, ...settings } = recipe.settings;
  // Rows that are carried over stay made of what they were made of.
  const origin = ownOrigin || base?.manifest.origin ? { ...base?.manifest.origin, ...ownOrigin } : undefined;
  return {
    format: 1,
    task,
    settings: { ...settings, labels: [...settings.labels] },
    splitRule: recipe.splitRule,
    steps: [...recipe.steps],
    files: recipe.files.map(({ file, pair, split, mapping }) => ({
      sha256: file.sha256,
      pair: pair?.sha256 ?? null,
      split,
      mapping,
    })),
    base: base
      ? {
          digest: base.digest,
          leftOut,
          ...(recipe.base?.revision && { revision: { labels: [...recipe.base.revision.labels] } }),
        }
      : null,
    features: recipe.features?.map(({ view, ttlMs }) => ({ view, ttlMs })) ?? base?.manifest.features ?? [],
    rowGroups: newVersion.rowGroups.map(({ sha256, rows, quarantined }) => ({ sha256, rows, quarantined })),
    ...(origin && { origin }),
  };
}

/** Sources in the order that rows count them: the version's own files, then those of the rows that it carries over. */
const sourcesOf = (recipe: VersionRecipe, base: VersionRecord | null): VersionSource[] => [
  ...recipe.files.map(({ file }) => ({ name: file.name, sha256: file.sha256, rows: null })),
  ...(base?.sources ?? []),
];
