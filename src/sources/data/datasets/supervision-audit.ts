import type { ChatMessage, PromptSegment } from '../../prompting/index.js';
import type { StoredRow } from './version-rows.js';
import { canonicalJson } from '../../../kernel/hashing.js';
import { enumeration } from '../../../kernel/enumeration.js';
import { renderFeatures, type FeatureValues } from '../features/feature-view.js';
import { readAnswer, renderExample, rightAnswer, taskOf, type TaskContext, type TaskRow } from './tasks/index.js';

/** Why an example teaches nothing, or not what its row says. */
const SupervisionFault = enumeration(
  /** No token of the answer is left to learn: it is empty, or the prompt alone fills the cap. */
  'NOTHING_TO_LEARN',
  /** Prompt and answer together are longer than the cap: the end of the answer would be cut off. */
  'TOO_LONG',
  /** The tokenizer makes another text of the answer. */
  'NOT_ROUND_TRIP',
  /** What is rendered is not read back as the row's answer, e.g. because its entities overlap. */
  'NOT_READ_BACK',
  /** A label or entity type that no row for training has. */
  'UNSEEN_LABEL',
  /** A feature view that the version joins has no value for this row. */
  'MISSING_FEATURES',
);
type SupervisionFault = keyof typeof SupervisionFault;

interface SupervisionFinding {
  /** Place of the row in the version. */
  ordinal: number;
  split: string;
  fault: SupervisionFault;
  note: string;
}

export interface SupervisionAudit {
  /** Rows that were rendered. */
  examples: number;
  /** Rows with each fault. */
  counts: Readonly<Record<SupervisionFault, number>>;
  /** By row; at most `LISTED` of each fault. */
  findings: SupervisionFinding[];
}

/** The model that will be trained, as far as the audit needs it. */
export interface AuditedModel {
  /** The model's chat template over a conversation (`renderChat`). */
  prompt(messages: readonly ChatMessage[]): PromptSegment[];
  /** Tokens of each prompt. */
  countPrompts(prompts: readonly PromptSegment[][]): Promise<readonly number[]>;
  /** Tokens of each answer without the one that ends it, and the text that they stand for. */
  tokenizeAnswers(answers: readonly string[]): Promise<readonly { tokens: number; text: string }[]>;
}

interface AuditSettings {
  context: TaskContext;
  /** Feature views that the version joins, in its order. */
  views: readonly string[];
  /** Longest example in tokens, prompt, answer and the token that ends it together. */
  maxTokens: number;
}

const LISTED = 100;

/**
 * Renders every example as training will and says which teach nothing, or not what their rows say. Rows that are no examples
 * (quarantined, or without content) are left out.
 * @throws what the model's calls throw
 */
export async function auditSupervision(
  batches: AsyncIterable<readonly StoredRow[]>,
  settings: AuditSettings,
  model: AuditedModel,
  signal: AbortSignal,
): Promise<SupervisionAudit> {
  const counts = Object.fromEntries(Object.keys(SupervisionFault).map((fault) => [fault, 0])) as Record<
    SupervisionFault,
    number
  >;
  const audit: SupervisionAudit = { examples: 0, counts, findings: [] };
  for await (const batch of batches) {
    signal.throwIfAborted();
    const examples = batch.flatMap((row) => example(row, settings));
    const prompts = await model.countPrompts(examples.map(({ messages }) => model.prompt(messages)));
    const answers = await model.tokenizeAnswers(examples.map(({ answer }) => answer));
    examples.forEach((sample, i) => {
      const faults = faultsOf(sample, settings, prompts[i]!, answers[i]!);
      audit.examples += 1;
      for (const [fault, note] of faults) {
        if (counts[fault]++ < LISTED)
          audit.findings.push({ ordinal: sample.stored.ordinal, split: sample.stored.split, fault, note });
      }
    });
  }
  return audit;
}

interface Example {
  stored: StoredRow;
  row: TaskRow;
  messages: ChatMessage[];
  answer: string;
}

function example(storedRow: StoredRow, { context, views }: AuditSettings): Example[] {
  const { content: row } = storedRow;
  if (row === null || storedRow.quarantined) return [];
  return [
    { stored: storedRow, row, ...renderExample(row, context, { facts: factsOf(storedRow, views), passages: null }) },
  ];
}

/** The joined features of a row as lines of its prompt, in the version's order of views. */
export const factsOf = ({ features }: Pick<StoredRow, 'features'>, views: readonly string[]): string =>
  renderFeatures(views.map((view) => ({ view, values: (features?.[view] as FeatureValues | undefined) ?? null })));

function faultsOf(
  { stored, row, answer }: Example,
  { context, views, maxTokens }: AuditSettings,
  promptTokens: number,
  tokenized: { tokens: number; text: string },
): [SupervisionFault, string][] {
  const faults: [SupervisionFault, string][] = [];
  const add = (fault: SupervisionFault, note: string) => faults.push([fault, note]);
  const total = promptTokens + tokenized.tokens + 1;
  if (tokenized.tokens === 0 || answer.trim() === '') add('NOTHING_TO_LEARN', 'The answer is empty.');
  else if (promptTokens >= maxTokens)
    add('NOTHING_TO_LEARN', `The prompt alone has ${promptTokens} tokens, at most ${maxTokens} are trained on.`);
  else if (total > maxTokens) add('TOO_LONG', `${total} tokens, at most ${maxTokens} are trained on.`);
  if (tokenized.text !== answer)
    add('NOT_ROUND_TRIP', `Tokenized, it reads ${JSON.stringify(tokenized.text.slice(0, 80))}.`);
  if (!isReadBack(row, answer, context))
    add('NOT_READ_BACK', 'The rendered answer is not read as the answer of the row.');
  const unseen = taskOf(row.task)
    .labels(row)
    .filter((label) => !context.labels.labels.includes(label));
  if (unseen.length > 0)
    add('UNSEEN_LABEL', `No row for training has ${unseen.map((l) => JSON.stringify(l)).join(', ')}.`);
  const missing = views.filter((view) => !stored.features?.[view]);
  if (missing.length > 0) add('MISSING_FEATURES', `No values of ${missing.join(', ')}.`);
  return faults;
}

/** Unseen labels have a fault of their own, and an answer in text is its own reading. */
function isReadBack(row: TaskRow, answer: string, context: TaskContext): boolean {
  const read = readAnswer(answer, row, context);
  const right = rightAnswer(row);
  if (read?.kind === 'ENTITIES' && right.kind === 'ENTITIES') {
    const knownEntities = right.entities.filter((entity) => context.labels.labels.includes(entity.type));
    const inOrder = [...knownEntities].sort((a, b) => a.start - b.start || a.end - b.end);
    return canonicalJson(read.entities) === canonicalJson(inOrder);
  }
  if (read?.kind === 'LABEL' && right.kind === 'LABEL') return read.label === right.label;
  return read !== null || answer.trim() === '' || taskOf(row.task).labels(row).length > 0;
}
