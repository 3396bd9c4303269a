import { badInput, GraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { checkedName, checkedText } from '../../../kernel/text.js';
import type { Data, TaskKind, UsableVersion } from '../../../sources/data/index.js';
import type { RunQueue, RunRow } from '../../../platform/runs/index.js';
import {
  learnedFrom,
  storedUsage,
  type AdapterRegistry,
  type AdapterVersionRow,
  type ModelRegistry,
  type ServedVariant,
} from '../../../sources/registry/index.js';
import { definedOnly, recipeFor, type AnswerForm, type Recipe, type RecipeOverrides } from '../recipes/recipe.js';
import { training } from './training-run.js';

interface TrainingServiceParts {
  runs: RunQueue;
  registry: Pick<ModelRegistry, 'resolve' | 'variant'>;
  adapters: AdapterRegistry;
  data: Data;
}

export interface StartTraining {
  adapter: string;
  description?: string | null;
  datasetVersionId: string;
  model?: string | null;
  /** A reference to the adapter version that it goes on from; by default it begins at the base model. */
  parent?: string | null;
  recipe?: RecipeOverrides | null;
  idempotencyKey: string;
}

/** What a training would be made of. */
export interface CheckedTraining extends Pick<UsableVersion, 'dataset' | 'version'> {
  recipe: Recipe;
  variant: ServedVariant;
  parent: AdapterVersionRow | null;
}

const PARENT = 'input.parent';

/** The architectures that the training engine has a definition of. */
const TRAINABLE = ['llama', 'qwen2', 'qwen3'];
const MAX_DESCRIPTION = 2_000;

/** Starts training runs: everything that can be refused is refused before a run exists. */
export class TrainingService {
  constructor(private readonly parts: TrainingServiceParts) {}

  /**
   * @returns the TRAINING run, which waits for its turn; the same key with the same input is the same run
   * @throws BAD_USER_INPUT, NOT_FOUND, DATASET_UNUSABLE, MODEL_UNSUPPORTED, ALREADY_EXISTS for a name of another task or model,
   * IDEMPOTENCY_CONFLICT
   */
  async start(workspaceId: WorkspaceId, input: StartTraining): Promise<RunRow> {
    const adapter = checkedName(input.adapter, 'input.adapter');
    const description = checkedText(input.description ?? '', 'input.description', MAX_DESCRIPTION, {
      allowEmpty: true,
    });
    const { dataset, version, recipe, variant, parent } = await this.checked(workspaceId, input);
    await this.#requireFree(workspaceId, adapter, dataset.task, variant.modelId);
    if (recipe.patience > 0 && version.counts.validation === 0)
      throw badInput('input.recipe.patience', 'Stopping early needs rows for validation, and the version has none.');
    return this.parts.runs.enqueue(training, {
      workspaceId,
      input: {
        adapter,
        description,
        task: dataset.task,
        datasetVersionId: version.id,
        recipe,
        modelId: variant.modelId,
        variantId: variant.variantId,
        ...(parent && { parentId: parent.id, inheritedFrom: learnedFrom(parent) }),
      },
      idempotencyKey: input.idempotencyKey,
      subjectId: version.id,
    });
  }

  /**
   * The rows, the model and the whole recipe that a wish means.
   * @throws BAD_USER_INPUT, NOT_FOUND, DATASET_UNUSABLE, MODEL_UNSUPPORTED, ADAPTER_WRONG_BASE
   */
  async checked(
    workspaceId: WorkspaceId,
    input: Pick<StartTraining, 'datasetVersionId' | 'model' | 'recipe' | 'parent'>,
  ): Promise<CheckedTraining> {
    const { data, registry } = this.parts;
    const { dataset, version } = await data.datasets.trainableVersion(
      workspaceId,
      input.datasetVersionId,
      'input.datasetVersion',
    );
    const parent = input.parent == null ? null : await this.#parentOf(workspaceId, input.parent, dataset.task);
    const variant =
      parent && input.model == null
        ? await registry.variant(workspaceId, parent.variantId)
        : await registry.resolve(workspaceId, input.model ?? null);
    requireTrainable(variant);
    const overrides = input.recipe ?? {};
    if (parent === null) return { dataset, version, variant, recipe: recipeFor(dataset.task, overrides), parent };
    const { modelId } = await registry.variant(workspaceId, parent.variantId);
    if (modelId !== variant.modelId)
      throw new GraftError('ADAPTER_WRONG_BASE', `${input.parent} is of another base model than ${input.model}.`, {
        field: PARENT,
        hint: 'Leave the model out: that of the version to go on from is trained.',
      });
    return { dataset, version, variant, recipe: recipeOn(parent, dataset.task, overrides), parent };
  }

  /**
   * Refuses what can be refused before there are rows.
   * @returns the base model that would be trained @throws NOT_FOUND, MODEL_UNSUPPORTED, BAD_USER_INPUT, ALREADY_EXISTS
   */
  async planned(
    workspaceId: WorkspaceId,
    {
      adapter,
      task,
      model,
      recipe,
    }: { adapter: string; task: TaskKind; model: string | null; recipe: RecipeOverrides },
  ): Promise<string> {
    const variant = await this.parts.registry.resolve(workspaceId, model);
    requireTrainable(variant);
    recipeFor(task, recipe);
    await this.#requireFree(workspaceId, adapter, task, variant.modelId);
    return model ?? variant.model;
  }

  /** @throws BAD_USER_INPUT, NOT_FOUND */
  async #parentOf(workspaceId: WorkspaceId, reference: string, task: string): Promise<AdapterVersionRow> {
    const { adapters } = this.parts;
    const parent = await adapters.resolve(workspaceId, reference, PARENT);
    if (parent.task !== task)
      throw badInput(PARENT, `${reference} was made for ${parent.task}, and the rows are for ${task}.`);
    return (await adapters.requireVersionById(workspaceId, parent.versionId)).version;
  }

  async #requireFree(workspaceId: WorkspaceId, name: string, task: string, modelId: string): Promise<void> {
    const adapter = await this.parts.adapters.store.byName(workspaceId, name);
    if (adapter && (adapter.task !== task || adapter.modelId !== modelId))
      throw new GraftError('ALREADY_EXISTS', `The adapter ${name} is for another task or another base model.`, {
        field: 'input.adapter',
        hint: 'Choose another name.',
      });
  }
}

