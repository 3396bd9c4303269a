import {
  askedInput,
  hasLabel,
  heldTo,
  inPieces,
  LabelWords,
  taskOf,
  type LabelIndexes,
  type LabelIndexRecord,
  type TaskContext,
  type TaskInput,
  type TaskKind,
} from '../../sources/data/index.js';
import { badInput } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { SearchScope } from '../../sources/knowledge/index.js';
import {
  modelFileOf,
  type AdapterRegistry,
  type Material,
  type ModelRegistry,
  type ServedAdapter,
  type ServedVariant,
  type WordingChoice,
} from '../../sources/registry/index.js';
import type { ModelFile } from '../../worker-protocol/index.js';
import { rowsAlone, rowsBeside, type LabelledRows } from './read/labelled-rows.js';
import type { Question } from './question.js';
import { STRATEGIES, type Strategy } from './strategies.js';
import { toolFormOf } from './tools.js';

/** An adapter with what its task makes of the question. */
export interface Adaptation {
  adapter: ServedAdapter;
  context: TaskContext;
  input: TaskInput;
  /** What its answers always hold to; null where it may say anything. */
  heldTo: ReturnType<typeof heldTo>;
}

/** Everything that was decided before the answer is made: the stages run from this alone. */
export interface Plan {
  strategy: Strategy;
  /** Where passages are read from; null when none are. */
  scope: SearchScope | null;
  /** Labelled rows that are read instead of passages; null when none are. */
  labelled: LabelledRows | null;
  variant: ServedVariant;
  /** What the base model words an answer from documents from; null: what its size lets expect to serve it. */
  material: Material | null;
  /** What acts on the model; null for the base model alone. */
  adaptation: Adaptation | null;
  /** The variant's file with the adapters that act on it, as the worker takes it. */
  model: ModelFile;
}

/** What answers, as traces and metrics name it: `name@3` of the adapter, else the base model. */
export const nameOf = ({ adaptation, variant }: Pick<Plan, 'adaptation' | 'variant'>): string =>
  adaptation ? `${adaptation.adapter.adapter}@${adaptation.adapter.version}` : variant.model;

/** Whether the answer is held to spans of the passages: a question is answered from them, in words of its own there is no gain. */
export const copiesSpans = ({ scope, adaptation }: Plan): boolean =>
  scope !== null &&
  adaptation !== null &&
  taskOf(adaptation.input.task).fromPassages &&
  adaptation.adapter.usage.answer.form === 'text';

/** Whether one sentence after another is read, and the answer is a span of the best: by an adapter that learned to. */
export const readsSentences = (plan: Plan): boolean =>
  copiesSpans(plan) && plan.adaptation?.adapter.usage.readsSentences === true;

/**
 * Whether the model writes one text in words of its own: no label, no copy, no quote, no pieces. System messages and sampling act there alone.
 * @param wording whose words an answer from documents has
 */
export const writesFreely = (plan: Plan, wording: WordingChoice | null): boolean =>
  wording !== 'QUOTE' &&
  plan.labelled === null &&
  (plan.adaptation === null || (writesText(plan.adaptation) && !copiesSpans(plan)));

/** Whether answers are one text without a form of its task. */
const writesText = ({ adapter, input, heldTo }: Adaptation): boolean =>
  adapter.usage.answer.form === 'text' && heldTo === null && inPieces(input).length === 1 && !hasLabel(input.task);

export interface PlanParts {
  registry: Pick<ModelRegistry, 'resolve' | 'variant'>;
  adapters: Pick<AdapterRegistry, 'resolve'>;
  labelIndexes: Pick<LabelIndexes, 'find' | 'store'>;
}

/** What there is to read. */
export interface Sources {
  scope: SearchScope | null;
  /** The labelled rows that the caller named; null when none. */
  labelled: LabelIndexRecord | null;
}

/**
 * The plan of an answer whose strategy is decided.
 * @throws NOT_FOUND for a model or an adapter that doesn't exist, BAD_USER_INPUT for an adapter of another base model or task,
 * MODEL_UNAVAILABLE
 */
export async function makePlan(
  { registry, adapters, labelIndexes }: PlanParts,
  workspaceId: WorkspaceId,
  question: Question,
  strategy: Strategy,
  { scope, labelled: namedIndex }: Sources,
): Promise<Plan> {
  const { reads, adapts } = STRATEGIES[strategy];
  const adapter = adapts ? await adapters.resolve(workspaceId, question.adapter ?? '') : null;
  if (adapter && question.task !== null && adapter.task !== question.task)
    throw badInput('input.adapter', `${adapter.adapter} was made for ${adapter.task}, not for ${question.task}.`);
  if (question.form && adapter) requireWords(adapter, question);
  const variant = await variantOf(registry, workspaceId, question, adapter);
  const rowsRead = () =>
    adapter ? rowsBeside(labelIndexes, workspaceId, adapter, namedIndex) : namedIndex && rowsAlone(namedIndex);
  const labelled = reads && question.collections === null ? await rowsRead() : null;
  return {
    strategy,
    scope: reads && labelled === null ? scope : null,
    labelled,
    variant,
    material: question.material ?? null,
    adaptation: adapter && adaptationOf(adapter, question),
    model: modelFileOf(variant, adapter ? [adapter.file] : []),
  };
}

/** @throws BAD_USER_INPUT for an adapter whose answers have a form of their own */
function requireWords(adapter: ServedAdapter, question: Question): void {
  if (writesText(adaptationOf(adapter, question))) return;
  throw badInput(
    'input.form',
    `${adapter.adapter} answers in the form of its task, ${adapter.task}, which no schema holds.`,
    'Name a base model, or an adapter that writes text.',
  );
}

/** The model that the caller names, else the one that the adapter was trained on, else the default. */
async function variantOf(
  registry: PlanParts['registry'],
  workspaceId: WorkspaceId,
  { model, tools }: Question,
  adapter: ServedAdapter | null,
): Promise<ServedVariant> {
  if (model === null && adapter) return registry.variant(workspaceId, adapter.variantId);
  const variant = await registry.resolve(workspaceId, model);
  if (adapter && adapter.modelId !== variant.modelId)
    throw badInput('input.model', `${adapter.adapter} adapts another base model than ${variant.model}.`);
  if (tools) toolFormOf(variant);
  return variant;
}

function adaptationOf(adapter: ServedAdapter, { text }: Question): Adaptation {
  const { labels, languages } = adapter.usage;
  const context: TaskContext = { labels: new LabelWords(labels), languages };
  const input = askedInput(adapter.task as TaskKind, text, context);
  return { adapter, context, input, heldTo: heldTo(input, context) };
}
