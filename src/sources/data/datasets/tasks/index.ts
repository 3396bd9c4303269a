import { enumeration } from '../../../../kernel/enumeration.js';
import { canonicalJson, sha256 } from '../../../../kernel/hashing.js';
import type { ChatMessage } from '../../../prompting/index.js';
import type { MarkedCopy } from '../../../../worker-protocol/index.js';
import { classification } from './classification.js';
import { extraction } from './extraction.js';
import { instruction } from './instruction.js';
import { questionAnswering } from './question-answering.js';
import type { Aids, Piece, TaskAnswer, TaskContext, TaskDefinition } from './task.js';
import { translation } from './translation.js';

/** Every kind of task. A new one is a file beside this one and an entry here. */
export const TASKS = {
  CLASSIFICATION: classification,
  EXTRACTION: extraction,
  TRANSLATION: translation,
  QUESTION_ANSWERING: questionAnswering,
  INSTRUCTION: instruction,
};

/** What a dataset teaches; it decides which fields a row has. */
export type TaskKind = keyof typeof TASKS;
export const TASK_KINDS = Object.keys(TASKS) as TaskKind[];
export const TaskKind = enumeration(...TASK_KINDS);

type Content<Kind extends TaskKind> = ReturnType<(typeof TASKS)[Kind]['build']>;
type Input<Kind extends TaskKind> = Parameters<(typeof TASKS)[Kind]['prompt']>[0];

/** One row's content, told apart by its task. */
export type TaskRow = { [Kind in TaskKind]: { task: Kind } & Content<Kind> }[TaskKind];
/** What a model is asked with: a row, or what of it is known before it is answered. */
export type TaskInput = { [Kind in TaskKind]: { task: Kind } & Input<Kind> }[TaskKind];

/** The definition of a kind, to be given rows of that kind alone. */
export const taskOf = (kind: TaskKind): TaskDefinition => TASKS[kind];

/** The texts of a row by field name, in reading order: what text rules look at and text steps change. */
export const textFields = (row: TaskRow): [field: string, text: string][] => taskOf(row.task).texts(row);

/** The text that the model is asked with: duplicates and leaks are looked for in it. */
export const inputText = (row: TaskRow): string => taskOf(row.task).inputText(row);

/** What the model should answer, as text that is equal exactly for equal answers. */
export const outputText = (row: TaskRow): string => taskOf(row.task).outputText(row);

/** The right answer of a row, as `readAnswer` would give it. */
export const rightAnswer = (row: TaskRow): TaskAnswer => taskOf(row.task).right(row);

/** Whether a row of the kind is answered with one of some labels. */
export const hasLabel = (kind: TaskKind): boolean => taskOf(kind).stored.label !== undefined;
/** Whether rows of the kind use labels or entity types, which an adapter for it has to know. */
export const usesLabels = (kind: TaskKind): boolean => hasLabel(kind) || taskOf(kind).typesPath !== null;

/** The right label of a row that has one, else null. */
export function rightLabel(row: TaskRow): string | null {
  const right = rightAnswer(row);
  return right.kind === 'LABEL' ? right.label : null;
}

/** What a model reads and what it shall answer. Training renders both with the model's chat template, serving the messages alone. */
interface RenderedExample {
  /** The conversation up to the answer, ending with the user. */
  messages: ChatMessage[];
  /** Without the token that ends it. */
  answer: string;
}

/** Changes when the prompt or the answer of any kind does: part of what a trained adapter depends on. */
export const RENDERING_VERSION = 1;

/** An input as a conversation that the model continues with its answer. */
export const renderPrompt = (input: TaskInput, context: TaskContext, aids: Aids): ChatMessage[] =>
  taskOf(input.task).prompt(input, context, aids);

/** An input in the pieces that are answered one after another: one where its task needs all of it. */
export const inPieces = (input: TaskInput): readonly Piece<TaskInput>[] =>
  (taskOf(input.task).pieces?.(input) as readonly Piece<TaskInput>[] | undefined) ?? [{ gap: '', input }];

/** Texts that a row is answered from, as they are shown; empty where it brings none. */
export const shownPassages = (row: TaskRow): readonly string[] => taskOf(row.task).passages(row);

/** What is learned of a row: a conversation up to each of its answers, any other row as it is. The row itself comes last. */
export const learnedOf = (row: TaskRow): TaskRow[] => [
  ...taskOf(row.task)
    .earlier(row)
    .map((content) => ({ task: row.task, ...(content as object) }) as TaskRow),
  row,
];

/** A row as an example to learn from, or to be measured on. */
export const renderExample = (row: TaskRow, context: TaskContext, aids: Aids): RenderedExample => ({
  messages: taskOf(row.task).prompt(row, context, aids),
  answer: taskOf(row.task).answer(row, context),
});

/** What a model said to `renderPrompt`'s messages, as the task means it; null when it is no answer of this task. */
export const readAnswer = (text: string, input: TaskInput, context: TaskContext): TaskAnswer | null =>
  taskOf(input.task).read(text, input, context);

/** What an answer to `renderPrompt`'s messages holds to; null where anything may be said. */
export const heldTo = (input: TaskInput, context: TaskContext): { mark: MarkedCopy } | null =>
  taskOf(input.task).heldTo(input, context);

/** A text that someone asks with, as the input of a task. */
export const askedInput = (task: TaskKind, text: string, context: TaskContext): TaskInput =>
  ({ task, ...(taskOf(task).ask(text, context) as object) }) as TaskInput;

/** The row without its tag, as users see it. */
export function rowContent(row: TaskRow): Record<string, unknown> {
  const { task: _task, ...content } = row;
  return content;
}

/** 128 bits of SHA-256 over the content: the row's identity in a diff. */
export const rowDigest = (row: TaskRow): string => sha256(canonicalJson(rowContent(row))).slice(0, 32);

/** 64 bits of SHA-256: plenty to group a million texts (expected collisions below 1e-7). */
export const textHash = (value: string): string => sha256(value).slice(0, 16);

export { LabelWords } from './label-words.js';
export {
  entitySchema,
  NO_AIDS,
  type Entity,
  type MeasureName,
  type Piece,
  type Span,
  type TaskAnswer,
  type TaskContext,
} from './task.js';
