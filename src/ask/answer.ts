import { z } from 'zod';
import { entitySchema, featureValues, TaskKind } from '../data/index.js';
import { enumeration } from '../kernel/enumeration.js';
import { record } from '../kernel/record.js';
import { anyJson, storedJson, type Json } from '../kernel/stored-json.js';
import { passageScores } from '../knowledge/index.js';
import { jsonForm } from '../worker-protocol/index.js';
import { WordingChoice } from '../registry/index.js';
import { RouterMode } from './route/router/router.js';
import { Strategy } from './strategies.js';

/** Who chose the strategy. */
export const RouteSource = enumeration('CALLER', 'ROUTER', 'EXPERIMENT', 'ROLLOUT');
export type RouteSource = keyof typeof RouteSource;

const routeReason = record('RouteReason', 'One thing that spoke for or against the chosen strategy.', {
  feature: z.string().describe('Name of the feature, e.g. `collections.chunks`.'),
  value: z.number().describe('Its value, in its own unit.'),
  contribution: z
    .number()
    .describe(
      'How much it speaks for the chosen strategy: above 0 for, below 0 against, 0 for what is only worth knowing.',
    ),
  sentence: z.string().describe('The reason in words.'),
});
export type RouteReason = z.infer<typeof routeReason>;

/** Its text stays in the dataset version: what is erased there is gone here. */
export const neighbourUsed = record('LabelledNeighbour', 'A labelled row that a question is like.', {
  datasetVersionId: z.string(),
  /** Place of the row in the version. */
  ordinal: z.number().int(),
  label: z.string().describe('Its label; empty where rows have none.'),
  similarity: z.number().describe('Cosine similarity of its text and the question, -1 to 1.'),
});
export type NeighbourUsed = z.infer<typeof neighbourUsed>;

const routeCandidate = record('RouteCandidate', 'A destination that was considered.', {
  strategy: z.enum(Strategy).describe('The strategy.'),
  adapter: z.string().optional().describe('With which adapter, as `name@3`; null without one.'),
  available: z.boolean().describe('Whether it could have answered.'),
  probability: z
    .number()
    .nullable()
    .describe('Probability that the question belongs there, 0 to 1; null as long as no router has learned it.'),
  expectedMs: z
    .number()
    .nullable()
    .describe('Median time of this gateway’s last 32 answers with it, in milliseconds; null before the first.'),
  pValue: z
    .number()
    .optional()
    .describe(
      'Conformal p-value: share of its own held-out questions that look as foreign to it or more, above 0 to 1; below 0.05 the question counts as foreign. Null where nobody calibrated it.',
    ),
  order: z.number().int().optional().describe('When it was asked, from 1; null where it wasn’t.'),
  refused: z.string().optional().describe('Why it gave no answer; null where it gave one, or wasn’t asked.'),
  nearest: neighbourUsed
    .optional()
    .describe('The row that it was trained on which is most like the question; null where none was looked for.'),
});
export type RouteCandidate = z.infer<typeof routeCandidate>;

const routerAsked = record('RouterAsked', 'The router that was asked.', {
  version: z.number().int().describe('Number of its version.'),
  mode: z.enum(RouterMode).describe('Whether it chose, or only observed.'),
  margin: z
    .number()
    .describe(
      'Probability of whose the question is held to be minus the highest of the others, -1 to 1: below 0 where it is not the most probable one.',
    ),
});

export const routeDecision = record('RouteDecision', 'The strategy that was chosen, and why.', {
  strategy: z.enum(Strategy).describe('What the answer is made with.'),
  chosenBy: z.enum(RouteSource).describe('Who chose it.'),
  candidates: z
    .array(routeCandidate)
    .describe(
      'The strategies that were looked at, available or not; those that read are not where nothing was looked up.',
    ),
  reasons: z.array(routeReason).describe('What spoke for and against it.'),
  router: routerAsked.optional().describe('The router that was asked; null where none was.'),
});
export type RouteDecision = z.infer<typeof routeDecision>;

