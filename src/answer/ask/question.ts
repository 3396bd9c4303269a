import { z } from 'zod';
import type { Groups } from '../../kernel/caller.js';
import {
  checkedEntity,
  checkedSteps,
  hasLabel,
  preprocessText,
  type PreprocessingStep,
  type TaskKind,
} from '../../sources/data/index.js';
import { badInput, GraftError } from '../../kernel/errors.js';
import { digestOf } from '../../kernel/hashing.js';
import type { Uuid } from '../../kernel/ids.js';
import { checkedName, checkedText } from '../../kernel/text.js';
import type { EarlierTurn } from '../../sources/prompting/index.js';
import type { Material, WordingChoice } from '../../sources/registry/index.js';
import { MOST_PROBABLE, sampling as drawn, SEEDS, stopText, type JsonForm } from '../../worker-protocol/index.js';
import { goesOn } from './follow-up.js';
import { checkedTools, type ToolUse } from './tools.js';
import { mayDo, STRATEGIES, strategiesThat, strategyOf, type StrategyChoice } from './strategies.js';

/** UTF-16 units; a longer question is refused before any work, whatever the model's context. */
export const MAX_QUESTION_CHARACTERS = 8_000;
/** UTF-16 units of a system message. */
const MAX_SYSTEM_CHARACTERS = 16_000;
/** UTF-16 units of functions, their calls and what these gave, as JSON. */
const MAX_TOOL_CHARACTERS = 64_000;
export const MAX_ANSWER_TOKENS = 512;
export const DEFAULT_ANSWER_TOKENS = 96;
const MAX_COLLECTIONS = 50;
const MAX_FEATURE_VIEWS = 20;
const MOST_OWN_REFUSED = 0.5;

export interface Generation {
  /** 1..512. */
  maxTokens: number;
  /** 0 (always the likeliest token) to 2. */
  temperature: number;
  /** For temperatures above 0; null takes one at random. */
  seed: number | null;
}

/** How a model's words are drawn and ended beside `Generation`, where it writes freely (`writesFreely`). */
export const sampling = drawn.extend({
  /** Texts that end the answer; JSON ends by itself. */
  stop: z.array(stopText).min(1).max(4).optional(),
});
export type Sampling = z.infer<typeof sampling>;

/** What a caller asks, as it came. */
export interface AskInput {
  question: string;
  collections?: readonly string[] | null;
  requestId?: string | null;
  strategy?: StrategyChoice | null;
  adapter?: string | null;
  /** Whether the reader that comes with Graft judges what is read of documents; by default it does. */
  reader?: boolean | null;
  model?: string | null;
  dataset?: string | null;
  task?: TaskKind | null;
  conversationId?: string | null;
  entity?: string | null;
  features?: readonly string[] | null;
  preprocessing?: readonly PreprocessingStep[] | null;
  minConfidence?: number | null;
  maxErrorRate?: number | null;
  maxOwnRefused?: number | null;
  wording?: WordingChoice | null;
  /** What the model is to word its answer from, for who measures that; left out, what serves it. */
  material?: Material | null;
  generation?: Partial<Generation> | null;
  /** JSON that the model's words are held to; see `readSchema`. */
  form?: JsonForm | null;
  /** Asks how probable each of the model's tokens was, and for so many others at its place, 0 to 20. */
  probable?: number | null;
  /** Who asks, for experiments and rollouts; it is no part of what the request id stands for, and stored only hashed. */
  unit?: string | null;
  /** The arm that a tester wants; such answers count for nothing. */
  forceArm?: string | null;
  /** What the same person asked before and was answered, oldest first, by clients that keep their own history instead of naming a conversation. */
  earlier?: readonly EarlierTurn[];
  /** Recorded answers whose words stand in `earlier`. */
  shownAnswers?: readonly AskedBefore[];
  /** Instructions of the program that asks: part of the prompt where a model writes freely, see `writesFreely`. They are no evidence. */
  system?: string | null;
  sampling?: Sampling | null;
  /** Functions of the program that asks; base models alone call them. */
  tools?: ToolUse | null;
}

/** A question that its asker put before in a conversation, and what its answer read. */
export interface AskedBefore {
  /** Row id of its answer. */
  id: string;
  question: string;
  /** `collection/name` of each document. */
  readFrom: string[];
}

