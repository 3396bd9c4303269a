import {
  auditSupervision,
  factsOf,
  learnedOf,
  renderExample,
  rightLabel,
  shownPassages,
  type StoredRow,
  type TaskContext,
} from '../../../sources/data/index.js';
import { GraftError } from '../../../kernel/errors.js';
import { digestOf } from '../../../kernel/hashing.js';
import { sampled } from '../../../kernel/random.js';
import {
  noFormFor,
  REFUSAL,
  renderAccepted,
  renderChat,
  type PromptSegment,
} from '../../../sources/prompting/index.js';
import { readReplay, type LabelToken, type ServedVariant } from '../../../sources/registry/index.js';
import { MOST_IN_GROUP, type TrainingExample } from '../../../worker-protocol/index.js';
import { chooseLabelTokens } from '../recipes/label-tokens.js';
import type { Recipe } from '../recipes/recipe.js';
import { RefusedRows, type TrainingAudit } from './refused-rows.js';

/** Cuts texts into tokens as the served model does: the train worker's `tokenize`. */
export type Tokenize = (
  texts: (string | PromptSegment[])[],
) => Promise<{ tokens: Int32Array[]; roundTrips: boolean[]; endToken: number }>;

/** The rows that a run may learn from, and what their examples share. */
export interface Rows {
  context: TaskContext;
  /** Feature views that the version joins, in order. */
  views: readonly string[];
  /** That of nearly all rows, ISO 639-1; null where they are mixed, or it is unknown. */
  language: string | null;
  /** Usable rows of a split, in their order. */
  stream(split: 'TRAIN' | 'VALIDATION'): AsyncIterable<readonly StoredRow[]>;
}

export interface EncodedExamples {
  examples: TrainingExample[];
  validation: TrainingExample[];
  /** Windows of general text that hold the adapter near the base model; empty without retention. */
  replay: Int32Array[];
  /** The token of each label; null where answers are learned as text. */
  labels: LabelToken[] | null;
  audit: TrainingAudit;
  /** Whether examples show passages to answer from, and whether some of them are to be refused. */
  reads: boolean;
  refuses: boolean;
}

/** What decides the tokens of a run beside its rows: the same give the same, whenever it is taken up. */
interface EncodingJob {
  variant: ServedVariant;
  recipe: Recipe;
  /** When the run was asked for. Templates that tell the day tell this one: a run that goes on tomorrow reads what it began with. */
  askedAt: Date;
}

/**
 * Every example as the model will read it, after the audit of what they teach: answers whose prompt its template refuses, that are blank or
 * over the cap are left out.
 * @throws DATASET_UNUSABLE when labels can't be told apart by a token each, MODEL_UNSUPPORTED when the template can't be used
 */
export async function encodeExamples(
  rows: Rows,
  { variant, recipe, askedAt }: EncodingJob,
  tokenize: Tokenize,
  signal: AbortSignal,
): Promise<EncodedExamples> {
  const { context, views } = rows;
  const render = (row: StoredRow) => {
    const { messages, answer } = renderExample(row.content!, context, { facts: factsOf(row, views), passages: null });
    return { messages, answer, prompt: renderAccepted(variant.chat, messages, askedAt) };
  };
  const refusedRows = new RefusedRows((row) => {
    const { messages, prompt } = render(row);
    return prompt ? null : `The model’s template has ${noFormFor(messages)}.`;
  });
  const accepted = await auditSupervision(
    refusedRows.keptOut(bothSplits(rows)),
    { context, views, maxTokens: recipe.maxTokens },
    {
      prompt: (messages) => renderChat(variant.chat, messages, askedAt),
      countPrompts: async (prompts) =>
        (await tokenize(prompts as PromptSegment[][])).tokens.map(({ length }) => length),
      async tokenizeAnswers(answers) {
        const { tokens, roundTrips } = await tokenize([...answers]);
        return answers.map((text, i) => ({ tokens: tokens[i]!.length, text: roundTrips[i] ? text : '' }));
      },
    },
    signal,
  );
  const audit = refusedRows.addedTo(accepted);
  const labels = recipe.answer === 'LABEL_TOKEN' ? await labelTokens(context, tokenize) : null;
  const tokenOf = labels && new Map(labels.map(({ label, token }) => [label, token]));

  const encoded = async function* (split: 'TRAIN' | 'VALIDATION'): AsyncGenerator<Encoded> {
    for await (const batch of learnedRows(rows, split)) {
      signal.throwIfAborted();
      const rendered = batch.flatMap((row) => {
        const { prompt, answer } = row.content === null ? { prompt: null, answer: '' } : render(row);
        return prompt && answer.trim() !== '' ? [{ row, prompt, answer }] : [];
      });
      const { tokens, endToken } = await tokenize([
        ...rendered.map(({ prompt }) => prompt),
        ...rendered.map(({ answer }) => answer),
      ]);
      for (const [i, { row, answer: answerText }] of rendered.entries()) {
        const prompt = tokens[i]!;
        const answer = answerTokens(row, tokens[rendered.length + i]!, endToken, tokenOf);
        if (answer === null || prompt.length + answer.length > recipe.maxTokens) continue;
        yield {
          ids: Int32Array.from([...prompt, ...answer]),
          answerFrom: prompt.length,
          shows: shownBy(row.content!),
          refuses: row.content!.task === 'QUESTION_ANSWERING' && answerText === REFUSAL,
        };
      }
    }
  };

  const forTraining = await collected(encoded('TRAIN'));
  // Drawn from all that can be measured, which shows only in tokens: the first rows of a file that is sorted are of one kind.
  const { validationRows, seed } = recipe;
  const forValidation = validationRows > 0 ? await sampled(encoded('VALIDATION'), validationRows, seed) : [];
  const groups = new Groups();
  const examples = forTraining.map((example) => groups.put(example));
  const validation = forValidation.map((example) => groups.put(example));
  const allExamples = [...forTraining, ...forValidation];
  const traits = {
    reads: allExamples.some(({ shows }) => shows !== null),
    refuses: allExamples.some(({ refuses }) => refuses),
  };
  const replay = recipe.retention.weight > 0 ? await replayWindows(recipe.retention.tokens, tokenize) : [];
  return { examples, validation, replay, labels, audit, ...traits };
}

