/*
 * From files to a proven version, a stage a function:
 *   import   the files become a dataset version, of which some rows are held out for the test
 *   train    a version of the adapter learns from the others
 *   prove    it is shown to act, and measured on the test rows beside what it would replace
 *   judge    the gate says what it makes of that, and the figures stand beside it; nothing is promoted
 * Every run that a stage begins has a key made of this run's id: taken up again, it finds what was begun, and begins nothing twice.
 */
import { GraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { training, type TrainingService } from '../../learn/training/index.js';
import { runEnd, type RunQueue, type RunRow } from '../../platform/runs/index.js';
import type { Attestor, Evaluator, Gate } from '../../prove/index.js';
import { DEFAULT_SPLIT_RULE, importing, Split, type Data } from '../../sources/data/index.js';
import type { AdapterRegistry, AdapterVersionRow } from '../../sources/registry/index.js';
import { newReports } from './reports.js';
import type { TuningService } from './tuning-service.js';
import { worthSentences } from './worth.js';
import { NOTHING_YET, type TuningContext, type TuningOutput, type TuningState } from './tuning-run.js';

export interface TuneParts {
  runs: RunQueue;
  data: Pick<Data, 'datasets' | 'store'>;
  training: Pick<TrainingService, 'start'>;
  adapters: AdapterRegistry;
  attestor: Attestor;
  evaluator: Evaluator;
  gate: Pick<Gate, 'verdict'>;
  tuning: Pick<TuningService, 'measured'>;
}

const POLL_MS = 1_000;
const EVALUATED_ROWS = 500;
const MAX_TOKENS = 2_048;
const LEAST_ROWS_A_LABEL = 5;

/** The work of a FINE_TUNING run. @throws CONFLICT with what a stage's run failed with, and what starting one throws */
export async function tune(parts: TuneParts, context: TuningContext): Promise<TuningOutput> {
  const tuning = new Tuning(parts, context);
  const datasetVersionId = await tuning.import();
  const version = await tuning.train(datasetVersionId);
  const evaluationId = await tuning.prove(version, datasetVersionId);
  return { ...tuning.state, evaluationId, ...(await tuning.judge(version, evaluationId)) };
}

class Tuning {
  #state: TuningState;
  readonly #workspaceId: WorkspaceId;

  constructor(
    private readonly parts: TuneParts,
    private readonly context: TuningContext,
  ) {
    this.#state = context.resumed ?? NOTHING_YET;
    this.#workspaceId = context.run.workspaceId as WorkspaceId;
  }

  get state(): TuningState {
    return this.#state;
  }

  /** @returns id of the dataset version */
  async import(): Promise<string> {
    const { name, files, validationFiles, splitRule } = this.context.input;
    if (this.#state.datasetVersionId !== null) return this.#state.datasetVersionId;
    const run = await this.parts.data.datasets.addVersion(this.#workspaceId, {
      dataset: name,
      files: [
        ...files.map((fileId) => ({ fileId })),
        ...validationFiles.map((fileId) => ({ fileId, split: Split.VALIDATION })),
      ],
      splitRule: splitRule ?? { ...DEFAULT_SPLIT_RULE, ...(validationFiles.length > 0 && { validation: 0 }) },
      extend: false,
      maxTokens: MAX_TOKENS,
      minRowsPerLabel: LEAST_ROWS_A_LABEL,
      idempotencyKey: this.#key('import'),
    });
    const versionId = importing.outputOf(await this.#end(run, 0, 0.1))?.versionId ?? null;
    if (versionId === null) throw new GraftError('CONFLICT', 'The import made no dataset version.');
    await this.#keep({ datasetVersionId: versionId });
    const [version] = await this.parts.data.store.versionsByIds(this.#workspaceId, [versionId]);
    const { counts, report } = version!;
    for (const { count, meaning, cure } of report.problems)
      await this.context.progress(0.1, `${count} ${count === 1 ? 'row' : 'rows'}: ${meaning} ${cure}`);
    await this.context.progress(0.1, rowsTold(counts));
    return versionId;
  }

  async train(datasetVersionId: string): Promise<AdapterVersionRow> {
    const { name, model, recipe } = this.context.input;
    const run = await this.parts.training.start(this.#workspaceId, {
      adapter: name,
      datasetVersionId,
      model,
      recipe,
      idempotencyKey: this.#key('training'),
    });
    await this.#keep({ trainingRunId: run.id });
    const made = training.outputOf(await this.#end(run, 0.1, 0.7))?.adapterVersionId ?? '';
    const [version] = await this.parts.adapters.store.versionsById(this.#workspaceId, [made]);
    if (!version) throw new GraftError('CONFLICT', 'The trained version was deleted meanwhile.');
    await this.#keep({ adapterVersionId: version.id });
    return version;
  }

  /** @returns id of the evaluation */
  async prove(trained: AdapterVersionRow, datasetVersionId: string): Promise<string> {
    const { name } = this.context.input;
    const { version } = trained;
    if (trained.attestation === null) {
      const which = { adapter: name, version, idempotencyKey: this.#key('attestation') };
      await this.#end(await this.parts.attestor.start(this.#workspaceId, which), 0.7, 0.75);
    }
    if (this.#state.against === undefined) await this.#keep(await this.#comparison(trained, datasetVersionId));
    const run = await this.parts.evaluator.start(this.#workspaceId, {
      adapter: `${name}@${version}`,
      model: null,
      against: this.#state.against ?? null,
      datasetVersionId,
      split: Split.TEST,
      rows: EVALUATED_ROWS,
      seed: 1,
      force: false,
      retention: true,
      others: [],
      regression: true,
      foreign: true,
      idempotencyKey: this.#key('evaluation'),
    });
    await this.#end(run, 0.75, 0.99);
    return run.id;
  }

  /** What the gate holds it against, or the base model where that learned every test row. */
  async #comparison(
    trained: AdapterVersionRow,
    datasetVersionId: string,
  ): Promise<Pick<TuningState, 'against' | 'insteadOf'>> {
    const { replacedVersionId } = await this.parts.gate.verdict(this.#workspaceId, trained);
    if (replacedVersionId === null) return { against: null };
    const [replaced] = await this.parts.adapters.store.versionsById(this.#workspaceId, [replacedVersionId]);
    if (!replaced) return { against: null };
    const name = `${this.context.input.name}@${replaced.version}`;
    const asked = [trained.id, replaced.id];
    const isMeasurable = await this.parts.evaluator.hasUnseen(this.#workspaceId, datasetVersionId, asked);
    return isMeasurable ? { against: name } : { against: null, insteadOf: name };
  }

  async judge({ id }: AdapterVersionRow, evaluationId: string): Promise<Pick<TuningOutput, 'passed' | 'findings'>> {
    const [version] = await this.parts.adapters.store.versionsById(this.#workspaceId, [id]);
    const measured = await this.parts.tuning.measured(this.#workspaceId, { ...this.#state, evaluationId });
    if (!version || !measured) throw new GraftError('CONFLICT', 'The trained version was deleted meanwhile.');
    const { passed, checks } = await this.parts.gate.verdict(this.#workspaceId, version);
    const failures = checks.filter((check) => !check.passed).length;
    const findings = [
      ...checks.map(({ message }) => message),
      ...worthSentences(measured, this.context.input.task),
      passed
        ? 'The gate lets it answer as candidate.'
        : `The gate doesn’t let it answer as candidate: ${failures} of ${checks.length} checks fail.`,
    ];
    for (const finding of findings) await this.context.progress(1, finding);
    return { passed, findings };
  }

  #key(stage: string): string {
    return `fine-tuning ${this.context.run.id} ${stage}`;
  }

  async #keep(more: Partial<TuningState>): Promise<void> {
    this.#state = { ...this.#state, ...more };
    await this.context.checkpoint(this.#state);
  }

  /** Waits for a run, whose own reports are told as this one's. @param from share of the way that is behind, @param to when it has ended */
  #end(run: RunRow, from: number, to: number): Promise<RunRow> {
    const isNew = newReports();
    const seen = async ({ message, progress }: RunRow): Promise<void> => {
      if (!isNew({ message, progress })) return;
      await this.context.progress(from + (to - from) * progress, message);
    };
    return runEnd({ runs: this.parts.runs, context: this.context, everyMs: POLL_MS, resumes: true, seen }, run);
  }
}

const rowsTold = ({ train, validation, test }: { train: number; validation: number; test: number }): string =>
  `${train} rows are learned from, ${validation} choose among steps, ${test} are held out for the test.`;
