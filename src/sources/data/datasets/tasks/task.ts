import { z } from 'zod';
import { record } from '../../../../kernel/record.js';
import type { ChatMessage } from '../../../prompting/index.js';
import type { Columns } from '../files/columns.js';
import type { MappingOnto } from '../files/file-mapping.js';
import type { MarkedCopy } from '../../../../worker-protocol/index.js';
import type { FieldDefinition } from '../files/fields.js';
import type { LabelWords } from './label-words.js';

const spanShape = {
  start: z.number().int().min(0).meta({ description: 'Where it starts.' }),
  end: z.number().int().min(0).meta({ description: 'Where it ends (exclusive).' }),
  text: z.string().meta({ description: 'The text there.' }),
};

/** Offsets count UTF-16 units, as everywhere in Graft; `end` is exclusive. */
export const spanSchema = record(
  'TextSpan',
  'A stretch of a text; offsets count UTF-16 code units, as JavaScript does.',
  spanShape,
);
export const entitySchema = record('Entity', 'A named entity in a text.', {
  type: z.string().meta({ description: 'Its type, e.g. `person`.' }),
  ...spanShape,
});

export type Span = z.infer<typeof spanSchema>;
export type Entity = z.infer<typeof entitySchema>;

/** A text after edits, and where its old spans stand now. */
interface EditedSpans {
  text: string;
  moveSpan<S extends Span>(span: S): S;
}

/** What all examples of a dataset version share; an adapter is served with that of the version it learned. */
export interface TaskContext {
  /** Labels or entity types of the rows for training; empty where the task has none. */
  labels: LabelWords;
  /** The pair that most rows have; null where the task knows none. ISO 639-1, or `und`. */
  languages: { source: string; target: string } | null;
}

/** What is known besides the input of one example. */
export interface Aids {
  /** Rendered features (`renderFeatures`); empty when there are none. */
  facts: string;
  /** Texts to answer from, the strongest first; they replace the context of the row. */
  passages: readonly string[] | null;
}

export const NO_AIDS: Aids = { facts: '', passages: null };

/** What a model said, read as the task means it. */
export type TaskAnswer =
  | { kind: 'LABEL'; label: string }
  | { kind: 'ENTITIES'; entities: Entity[] }
  /** `refused`: the model says that it can't answer from what it was shown; then `text` is empty. */
  | { kind: 'TEXT'; text: string; refused: boolean };

/**
 * What answers of a task are measured by: labels against labels, entities against entities, a translation against a reference, an
 * answer or a refusal against the right one, or the words of a text against those of the right one. `evaluation/metrics/measures.ts`
 * says which metrics each has.
 */
export type MeasureName = 'LABELS' | 'ENTITIES' | 'TRANSLATIONS' | 'ANSWERS' | 'WORDS';

/** Reports something about the row being built: a rule's id and a note. */
export type Note = (rule: string, note: string) => void;

type MappedColumns<Field extends string> = Partial<Record<Field, string>>;

/**
 * Everything that Graft knows of a kind of task. Methods, not function properties: a definition of one kind of row can then
 * stand in a list of all kinds, each called with rows of its own.
 *
 * `Input` is what a model is asked with, `Row` that and the right answer.
 */
export interface TaskDefinition<
  Schema extends z.ZodObject = z.ZodObject,
  Field extends string = string,
  Input = z.infer<Schema>,