/** What is asked, checked and with its defaults. */
export interface Question {
  text: string;
  /** null: all that the caller may read. */
  collections: string[] | null;
  strategy: StrategyChoice;
  /** `name`, `name@candidate` or `name@3`; null: none, or what AUTO finds. */
  adapter: string | null;
  /** Set where words and vectors alone judge what is read of documents. */
  reader?: false;
  /** `name` or `name@quantization`; null: the one that adapter or configuration say. */
  model: string | null;
  /** The dataset whose labelled rows are read instead of passages; null: none, or those that the adapter was trained on. */
  dataset: string | null;
  /** What kind of answer is wanted; null: any. */
  task: TaskKind | null;
  conversationId: string | null;
  /** What the question is about, e.g. `customer:42`; null: nothing in particular. */
  entity: string | null;
  /** Names of the feature views that are read of it, in order. */
  features: string[];
  /** What was done to the text, in order. */
  preprocessing: PreprocessingStep[];
  /** The least probability, 0 to 1, that the documents hold the answer with which one is given; null: the strategy's own. */
  minConfidence: number | null;
  /** The error rate, 0 to 1, that answers shall keep on held-out data; null: any. */
  maxErrorRate: number | null;
  /** The share of an adapter's own messages that may be refused as foreign, 0 to 0.5; missing: the default. */
  maxOwnRefused?: number;
  /** null: what serves the model that answers, see `choose-wording.ts`. */
  wording: WordingChoice | null;
  /** What the model is to word its answer from; missing where nobody said. */
  material?: Material;
  generation: Generation;
  /** JSON that the model's words are held to; missing where they are free. */
  form?: JsonForm;
  /** How many of the most probable tokens are told at each place; missing where nobody asked. */
  probable?: number;
  /** What was said before, by a client that keeps its own history; missing where there is none. */
  earlier?: readonly EarlierTurn[];
  /** Recorded answers whose words stand there. */
  shownAnswers?: readonly AskedBefore[];
  /** The last of the questions that `text` puts together; missing where it is but one. */
  latest?: string;
  /** Instructions of the program that asks; missing where there are none. */
  system?: string;
  /** Missing where nobody said. */
  sampling?: Sampling;
  /** Functions that may be called; missing where there are none. */
  tools?: ToolUse;
}

/** @throws QUESTION_TOO_LONG */
export function checkQuestionLength({
  question,
  system,
  tools,
}: Pick<AskInput, 'question' | 'system' | 'tools'>): void {
  if (question.length > MAX_QUESTION_CHARACTERS)
    throw new GraftError(
      'QUESTION_TOO_LONG',
      `The question has ${question.length} characters; at most ${MAX_QUESTION_CHARACTERS} are read.`,
      { field: 'input.question' },
    );
  if (system && system.length > MAX_SYSTEM_CHARACTERS)
    throw new GraftError(
      'QUESTION_TOO_LONG',
      `The system message has ${system.length} characters; at most ${MAX_SYSTEM_CHARACTERS} are read.`,
      { field: 'input.system' },
    );
  const characters = tools
    ? JSON.stringify([tools.functions.map(({ definition }) => definition), tools.steps]).length
    : 0;
  if (characters > MAX_TOOL_CHARACTERS)
    throw new GraftError(
      'QUESTION_TOO_LONG',
      `The functions, with what they gave, have ${characters} characters; at most ${MAX_TOOL_CHARACTERS} are read.`,
      { field: 'input.tools' },
    );
}

/** @throws BAD_USER_INPUT, QUESTION_TOO_LONG */
// whole: one line a field of the question.
export function checkedQuestion(input: AskInput): Question {
  checkQuestionLength(input);
  const { question, collections = null, strategy } = input;
  const preprocessing = checkedSteps(input.preprocessing ?? [], 'input.preprocessing');
  const read = checkedText(question, 'input.question', MAX_QUESTION_CHARACTERS);
  const { text } = preprocessText(read.trim(), preprocessing);
  return {
    text: preprocessing.length === 0 ? text : checkedText(text, 'input.question', MAX_QUESTION_CHARACTERS).trim(),
    preprocessing,
    ...checkedFeatures(input.entity ?? null, input.features ?? []),
    collections: collections === null ? null : checkedCollections(collections),
    ...checkedTarget(strategy ?? 'AUTO', input),
    dataset: checkedDataset(strategy ?? 'AUTO', input),
    conversationId: checkedKey(input.conversationId, 'input.conversationId'),
    minConfidence: checkedConfidence(strategy ?? 'AUTO', input.minConfidence ?? null),
    maxErrorRate: checkedRate(input.maxErrorRate ?? null),
    wording: checkedWording(strategy ?? 'AUTO', input),
    generation: checkedGeneration(
      input.generation ?? {},
      input.form || input.tools ? MAX_ANSWER_TOKENS : DEFAULT_ANSWER_TOKENS,
    ),
    ...checkedForm(strategy ?? 'AUTO', input),
    ...checkedTools(strategy ?? 'AUTO', input),
    ...checkedProbable(input),
    ...checkedOwnRefused(strategy ?? 'AUTO', input.maxOwnRefused),
    ...(input.reader === false && { reader: false as const }),
    ...(input.material && { material: input.material }),
    ...(input.earlier && input.earlier.length > 0 && { earlier: input.earlier }),
    ...(input.shownAnswers && { shownAnswers: input.shownAnswers }),
    ...checkedSampling(input.sampling),
    ...(input.system?.trim() && { system: checkedText(input.system, 'input.system', MAX_SYSTEM_CHARACTERS).trim() }),
  };
}