/** What every sentence that is shown says of its place: UTF-16 offsets into the document's text, so that `text.slice(start, end)` is the quote. */
const quotation = {
  documentId: z.string(),
  chunkId: z.string(),
  quote: z
    .string()
    .describe('A sentence exactly as in the document: `document.text.slice(start, end)`; empty when `sourceDeleted`.'),
  start: z.number().int().describe('Where it starts in `Document.text`, in UTF-16 code units, as JavaScript counts.'),
  end: z.number().int().describe('Where it ends in `Document.text` (exclusive), in UTF-16 code units.'),
  page: z.number().int().nullable().describe('Page of its passage, from 1; null where the format has none.'),
  headings: z.array(z.string()).describe('Headings that it stands under, outermost first.'),
  documentName: z.string().describe('Name of the document, also when that was deleted since.'),
  collectionName: z.string().describe('Name of the collection that it was found in.'),
  scores: passageScores.describe('How retrieval scored its passage.'),
  /** Whether the document was deleted since: then the quote is empty. Missing where it never was. */
  sourceDeleted: z.boolean().optional(),
};
export type Span = z.infer<z.ZodObject<typeof quotation>>;

export const evidence = record('Evidence', 'A sentence of the documents that may hold the answer.', {
  ...quotation,
  score: z.number().describe('What the sentences are ranked by, 0 to about 3; comparable within one answer only.'),
  coverage: z
    .number()
    .describe('Share of the question’s words in it (in the sentence before: two fifths), weighted by rarity, 0 to 1.'),
  /** Share of the question's words that are names or numbers which the passage lacks, weighted by rarity, 0 to 1. */
  missingNames: z.number(),
  /** How it fits the edition, code or amount that the question names, -1 to 1. Missing where neither names any. */
  fits: z.number().optional(),
  /** Whether it speaks of answering instead of its subject, and stands behind what doesn't. Missing where it doesn't. */
  addressed: z.boolean().optional(),
  similarity: z
    .number()
    .nullable()
    .describe('Cosine similarity of sentence and question, -1 to 1; null where it was not computed.'),
  answerability: z
    .number()
    .optional()
    .describe('Probability that the reader finds the answer in it, 0 to 1; null where it was not asked.'),
});
export type Evidence = z.infer<typeof evidence>;

export const citation = record('Citation', 'A sentence of the documents that the answer rests on.', {
  ...quotation,
  support: z.number().describe('Share of the answer’s words, without those of the question, that stand in it, 0 to 1.'),
});
export type Citation = z.infer<typeof citation>;

/** In what two sentences differ that say something of the same thing. */
export const ConflictKind = enumeration('NUMBER', 'DATE', 'NAME');
export type ConflictKind = keyof typeof ConflictKind;

export const conflictingQuote = record(
  'ConflictingQuote',
  'A sentence and the value in it that another sentence contradicts.',
  {
    ...quotation,
    value: z.string().describe('The value as the sentence writes it: `6.5 bar`, `12 March 2021`, `Anna Berg`.'),
  },
);
export type ConflictingQuote = z.infer<typeof conflictingQuote>;

export const conflict = record(
  'Conflict',
  'Two sentences of the documents that give different values for the same thing.',
  {
    kind: z.enum(ConflictKind).describe('What the values are.'),
    quotes: z.tuple([conflictingQuote, conflictingQuote]).describe('The two sentences, the better match first.'),
  },
);
export type Conflict = z.infer<typeof conflict>;

export const AbstentionReason = enumeration(
  'NO_DOCUMENTS',
  'NOTHING_FOUND',
  'LOW_RELEVANCE',
  'LOW_CONFIDENCE',
  'MODEL_DECLINED',
  'UNPROVEN',
  'FOREIGN',
  'OUT_OF_SCOPE',
);
export type AbstentionReason = keyof typeof AbstentionReason;

export const abstention = record('Abstention', 'Why no answer is given. This is a result, not an error.', {
  reason: z.enum(AbstentionReason).describe('The kind of reason.'),
  sentence: z.string().describe('The reason in words; also the text of the answer.'),
  probability: z
    .number()
    .nullable()
    .describe(
      'Estimated probability that the documents hold the answer, or that the message is the adapter’s own, 0 to 1; null where none was estimated.',
    ),
  threshold: z
    .number()
    .describe(
      'The least probability with which an answer is given, 0 to 1; where there is a `pValue`, the least of that.',
    ),
  pValue: z
    .number()
    .optional()
    .describe(
      'Share of the adapter’s own held-out messages that look at most as much like its own as this one, above 0 to 1 (conformal p-value); null for other reasons than `FOREIGN`.',
    ),
});
export type Abstention = z.infer<typeof abstention>;

export const promptPassage = record('PromptPassage', 'What became of a retrieved passage on its way into the prompt.', {
  chunkId: z.string(),
  documentName: z.string().describe('Name of the document.'),
  used: z.boolean().describe('Whether the model read it, or a sentence of it.'),
  reason: z.string().nullable().describe('Why it was left out; null when it was used.'),
});
export type PromptPassage = z.infer<typeof promptPassage>;