/** @throws MODEL_UNSUPPORTED */
function requireTrainable({ architecture }: ServedVariant): void {
  if (TRAINABLE.includes(architecture)) return;
  throw new GraftError('MODEL_UNSUPPORTED', `Models of the architecture ${architecture} can’t be trained.`, {
    field: 'input.model',
    hint: `Train a model of ${TRAINABLE.join(', ')}.`,
  });
}

/**
 * The recipe of a training that goes on from a version: in its shape, whose numbers go on being trained, and its form of answers.
 * @throws BAD_USER_INPUT for another shape or form
 */
function recipeOn(
  { rank, alpha, targets, usage }: AdapterVersionRow,
  task: TaskKind,
  overrides: RecipeOverrides,
): Recipe {
  const answer: AnswerForm = storedUsage.decode(usage).answer.form === 'label-token' ? 'LABEL_TOKEN' : 'TEXT';
  const parentRecipe = { answer, rank, alpha, targets };
  const recipe = recipeFor(task, { ...parentRecipe, ...definedOnly(overrides) });
  for (const field of ['answer', 'rank', 'alpha'] as const)
    if (recipe[field] !== parentRecipe[field])
      throw badInput(
        `input.recipe.${field}`,
        `The version to go on from has the ${field} ${parentRecipe[field]}, not ${recipe[field]}.`,
      );
  if (recipe.targets.length !== targets.length || !recipe.targets.every((target) => targets.includes(target)))
    throw badInput('input.recipe.targets', `The version to go on from changes ${targets.join(', ')}.`);
  return recipe;
}