/**
 * Equal for questions that must have one answer; the request id is no part of it.
 * @param askedBy line of the key that asks: part of it where the answer depends on what the same caller asked before
 */
// whole: one line a field of the digest.
export function questionDigest(
  question: Question,
  forceArm: string | null = null,
  groups: Groups = null,
  askedBy: Uuid | null = null,
): string {
  const { adapter, model, task, minConfidence, maxErrorRate, wording, dataset } = question;
  // Left out where nobody asked for them: answers from before there were such options keep their digests.
  return digestOf({
    ...question,
    adapter: adapter ?? undefined,
    model: model ?? undefined,
    task: task ?? undefined,
    dataset: dataset ?? undefined,
    minConfidence: minConfidence ?? undefined,
    maxErrorRate: maxErrorRate ?? undefined,
    wording: wording ?? undefined,
    forceArm: forceArm ?? undefined,
    // Who sees other documents gets another answer.
    groups: groups ? [...groups].sort() : undefined,
    askedBy: question.conversationId !== null && goesOn(question.text) ? (askedBy ?? undefined) : undefined,
  });
}

export const MAX_KEY_CHARACTERS = 200;

/** 1 to 200 characters; null stays null. @throws BAD_USER_INPUT */
export const checkedKey = (
  key: string | null | undefined,
  field: string,
  maximum: number = MAX_KEY_CHARACTERS,
): string | null => (key === null || key === undefined ? null : checkedText(key, field, maximum));

function checkedFeatures(entity: string | null, features: readonly string[]): Pick<Question, 'entity' | 'features'> {
  if (entity === null && features.length === 0) return { entity, features: [] };
  if (entity === null)
    throw badInput('input.entity', 'features are read of an entity.', 'Say which, e.g. entity: "customer:42".');
  if (features.length < 1 || features.length > MAX_FEATURE_VIEWS || new Set(features).size < features.length)
    throw badInput(
      'input.features',
      `features must have 1 to ${MAX_FEATURE_VIEWS} names, each once.`,
      'Name the feature views to read of the entity; featureViews lists them.',
    );
  const names = features.map((name) => checkedName(name, 'input.features'));
  return { entity: checkedEntity(entity, 'input.entity'), features: names };
}

function checkedCollections(names: readonly string[]): string[] {
  if (names.length < 1 || names.length > MAX_COLLECTIONS)
    throw badInput('input.collections', `collections must have 1 to ${MAX_COLLECTIONS} names, not ${names.length}.`);
  return [...new Set(names.map((name) => checkedName(name, 'input.collections')))].sort();
}

/** Longer references name nothing: names have at most 63 characters, and so do aliases and quantizations. */
const MAX_REFERENCE = 130;

const ADAPTING = strategiesThat(({ adapts }) => adapts).join(' and ');
const READING = strategiesThat(({ reads }) => reads).join(' or ');

/** What is to answer: an adapter goes with a strategy that applies one, and only with such a one. */
function checkedTarget(
  strategy: StrategyChoice,
  { adapter, model, task }: AskInput,
): Pick<Question, 'strategy' | 'adapter' | 'model' | 'task'> {
  const requestedAdapter = checkedKey(adapter, 'input.adapter', MAX_REFERENCE);
  const definition = strategy === 'AUTO' ? null : strategyOf(strategy);
  const adapterName = requestedAdapter ?? definition?.adapter ?? null;
  const adapts = definition?.adapts === true;
  if (adapts && adapterName === null)
    throw badInput('input.adapter', `The strategy ${strategy} needs an adapter.`, 'Name one; adapters lists them.');
  if (!adapts && adapterName !== null)
    throw badInput(
      'input.adapter',
      `adapter goes with the strategies ${ADAPTING} only.`,
      'Set strategy to one of them, or leave the adapter out.',
    );
  return { strategy, adapter: adapterName, model: checkedKey(model, 'input.model', MAX_REFERENCE), task: task ?? null };
}

function checkedDataset(strategy: StrategyChoice, { dataset, collections, task }: AskInput): string | null {
  if (dataset === null || dataset === undefined) return null;
  const field = 'input.dataset';
  if (!mayDo(strategy, 'reads'))
    throw badInput(field, `${strategy} reads nothing.`, `Leave dataset out, or use ${READING}.`);
  if (collections !== null && collections !== undefined)
    throw badInput(field, 'An answer is read from labelled rows or from documents.', 'Give dataset or collections.');
  if (task && !hasLabel(task)) throw badInput('input.task', `Labelled rows answer no ${task}.`, 'Leave it out.');
  return checkedName(dataset, field);
}