/** @throws DATASET_UNUSABLE with the faults of the rows when nothing is left to learn from */
export function requireExamples({ examples, audit }: Pick<EncodedExamples, 'examples' | 'audit'>): void {
  if (examples.length > 0) return;
  const faults = Object.entries(audit.counts).flatMap(([fault, rows]) => (rows > 0 ? `${fault} ${rows}` : []));
  throw new GraftError(
    'DATASET_UNUSABLE',
    `No row is left to learn from. Rows by fault: ${faults.join(', ') || 'none'}.`,
    {
      hint: 'The run’s audit says why, row by row; a larger maxTokens may help.',
    },
  );
}

/** An example before it has its group. */
interface Encoded extends Pick<TrainingExample, 'ids' | 'answerFrom'> {
  /** Digest of the passages that it shows; null where it shows none. */
  shows: string | null;
  refuses: boolean;
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** Digest of the passages that a row shows; null where it shows none. */
export function shownBy(content: NonNullable<StoredRow['content']>): string | null {
  const passages = shownPassages(content);
  return passages.length > 0 ? digestOf(passages) : null;
}

/** Rows that show the same passages, so many of them at a time: the model reads those once for all of a group. */
export class Groups {
  private last = { shows: '', group: 0, size: 0 };
  /** Rows of the largest group; 1 where each is alone. */
  largest = 1;

  put({ ids, answerFrom, shows }: Encoded): TrainingExample {
    return { ids, answerFrom, ...(shows !== null && { group: this.of(shows) }) };
  }

  /** @param shows digest of passages */
  of(shows: string): number {
    const { last } = this;
    const joins = shows === last.shows && last.size < MOST_IN_GROUP;
    this.last = { shows, group: joins ? last.group : last.group + 1, size: joins ? last.size + 1 : 1 };
    this.largest = Math.max(this.largest, this.last.size);
    return this.last.group;
  }
}

async function* bothSplits(rows: Rows): AsyncGenerator<readonly StoredRow[]> {
  yield* learnedRows(rows, 'TRAIN');
  yield* learnedRows(rows, 'VALIDATION');
}

/** The rows of a split; those for training once for each answer that is learned of them. */
async function* learnedRows(rows: Rows, split: 'TRAIN' | 'VALIDATION'): AsyncGenerator<readonly StoredRow[]> {
  for await (const batch of rows.stream(split))
    yield batch.flatMap((row) =>
      split === 'TRAIN' && row.content ? learnedOf(row.content).map((content) => ({ ...row, content })) : [row],
    );
}

/** null for a text without tokens, and a label that no row for training has: there is no token that could stand for it. */
function answerTokens(
  { content }: StoredRow,
  text: Int32Array,
  endToken: number,
  tokenOf: ReadonlyMap<string, number> | null,
): number[] | null {
  if (text.length === 0) return null;
  if (tokenOf === null) return [...text, endToken];
  const label = content && rightLabel(content);
  const token = label === null ? undefined : tokenOf.get(label);
  return token === undefined ? null : [token];
}

/** A token of its own for each label, from the words that the label is said with. */
async function labelTokens({ labels }: TaskContext, tokenize: Tokenize): Promise<LabelToken[]> {
  const { tokens } = await tokenize(labels.labels.map((label) => labels.say(label)));
  return chooseLabelTokens(labels.labels.map((label, i) => ({ label, tokens: [...new Set(tokens[i])] })));
}

/** Graft's own general text in windows of so many tokens; a paragraph begins one. */
export async function replayWindows(size: number, tokenize: Tokenize): Promise<Int32Array[]> {
  const { tokens } = await tokenize(
    (await readReplay()).split(/\n\s*\n/).filter((paragraph) => paragraph.trim() !== ''),
  );
  return tokens.flatMap((ids) => {
    const windows: Int32Array[] = [];
    for (let from = 0; from + 16 <= ids.length; from += size) windows.push(ids.slice(from, from + size));
    return windows;
  });
}