export const tokenUsage = record('TokenUsage', 'Tokens of the model that answered; all 0 when none was asked.', {
  promptTokens: z.number().int().describe('Tokens of the prompt.'),
  reusedTokens: z
    .number()
    .int()
    .describe('Of those, tokens that an earlier prompt had in common and that were not computed again.'),
  generatedTokens: z.number().int().describe('Tokens of the answer.'),
});

export const stageTiming = record('StageTiming', 'How long one stage took.', {
  name: z.string().describe('Name of the stage: `scope`, `retrieve`, `evidence`, `compose`, `generate`…'),
  ms: z.number().describe('Milliseconds.'),
});
export type StageTiming = z.infer<typeof stageTiming>;

export const answerCost = record('Cost', 'What an answer cost.', {
  computeMs: z.number().describe('Milliseconds that model and embedder worked for it.'),
  computedTokens: z.number().int().describe('Tokens computed: the prompt’s without reused ones, and the answer’s.'),
});

export const configuration = record(
  'Configuration',
  'Everything but question and documents that the answer depends on.',
  {
    digest: z.string().describe('SHA-256 of the values as canonical JSON, 64 hexadecimal digits.'),
    values: z
      .object({
        strategy: z.enum(Strategy),
        model: z.object({ name: z.string(), quantization: z.string(), sha256: z.string() }),
        prompts: z.number(),
      })
      .catchall(anyJson)
      .describe('Model, prompts, retrieval and generation settings.')
      .meta({ shown: 'JSON' }),
  },
);
export type Configuration = z.infer<typeof configuration>;

export const featureUsed = record(
  'FeatureUsed',
  'What a feature view said of the entity when the question was answered.',
  {
    view: z.string().describe('Name of the view.'),
    entity: z.string().describe('The entity, e.g. `customer:42`.'),
    values: featureValues
      .nullable()
      .describe('The values by name; null when the view had none that held.')
      .meta({ shown: 'JSON' }),
    eventTime: z
      .string()
      .nullable()
      .describe('When they became true; null when there are none.')
      .meta({ shown: 'DateTime' }),
  },
);
export type FeatureUsed = z.infer<typeof featureUsed>;

/** The adapter that acted on the model. */
const adapterUsed = z.object({
  versionId: z.string(),
  name: z.string(),
  version: z.number(),
  /** SHA-256 of the LoRA file that the worker applied. */
  sha256: z.string(),
  scale: z.number(),
  /** Whether it had been shown to act when it answered; missing in what was recorded before that was written down. */
  attested: z.boolean().optional(),
});
export type AdapterUsed = z.infer<typeof adapterUsed>;

/** An answer in the form of its task, beside its text. */
const output = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('TEXT') }),
  z.object({
    kind: z.literal('LABEL'),
    label: z.string(),
    probabilities: z.array(z.object({ label: z.string(), probability: z.number() })),
  }),
  z.object({ kind: z.literal('ENTITIES'), entities: z.array(entitySchema) }),
]);
export type Output = z.infer<typeof output>;

const variantUsed = z.object({ id: z.string(), sha256: z.string(), model: z.string(), quantization: z.string() });

/** What a question can be drawn into: a comparison of arms, or the stepwise delivery of a version. */
export const AssignmentKind = enumeration('EXPERIMENT', 'ROLLOUT');
export type AssignmentKind = keyof typeof AssignmentKind;

/** The arm that a question was drawn into; each is a column of the answer. */
export interface Assignment {
  kind: AssignmentKind;
  /** Row id of the experiment or the rollout. */
  subjectId: string;
  arm: string;
  /** The step of a rollout, from 0 on; the phase of an experiment. */
  stage: number;
  /** Where the unit falls, 0 to 1. */
  bucket: number;
  /** With which the arm was drawn, above 0 to 1; 1 where it was asked for. */
  probability: number;
  /** Whether the caller asked for the arm: then the answer counts for nothing. */
  forced: boolean;
  /** Salted SHA-256 of the unit; null where the caller named none. */
  unitHash: string | null;
}

/** Where the text comes from. */
export const Wording = enumeration('MODEL', 'EVIDENCE', 'ABSTENTION');
export type Wording = keyof typeof Wording;

/** What ended the model's words. */
export const FinishReason = enumeration('END', 'LENGTH', 'REPEATED');
export type FinishReason = keyof typeof FinishReason;