function checkedConfidence(strategy: StrategyChoice, minConfidence: number | null): number | null {
  if (minConfidence === null) return null;
  if (!(minConfidence >= 0 && minConfidence <= 1))
    throw badInput('input.minConfidence', `minConfidence must be between 0 and 1, not ${minConfidence}.`);
  if (!mayDo(strategy, 'reads'))
    throw badInput('input.minConfidence', 'minConfidence goes with strategies that read documents.', 'Leave it out.');
  return minConfidence;
}

function checkedWording(strategy: StrategyChoice, { wording, dataset }: AskInput): WordingChoice | null {
  if (wording === null || wording === undefined) return null;
  const field = 'input.wording';
  if (!mayDo(strategy, 'reads'))
    throw badInput(field, 'wording goes with strategies that read documents.', 'Leave it out.');
  if (dataset !== null && dataset !== undefined)
    throw badInput(field, 'Labelled rows answer with a label.', 'Give dataset or wording.');
  return wording;
}

function checkedRate(rate: number | null): number | null {
  if (rate === null || (rate > 0 && rate < 1)) return rate;
  throw badInput('input.maxErrorRate', `maxErrorRate must be above 0 and below 1, not ${rate}.`);
}

function checkedOwnRefused(
  strategy: StrategyChoice,
  share: number | null | undefined,
): Pick<Question, 'maxOwnRefused'> {
  if (share === null || share === undefined) return {};
  const field = 'input.maxOwnRefused';
  if (!(share >= 0 && share <= MOST_OWN_REFUSED))
    throw badInput(field, `maxOwnRefused must be between 0 and ${MOST_OWN_REFUSED}, not ${share}.`);
  if (!mayDo(strategy, 'adapts'))
    throw badInput(field, 'maxOwnRefused goes with strategies that apply an adapter.', 'Leave it out.');
  return { maxOwnRefused: share };
}

/** JSON is the model's own words: what quotes or copies documents, or answers with a label, can't be held to a form. */
function checkedForm(strategy: StrategyChoice, { form, wording, dataset }: AskInput): Pick<Question, 'form'> {
  if (form === null || form === undefined) return {};
  const field = 'input.form';
  if (strategy === 'AUTO' || !STRATEGIES[strategy].takesForm)
    throw badInput(
      field,
      `${strategy} may answer with a quote of a document or with a label, which no schema holds.`,
      'Name a base model or an adapter that writes text, or ask for the strategy RAG.',
    );
  if (wording === 'QUOTE') throw badInput(field, 'A quote can’t be held to a schema.', 'Leave wording out.');
  if (dataset !== null && dataset !== undefined) throw badInput(field, 'Labelled rows answer with a label.');
  return { form };
}

/** What is recorded keeps no probabilities of tokens, so who joins a request id would be given none. */
function checkedProbable({ probable, requestId }: AskInput): Pick<Question, 'probable'> {
  if (probable === null || probable === undefined) return {};
  const field = 'input.probable';
  if (!Number.isInteger(probable) || probable < 0 || probable > MOST_PROBABLE)
    throw badInput(field, `probable must be a whole number between 0 and ${MOST_PROBABLE}, not ${probable}.`);
  if (requestId !== null && requestId !== undefined)
    throw badInput(field, 'A recorded answer keeps no log-probabilities.', 'Leave the request id out.');
  return { probable };
}

function checkedSampling(options: Sampling | null | undefined): Pick<Question, 'sampling'> {
  if (!options) return {};
  const { data, error } = sampling.safeParse(options);
  if (data) return { sampling: data };
  const [{ path, message } = { path: [], message: '' }] = error.issues;
  const [name] = path.map(String);
  throw badInput(`input.sampling.${name}`, `${name} can’t be taken: ${message}.`);
}

function checkedGeneration({ maxTokens, temperature, seed }: Partial<Generation>, unlessSaid: number): Generation {
  const field = 'input.generation';
  const tokens = maxTokens ?? unlessSaid;
  const heat = temperature ?? 0;
  if (!Number.isInteger(tokens) || tokens < 1 || tokens > MAX_ANSWER_TOKENS)
    throw badInput(`${field}.maxTokens`, `maxTokens must be between 1 and ${MAX_ANSWER_TOKENS}, not ${tokens}.`);
  if (!(heat >= 0 && heat <= 2))
    throw badInput(`${field}.temperature`, `temperature must be between 0 and 2, not ${heat}.`);
  if (seed !== null && seed !== undefined && !(Number.isInteger(seed) && seed >= 0 && seed <= SEEDS))
    throw badInput(`${field}.seed`, `seed must be an integer between 0 and ${SEEDS}, not ${seed}.`);
  return { maxTokens: tokens, temperature: heat, seed: seed ?? null };
}