> {
  /** Told to users. */
  readonly description: string;
  /** Content of a row, each field described: from it come the GraphQL type and the Parquet columns. */
  readonly schema: Schema;

  /** What columns of a file may hold, besides `COMMON_FIELDS`. */
  readonly fields: Readonly<Record<Field, FieldDefinition>>;
  /** Sets of fields of which one must be complete. */
  readonly needs: readonly (readonly NoInfer<Field>[])[];
  /** How surely a file with these columns is of this kind, 0..1; the surest kind is suggested. */
  confidence(columns: Columns<NoInfer<Field>>): number;
  /** The columns of a file that is to be of this kind, and constants that their names imply. */
  suggest(columns: Columns<NoInfer<Field>>): {
    columns: MappedColumns<NoInfer<Field>>;
    constants?: MappedColumns<NoInfer<Field>>;
  };
  /** One record's values as a row. @throws RowFault */
  build(values: Readonly<Partial<Record<NoInfer<Field>, unknown>>>, mapping: MappingOnto, note: Note): z.infer<Schema>;

  /** The fields that are stored in columns of their own; everything else goes into `body` as JSON. */
  readonly stored: { text?: keyof z.infer<Schema> & string; label?: keyof z.infer<Schema> & string };
  /** The text that the model is asked with: duplicates and leaks are looked for in it. */
  inputText(row: z.infer<Schema>): string;
  /** What else must be equal before two equal input texts are the same example. Empty: nothing. */
  scope(row: z.infer<Schema>): string;
  /** Rows with the same group are never parted by a hashed split; null: those of the same words. */
  group(row: z.infer<Schema>): string | null;
  /** What the model should answer, as text that is equal exactly for equal answers. */
  outputText(row: z.infer<Schema>): string;

  /** The texts of a row by field name, in reading order: what text rules look at. */
  texts(row: z.infer<Schema>): [field: string, text: string][];
  /** The row with every text edited and its spans moved along. */
  edit(row: z.infer<Schema>, edit: (text: string) => EditedSpans): z.infer<Schema>;
  /** What is missing in the row besides texts that are blank; null when nothing is. */
  gap(row: z.infer<Schema>): string | null;
  /** Stretches that the row names, with the text that they stand in. `exclusive`: they may not overlap. */
  spans(row: z.infer<Schema>): { text: string; spans: readonly Span[]; exclusive: boolean };
  /** Labels or entity types that the row's answer uses. */
  labels(row: z.infer<Schema>): readonly string[];
  /** JSON path of entity types in `body`, for statistics; null when rows have none. */
  readonly typesPath: string | null;
  /** Whether rows have two sides, each in a language of its own. */
  readonly twoLanguages: boolean;
  /** Both sides with the language that each is declared to be in; null when rows have no sides. */
  languages(row: z.infer<Schema>): { source: Side; target: Side } | null;
  /** Texts that the row is answered from, as they are shown; empty where it brings none. */
  passages(row: z.infer<Schema>): readonly string[];
  /** Whether one input has one right answer, so that two different ones contradict each other. */
  readonly oneAnswer: boolean;

  /** A text that someone asks with, as the input of this task. */
  ask(text: string, context: TaskContext): Input;
  /** The input in the pieces that are answered one after another; left out where one answer needs all of it. */
  pieces?(input: Input): readonly Piece<Input>[];
  /** The conversation up to the model's answer: training and serving both render this and nothing else. */
  prompt(input: Input, context: TaskContext, aids: Aids): ChatMessage[];
  /** The same row up to each earlier answer that is learned, too. */
  earlier(row: z.infer<Schema>): readonly z.infer<Schema>[];
  /** What the model shall say. */
  answer(row: z.infer<Schema>, context: TaskContext): string;
  /** What every answer of this task holds to, which spares a model to learn it; null where anything may be said. */
  heldTo(input: Input, context: TaskContext): { mark: MarkedCopy } | null;
  /** What a model said, or null when it isn't an answer of this task. Inverse of `answer`. */
  read(text: string, input: Input, context: TaskContext): TaskAnswer | null;
  /** The right answer, as `read` would give it. */
  right(row: z.infer<Schema>): TaskAnswer;
  /** Whether its prompt shows passages that the answer is copied from, so that it can be answered by retrieval. */
  readonly fromPassages: boolean;

  /** How it is learned by default: its answers as text or as one token for each label, and the tokens of the longest example. */
  readonly training: { readonly answer: 'TEXT' | 'LABEL_TOKEN'; readonly maxTokens: number };
  /** How it is answered where it is measured: most tokens, more than any right answer needs, and the texts that end it. */
  readonly answering: { readonly maxTokens: number; readonly stop: readonly string[] };
  readonly measure: MeasureName;
}

/** A piece of a text that is answered by itself. */
export interface Piece<Input> {
  /** What stands between the piece before and this one: it goes into the answer as it is. */
  gap: string;
  input: Input;
}

interface Side {
  text: string;
  language: string;
}

/** What most kinds have in common. */
export const TASK_DEFAULTS = {
  scope: () => '',
  group: () => null,
  gap: () => null,
  spans: () => ({ text: '', spans: [], exclusive: false }),
  labels: () => [],
  typesPath: null,
  twoLanguages: false,
  languages: () => null,
  passages: () => [],
  oneAnswer: false,
  earlier: () => [],
  heldTo: () => null,
  fromPassages: false,
};

/** Checks a definition and keeps its exact types. */
export const defineTask = <Schema extends z.ZodObject, Field extends string, Input>(
  definition: TaskDefinition<Schema, Field, Input>,
): TaskDefinition<Schema, Field, Input> => definition;
