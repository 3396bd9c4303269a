import { scoreLabels } from '../../answer/ask/index.js';
import {
  factsOf,
  inputText,
  LabelWords,
  renderPrompt,
  rightLabel,
  Split,
  vote,
  type Data,
} from '../../sources/data/index.js';
import { badInput, GraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { RunQueue, RunRow } from '../../platform/runs/index.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import { renderChat } from '../../sources/prompting/index.js';
import { modelFileOf, type AdapterRegistry, type ModelRegistry } from '../../sources/registry/index.js';
import { sampleRows, type AskedRow } from '../evaluations/sample-rows.js';
import { hybridFit, type HybridFitContext } from './blend-run.js';
import { fitBlend, type FittedBlend, type Opinions } from './fit-blend.js';

interface HybridFitterParts {
  runs: RunQueue;
  registry: Pick<ModelRegistry, 'variant' | 'embedder'>;
  adapters: AdapterRegistry;
  data: Data;
  worker: Pick<WorkerClient, 'scoreNext' | 'embed'>;
}

interface StartHybridFit {
  adapter: string;
  version: number;
  rows: number;
  seed: number;
  idempotencyKey: string;
}

export const MOST_FIT_ROWS = 1_000;
/** Rows that are embedded in one call. */
const BATCH = 64;

/** Finds out how much an adapter and the nearest labelled rows count when both say the label. */
export class HybridFitter {
  constructor(private readonly parts: HybridFitterParts) {}

  /**
   * @returns the HYBRID_FIT run
   * @throws NOT_FOUND, BAD_USER_INPUT for an adapter without label tokens, DATASET_UNUSABLE, IDEMPOTENCY_CONFLICT; CONFLICT where
   * the rows that it was trained on are not indexed
   */
  async start(workspaceId: WorkspaceId, input: StartHybridFit): Promise<RunRow> {
    const { adapters, data, runs } = this.parts;
    const { rows, seed, idempotencyKey } = input;
    if (rows < 1 || rows > MOST_FIT_ROWS)
      throw badInput('input.rows', `rows must be between 1 and ${MOST_FIT_ROWS}, not ${rows}.`);
    const adapter = await adapters.resolve(workspaceId, `${input.adapter}@${input.version}`, 'input.adapter');
    const { versionId, datasetVersionId, usage } = adapter;
    if (usage.answer.form !== 'label-token')
      throw badInput(
        'input.adapter',
        `${input.adapter} has no token for each label, whose probabilities rows could add to.`,
      );
    if (datasetVersionId === null)
      throw badInput(
        'input.adapter',
        'An imported version was trained on no dataset version whose rows it could be read with.',
      );
    await data.datasets.usableVersion(workspaceId, datasetVersionId, 'input.adapter');
    if (!(await data.labelIndexes.find(workspaceId, { datasetVersionId }))) throw notIndexed();
    return runs.enqueue(hybridFit, {
      workspaceId,
      idempotencyKey,
      subjectId: versionId,
      input: { adapterVersionId: versionId, datasetVersionId, rows, seed },
    });
  }

  /** The work of a HYBRID_FIT run. @throws DATASET_UNUSABLE without rows for validation, and what worker and vector store throw */
  async fit(context: HybridFitContext): Promise<FittedBlend> {
    const { run, input, signal } = context;
    const { adapters, data, registry, worker } = this.parts;
    const workspaceId = run.workspaceId as WorkspaceId;
    const { datasetVersionId } = input;
    const { version, adapter } = await adapters.requireVersionById(workspaceId, input.adapterVersionId);
    const servedAdapter = await adapters.served(workspaceId, adapter, version);
    const { answer } = servedAdapter.usage;
    const index = await data.labelIndexes.find(workspaceId, { datasetVersionId });
    if (!index || answer.form !== 'label-token') throw notIndexed();
    const variant = await registry.variant(workspaceId, version.variantId);
    const model = modelFileOf(variant, [servedAdapter.file]);
    const shared = { labels: new LabelWords(servedAdapter.usage.labels), languages: servedAdapter.usage.languages };
    const { rows, views } = await this.#rows(workspaceId, input);
    const names = [...new Set([...index.fit.labels, ...answer.labels.map(({ label }) => label)])];
    const opinions: Opinions[] = [];
    for (let from = 0; from < rows.length; from += BATCH) {
      const batch = rows.slice(from, from + BATCH);
      const request = {
        workspaceId,
        embedder: registry.embedder(),
        texts: batch.map(({ content }) => inputText(content)),
      };
      const { vectors } = await worker.embed(request, { signal, priority: 'bulk' });
      for (const [i, row] of batch.entries()) {
        const { content } = row;
        const facts = factsOf(row, views);
        const prompt = renderChat(variant.chat, renderPrompt(content, shared, { facts, passages: null }));
        const step = { workspaceId, model, composed: { prompt }, signal };
        const { probabilities } = await scoreLabels(worker, step, answer.labels);
        const neighbours = await data.labelIndexes.nearest(workspaceId, index.id, vectors[i]!);
        const label = rightLabel(content) ?? '';
        opinions.push({ label, adapter: probabilities, neighbours: vote(neighbours, names, index.fit.rule) });
      }
      await context.progress(
        (0.98 * opinions.length) / rows.length,
        `${opinions.length} of ${rows.length} rows are asked.`,
      );
      await context.takeTurns();
    }
    const fitted = fitBlend(names, opinions);
    await context.fenced(async (tx) => {
      await adapters.store.holdVersion(version.id, tx);
      await data.labelIndexes.store.setBlend(tx, index.id, version.id, fitted.weights);
    });
    return fitted;
  }

  async #rows(
    workspaceId: WorkspaceId,
    { datasetVersionId, rows: limit, seed }: HybridFitContext['input'],
  ): Promise<{ rows: AskedRow[]; views: string[] }> {
    const { data } = this.parts;
    const { dataset, version, rowGroups } = await data.datasets.usableVersion(
      workspaceId,
      datasetVersionId,
      'input.adapter',
    );
    const stream = data.rows.stream(dataset.task, rowGroups, { split: Split.VALIDATION, quarantined: false });
    const rows = await sampleRows(stream, limit, seed);
    if (rows.length === 0)
      throw new GraftError('DATASET_UNUSABLE', `Version ${version.version} has no VALIDATION rows to fit on.`);
    return { rows, views: version.manifest.features.map(({ view }) => view) };
  }
}

const notIndexed = (): GraftError =>
  new GraftError('CONFLICT', 'The rows that the version was trained on are not indexed.', {
    field: 'input.adapter',
    hint: 'Index them with indexDataset.',
  });