/** What the caller asked beside the question; what nobody asked for is missing. */
const askedWith = z.object({
  collections: z.array(z.string()).optional(),
  dataset: z.string().optional(),
  model: z.string().optional(),
  task: z.enum(TaskKind).optional(),
  entity: z.string().optional(),
  features: z.array(z.string()).optional(),
  minConfidence: z.number().optional(),
  maxErrorRate: z.number().optional(),
  maxOwnRefused: z.number().optional(),
  wording: z.enum(WordingChoice).optional(),
  form: jsonForm.optional(),
  generation: z.object({ maxTokens: z.number(), temperature: z.number(), seed: z.number().nullable() }),
});
export type AskedWith = z.infer<typeof askedWith>;

/** All of an answer but what its row keeps in columns of their own. */
const answerBody = z.object({
  /** What was answered in the end: a follow-up behind the questions that it follows. Missing where the question stands for itself. */
  askedAs: z.string().optional(),
  /** With which it can be asked again; missing in what was recorded before that was written down. */
  askedWith: askedWith.optional(),
  wording: z.enum(Wording),
  /** null when the model wrote nothing. */
  finishReason: z.enum(FinishReason).nullable(),
  output,
  abstention: abstention.nullable(),
  /** Estimated probability that what was read holds the answer, 0 to 1; null where nothing was read. */
  answerability: z.number().nullable(),
  evidence: z.array(evidence),
  conflicts: z.array(conflict),
  citations: z.array(citation),
  route: routeDecision,
  variant: variantUsed,
  /** null where the base model answered alone. */
  adapter: adapterUsed.nullable(),
  passages: z.array(promptPassage),
  features: z.array(featureUsed),
  /** Labelled rows that were read, nearest first. */
  neighbours: z.array(neighbourUsed),
  usage: tokenUsage,
  stages: z.array(stageTiming),
  cost: answerCost,
  configuration,
});
export type AnswerBody = z.infer<typeof answerBody>;

const LACKING = {
  features: [],
  output: { kind: 'TEXT' },
  adapter: null,
  finishReason: null,
  conflicts: [],
  answerability: null,
};

/**
 * The column `body`. Format 2 says of each answer what earlier ones leave out, format 3 which labelled rows it read, format 4 no
 * longer which arm it was drawn into: that stands in columns of its own.
 */
export const storedBody = storedJson(answerBody, [
  (old) => ({ ...LACKING, ...(old as Record<string, Json>) }),
  (old) => ({ neighbours: [], ...(old as Record<string, Json>) }),
  (old) => old,
]);

/** What the flow makes; the store adds id and times. */
export interface FinishedAnswer extends AnswerBody {
  text: string;
  /** What kind of answer it is: that of the adapter or the labelled rows, else what the caller asked for, else an answer to a question. */
  task: TaskKind;
}

/** Probability that the answer is right, 0 to 1: its label's, else that what was read holds it; null where nothing can tell. */
export function confidenceOf({ output, answerability }: Pick<AnswerBody, 'output' | 'answerability'>): number | null {
  if (output.kind !== 'LABEL') return answerability;
  return output.probabilities.find(({ label }) => label === output.label)?.probability ?? answerability;
}

/** What an answer rests on. */
export const AnswerBasis = enumeration('DOCUMENTS', 'LABELLED_ROWS', 'ADAPTER', 'BASE_MODEL', 'NOTHING');
export type AnswerBasis = keyof typeof AnswerBasis;

/** What an answer rests on: the base model's own words have no evidence behind them, whoever asked for them. */
export function basisOf({
  abstention: refusal,
  neighbours,
  passages,
  adapter,
}: Pick<AnswerBody, 'abstention' | 'neighbours' | 'passages' | 'adapter'>): AnswerBasis {
  if (refusal) return 'NOTHING';
  if (neighbours.length > 0) return 'LABELLED_ROWS';
  if (passages.length > 0) return 'DOCUMENTS';
  return adapter ? 'ADAPTER' : 'BASE_MODEL';
}

export type AnswerStatus = 'RUNNING' | 'COMPLETE' | 'FAILED' | 'CANCELLED';

/** A complete answer as it was recorded. */
export interface Answer extends FinishedAnswer {
  id: string;
  workspaceId: string;
  requestId: string;
  question: string;
  conversationId: string | null;
  /** null where nothing was tried. */
  assignment: Assignment | null;
  createdAt: Date;
}
