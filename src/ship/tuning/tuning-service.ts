import { badInput, GraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { Json } from '../../kernel/stored-json.js';
import { checkedName } from '../../kernel/text.js';
import type { RecipeOverrides, TrainingService } from '../../learn/training/index.js';
import type { FileService } from '../../platform/artifacts/index.js';
import type { RunQueue, RunRow } from '../../platform/runs/index.js';
import { storedFigures, type EvaluationStore } from '../../prove/index.js';
import {
  checkedSplitRule,
  MAX_FILES,
  type Data,
  type DatasetRecord,
  type SplitRule,
  type TaskKind,
} from '../../sources/data/index.js';
import { fineTuning, type TuningOutput } from './tuning-run.js';
import type { Measured } from './worth.js';

export interface StartTuning {
  name: string;
  /** Row ids of files. */
  files: readonly string[];
  validationFiles: readonly string[];
  task: TaskKind;
  splitRule?: SplitRule | null;
  model?: string | null;
  recipe?: RecipeOverrides | null;
  request?: Json | null;
  idempotencyKey: string;
}

/** Starts what leads from files to a proven version. */
export class TuningService {
  constructor(
    private readonly parts: {
      runs: RunQueue;
      files: FileService;
      data: Pick<Data, 'datasets' | 'store'>;
      training: Pick<TrainingService, 'planned'>;
      evaluations: Pick<EvaluationStore, 'byIds'>;
    },
  ) {}

  /**
   * What can be refused at once is: a file or a model that isn't there, a model that can't be trained, a name of another task.
   * @throws NOT_FOUND, BAD_USER_INPUT, MODEL_UNSUPPORTED, ALREADY_EXISTS, IDEMPOTENCY_CONFLICT
   */
  async start(workspaceId: WorkspaceId, input: StartTuning): Promise<RunRow> {
    const name = checkedName(input.name, 'input.name');
    const { files, validationFiles, task } = input;
    if (files.length === 0 || files.length + validationFiles.length > MAX_FILES)
      throw badInput('input.files', `1 to ${MAX_FILES} files are taken, those for validation included.`);
    for (const id of files) await this.parts.files.get(workspaceId, id, 'input.files');
    for (const id of validationFiles) await this.parts.files.get(workspaceId, id, 'input.validationFiles');
    const wanted = { adapter: name, task, model: input.model ?? null, recipe: input.recipe ?? {} };
    const model = await this.parts.training.planned(workspaceId, wanted);
    const dataset = await this.#dataset(workspaceId, name, task);
    return this.parts.runs.enqueue(fineTuning, {
      workspaceId,
      input: {
        name,
        task,
        files: [...files],
        validationFiles: [...validationFiles],
        splitRule: input.splitRule ? checkedSplitRule(input.splitRule, 'input.splitRule') : null,
        model,
        recipe: wanted.recipe,
        request: input.request ?? null,
      },
      idempotencyKey: input.idempotencyKey,
      subjectId: dataset.id,
    });
  }

  /** What an evaluation measured; null where it was deleted, with its adapter version. */
  async measured(
    workspaceId: WorkspaceId,
    { evaluationId, against = null, insteadOf = null }: Pick<TuningOutput, 'evaluationId' | 'against' | 'insteadOf'>,
  ): Promise<Measured | null> {
    const [evaluation] = await this.parts.evaluations.byIds(workspaceId, [evaluationId]);
    if (!evaluation) return null;
    return { rows: evaluation.rows, against, insteadOf, figures: storedFigures.decode(evaluation.figures) };
  }

  async #dataset(workspaceId: WorkspaceId, name: string, task: TaskKind): Promise<DatasetRecord> {
    const { datasets, store } = this.parts.data;
    const known = await store.byName(workspaceId, name);
    if (!known) return datasets.createDataset(workspaceId, { name, task });
    if (known.task === task) return known;
    throw new GraftError('ALREADY_EXISTS', `The dataset ${name} is for ${known.task}.`, {
      field: 'input.name',
      hint: 'Choose another name.',
    });
  }
}
