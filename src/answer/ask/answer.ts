import { z } from 'zod';
import { entitySchema, featureValues, TaskKind } from '../../sources/data/index.js';
import { enumeration } from '../../kernel/enumeration.js';
import { record, choice, string, float, oneOf, boolean, int, list } from '../../kernel/record.js';
import { anyJson, storedJson } from '../../kernel/stored-json.js';
import { passageScores } from '../../sources/knowledge/index.js';
import { jsonForm } from '../../worker-protocol/index.js';
import { WordingChoice } from '../../sources/registry/index.js';
import { RouterMode } from './route/router/router.js';
import { sampling } from './question.js';
import { Strategy } from './strategies.js';

const RouteSource = choice('RouteSource', 'Who chose the strategy.', {
  CALLER: 'The question named it.',
  ROUTER: 'Graft chose it; the reasons say why.',
  EXPERIMENT: 'The arm of an experiment that the question was drawn into.',
  ROLLOUT: 'The rollout of an adapter version that the question was drawn into.',
});
type RouteSource = keyof typeof RouteSource;

const routeReason = record('RouteReason', 'One thing that spoke for or against the chosen strategy.', {
  feature: string('Name of the feature, e.g. `collections.chunks`.'),
  value: float('Its value, in its own unit.'),
  contribution: float(
    'How much it speaks for the chosen strategy: above 0 for, below 0 against, 0 for what is only worth knowing.',
  ),
  sentence: string('The reason in words.'),
});
export type RouteReason = z.infer<typeof routeReason>;

/** Its text stays in the dataset version: what is erased there is gone here. */
export const neighbourUsed = record('LabelledNeighbour', 'A labelled row that a question is like.', {
  datasetVersionId: z.string(),
  /** Place of the row in the version. */
  ordinal: z.number().int(),
  label: string('Its label; empty where rows have none.'),
  similarity: float('Cosine similarity of its text and the question, -1 to 1.'),
});
export type NeighbourUsed = z.infer<typeof neighbourUsed>;

/** Its words stay in the document, which the reader of the answer may not see. */
export const nearestPassage = record('NearestPassage', 'The passage that a question is most like.', {
  chunkId: z.string(),
  similarity: float('Cosine similarity of both, -1 to 1; null where no vectors were compared.').nullable(),
});
export type NearestPassage = z.infer<typeof nearestPassage>;

const routeCandidate = record('RouteCandidate', 'A destination that was considered.', {
  strategy: oneOf(Strategy, 'The strategy.'),
  adapter: string('With which adapter, as `name@3`; null without one.').optional(),
  available: boolean('Whether it could have answered.'),
  probability: float(
    'Probability that the question belongs there, 0 to 1; null as long as no router has learned it.',
  ).nullable(),
  expectedMs: float(
    'Median time of this gateway’s last 32 answers with it, in milliseconds; null before the first.',
  ).nullable(),
  pValue: float(
    'Conformal p-value: share of its own held-out questions that look as foreign to it or more, above 0 to 1; below 0.05 the question counts as foreign. Null where nobody calibrated it.',
  ).optional(),
  order: int('When it was asked, from 1; null where it wasn’t.').optional(),
  refused: string('Why it gave no answer; null where it gave one, or wasn’t asked.').optional(),
  nearest: neighbourUsed
    .optional()
    .describe('The row that it was trained on which is most like the question; null where none was looked for.'),
  passage: nearestPassage
    .optional()
    .describe('Of documents: the best passage for the question; null where none was looked for.'),
});
export type RouteCandidate = z.infer<typeof routeCandidate>;

const routerAsked = record('RouterAsked', 'The router that was asked.', {
  version: int('Number of its version.'),
  mode: oneOf(RouterMode, 'Whether it chose, or only observed.'),
  margin: float(
    'Probability of whose the question is held to be minus the highest of the others, -1 to 1: below 0 where it is not the most probable one.',
  ),
});

/** What `previewRoutes` says of a question. */
export const routePreview = record('RoutePreview', 'Where a question would go. Nobody is asked for an answer.', {
  destination: string(
    'Whose the question is held to be: the name of an adapter, `DOCUMENTS`, or `NOBODY`: then documents are asked where there are any, and if they refuse, too, the question is refused, or the base model answers (`baseAnswers`).',
  ),
  probability: float('Probability that it belongs there, 0 to 1; null where no router learned it.').nullable(),
  pValue: float('Conformal p-value of the question there; null where nobody calibrated the destination.').nullable(),
  candidates: list(
    routeCandidate,
    'The destinations that were looked at. `order` counts those who would be asked, each where all before it refuse.',
  ),
});
export type RoutePreview = z.infer<typeof routePreview>;

export const routeDecision = record('RouteDecision', 'The strategy that was chosen, and why.', {
  strategy: oneOf(Strategy, 'What the answer is made with.'),
  chosenBy: oneOf(RouteSource, 'Who chose it.'),
  candidates: list(
    routeCandidate,
    'The strategies that were looked at, available or not; those that read are not where nothing was looked up.',
  ),
  reasons: list(routeReason, 'What spoke for and against it.'),
  router: routerAsked.optional().describe('The router that was asked; null where none was.'),
});
export type RouteDecision = z.infer<typeof routeDecision>;

/** What every sentence that is shown says of its place: UTF-16 offsets into the document's text, so that `text.slice(start, end)` is the quote. */
const quotation = {
  documentId: z.string(),
  chunkId: z.string(),
  quote: string(
    'A sentence exactly as in the document: `document.text.slice(start, end)`; empty when `sourceDeleted`.',
  ),
  start: int('Where it starts in `Document.text`, in UTF-16 code units, as JavaScript counts.'),
  end: int('Where it ends in `Document.text` (exclusive), in UTF-16 code units.'),
  page: int('Page of its passage, from 1; null where the format has none.').nullable(),
  headings: list(z.string(), 'Headings that it stands under, outermost first.'),
  documentName: string('Name of the document, also when that was deleted since.'),
  collectionName: string('Name of the collection that it was found in.'),
  scores: passageScores.describe('How retrieval scored its passage.'),
  /** Whether the document was deleted since: then the quote is empty. Missing where it never was. */
  sourceDeleted: z.boolean().optional(),
};
export type Span = z.infer<z.ZodObject<typeof quotation>>;

export const evidence = record('Evidence', 'A sentence of the documents that may hold the answer.', {
  ...quotation,
  score: float('What the sentences are ranked by, 0 to about 3; comparable within one answer only.'),
  coverage: float(
    'Share of the question’s words in it (in the sentence before: two fifths), weighted by rarity, 0 to 1.',
  ),
  /** Share of the question's words that are names or numbers which the passage lacks, weighted by rarity, 0 to 1. */
  missingNames: z.number(),
  /** How it fits the edition, code or amount that the question names, -1 to 1. Missing where neither names any. */
  fits: z.number().optional(),
  /** Whether it speaks of answering instead of its subject, and stands behind what doesn't. Missing where it doesn't. */
  addressed: z.boolean().optional(),
  similarity: float('Cosine similarity of sentence and question, -1 to 1; null where it was not computed.').nullable(),
  answerability: float(
    'Probability that the reader finds the answer in it, 0 to 1; null where it was not asked.',
  ).optional(),
});
export type Evidence = z.infer<typeof evidence>;

export const citation = record('Citation', 'A sentence of the documents that the answer rests on.', {
  ...quotation,
  support: float('Share of the answer’s words, without those of the question, that stand in it, 0 to 1.'),
});
export type Citation = z.infer<typeof citation>;

const ConflictKind = choice('ConflictKind', 'In what two sentences differ.', {
  NUMBER: 'A number, or a range, of the same unit.',
  DATE: 'A date or a year.',
  NAME: 'A name in an otherwise equal sentence.',
});
type ConflictKind = keyof typeof ConflictKind;

export const conflictingQuote = record(
  'ConflictingQuote',
  'A sentence and the value in it that another sentence contradicts.',
  {
    ...quotation,
    value: string('The value as the sentence writes it: `6.5 bar`, `12 March 2021`, `Anna Berg`.'),
  },
);
export type ConflictingQuote = z.infer<typeof conflictingQuote>;

export const conflict = record(
  'Conflict',
  'Two sentences of the documents that give different values for the same thing.',
  {
    kind: oneOf(ConflictKind, 'What the values are.'),
    quotes: z.tuple([conflictingQuote, conflictingQuote]).describe('The two sentences, the better match first.'),
  },
);
export type Conflict = z.infer<typeof conflict>;

export const AbstentionReason = choice('AbstentionReason', 'Why no answer is given.', {
  NO_DOCUMENTS: 'There is no document to answer from.',
  NOTHING_FOUND: 'No passage matches the question at all.',
  LOW_RELEVANCE: 'What comes closest does not answer the question.',
  LOW_CONFIDENCE: 'The answer, or the label, is less probable than `minConfidence`, or than its default.',
  MODEL_DECLINED: 'The model found no answer in what it was given, or said nothing where nothing could be quoted.',
  UNPROVEN: 'Nothing shows that `maxErrorRate` is kept by what would answer.',
  FOREIGN: 'The message is unlike those that the adapter learned from; see `maxOwnRefused`.',
  OUT_OF_SCOPE:
    'The question is foreign to every document and every adapter in production, and the workspace doesn’t let the base model answer such a one (`setBaseAnswers`).',
});
export type AbstentionReason = keyof typeof AbstentionReason;

const abstention = record('Abstention', 'Why no answer is given. This is a result, not an error.', {
  reason: oneOf(AbstentionReason, 'The kind of reason.'),
  sentence: string('The reason in words; also the text of the answer.'),
  probability: float(
    'Estimated probability that the documents hold the answer, or that the message is the adapter’s own, 0 to 1; null where none was estimated.',
  ).nullable(),
  threshold: float(
    'The least probability with which an answer is given, 0 to 1; where there is a `pValue`, the least of that.',
  ),
  pValue: float(
    'Share of the adapter’s own held-out messages that look at most as much like its own as this one, above 0 to 1 (conformal p-value); null for other reasons than `FOREIGN`.',
  ).optional(),
});
export type Abstention = z.infer<typeof abstention>;

export const promptPassage = record('PromptPassage', 'What became of a retrieved passage on its way into the prompt.', {
  chunkId: z.string(),
  documentName: string('Name of the document.'),
  used: boolean('Whether the model read it, or a sentence of it.'),
  reason: string('Why it was left out; null when it was used.').nullable(),
});
export type PromptPassage = z.infer<typeof promptPassage>;

const tokenUsage = record('TokenUsage', 'Tokens of the model that answered; all 0 when none was asked.', {
  promptTokens: int('Tokens of the prompt.'),
  reusedTokens: int('Of those, tokens that an earlier prompt had in common and that were not computed again.'),
  generatedTokens: int('Tokens of the answer.'),
});

const stageTiming = record('StageTiming', 'How long one stage took.', {
  name: string('Name of the stage: `scope`, `retrieve`, `evidence`, `compose`, `generate`…'),
  ms: float('Milliseconds.'),
});
export type StageTiming = z.infer<typeof stageTiming>;

const answerCost = record('Cost', 'What an answer cost.', {
  computeMs: float('Milliseconds that model and embedder worked for it.'),
  computedTokens: int('Tokens computed: the prompt’s without reused ones, and the answer’s.'),
});

const configuration = record('Configuration', 'Everything but question and documents that the answer depends on.', {
  digest: string('SHA-256 of the values as canonical JSON, 64 hexadecimal digits.'),
  values: z
    .object({
      strategy: z.enum(Strategy),
      model: z.object({ name: z.string(), quantization: z.string(), sha256: z.string() }),
      prompts: z.number(),
    })
    .catchall(anyJson)
    .describe('Model, prompts, retrieval and generation settings.')
    .meta({ shown: 'JSON' }),
});
export type Configuration = z.infer<typeof configuration>;

const featureUsed = record('FeatureUsed', 'What a feature view said of the entity when the question was answered.', {
  view: string('Name of the view.'),
  entity: string('The entity, e.g. `customer:42`.'),
  values: featureValues
    .nullable()
    .describe('The values by name; null when the view had none that held.')
    .meta({ shown: 'JSON' }),
  eventTime: string('When they became true; null when there are none.').nullable().meta({ shown: 'DateTime' }),
});
export type FeatureUsed = z.infer<typeof featureUsed>;

export const adapterUsed = record('AppliedAdapter', 'The adapter that acted on the model when it answered.', {
  versionId: z.string(),
  name: string('Its name.'),
  version: int('Number of the version that answered.').meta({ name: 'versionNumber' }),
  sha256: string('SHA-256 of the LoRA file that the worker applied, 64 hexadecimal digits.').meta({ name: 'digest' }),
  scale: float('What its effect was multiplied by.'),
  attested: boolean(
    'Whether the version had been shown to act when it answered: a version that is named by number answers before that, too. Null for answers that were recorded before this was.',
  ).optional(),
});

export const functionCall = record('FunctionCall', 'A call of a function that the program which asked has.', {
  name: string('The function.'),
  arguments: string('Its arguments: a JSON object.'),
});

/** An answer in the form of its task, beside its text. */
const output = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('TEXT') }),
  z.object({
    kind: z.literal('LABEL'),
    label: z.string(),
    probabilities: z.array(z.object({ label: z.string(), probability: z.number() })),
  }),
  z.object({ kind: z.literal('ENTITIES'), entities: z.array(entitySchema) }),
  z.object({
    kind: z.literal('CALLS'),
    /** What was said before them; empty where nothing was. */
    said: z.string(),
    calls: z.array(functionCall),
  }),
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

export const Wording = choice('Wording', 'Where the text of an answer comes from.', {
  MODEL: 'The model’s words; with RAG each of them stands in the evidence or in the question.',
  EVIDENCE:
    'The best sentence of the documents, because the model words answers worse than that (`AskInput.wording`) or the evidence did not support its words; or the label of the nearest labelled rows.',
  ABSTENTION: 'A sentence that says why there is no answer.',
});
export type Wording = keyof typeof Wording;

export const FinishReason = choice('FinishReason', 'What ended the model’s words.', {
  END: 'The model itself.',
  LENGTH: '`maxTokens`, or the end of what the model can read at once: the last sentence may be cut.',
  REPEATED:
    'It said the same over and over and was stopped. The best sentence of the documents then is the answer, or what was said before where there is none.',
});
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
  reader: z.literal(false).optional(),
  form: jsonForm.optional(),
  system: z.string().optional(),
  sampling: sampling.optional(),
  generation: z.object({ maxTokens: z.number(), temperature: z.number(), seed: z.number().nullable() }),
});
export type AskedWith = z.infer<typeof askedWith>;

/** All of an answer but what its row keeps in columns of their own. */
export const answerBody = z.object({
  askedAs: string(
    'What was answered in the end, where the question followed others of its conversation: behind those that it follows. Null where it stands for itself, and where one of those was deleted since.',
  ).optional(),
  /** With which it can be asked again; missing in what was recorded before that was written down. */
  askedWith: askedWith.optional(),
  /** Whether system message and sampling acted on the text: on a quote, a label or a copy they don't. Missing where there was neither. */
  guided: z.boolean().optional(),
  wording: oneOf(Wording, 'Where the text comes from.'),
  finishReason: oneOf(
    FinishReason,
    'What ended the model’s words, also where others took their place; null when it wrote none.',
  ).nullable(),
  output,
  abstention: abstention.describe('Why none was given; null when one was.').nullable(),
  answerability: float(
    'Estimated probability that what was read holds the answer, 0 to 1: with `HYBRID` by the adapter that read it, with `RAG` by a rule; where the reader that comes with Graft judged the sentences, by that (the route’s reasons say so); null where nothing was read.',
  ).nullable(),
  evidence: list(
    evidence,
    'At most three sentences that may hold the answer, best first; empty with `BASE`. Also there when no answer was given: the closest.',
  ),
  conflicts: list(
    conflict,
    'At most three places where sentences that match the question give different values for the same thing; the answer follows one of them. Empty when none was noticed, which is no proof that there is none.',
  ),
  citations: list(
    citation,
    'The sentences that the text rests on, strongest first; empty with `BASE` and when no answer was given.',
  ),
  route: routeDecision.describe('How it was decided what to answer with.'),
  variant: variantUsed,
  adapter: adapterUsed.describe('The adapter that answered; null where the base model answered alone.').nullable(),
  passages: list(promptPassage, 'The retrieved passages, strongest first, and which of them the answer was made from.'),
  features: list(featureUsed, 'What the feature views that the question named said, in their order.'),
  neighbours: list(
    neighbourUsed,
    'The labelled rows that the answer was read from, nearest first; empty where it was read from none.',
  ),
  usage: tokenUsage.describe('Tokens of the model.'),
  stages: list(stageTiming, 'Where the time went, in order.'),
  cost: answerCost.describe('What it cost.'),
  configuration: configuration.describe('What produced it.'),
});
export type AnswerBody = z.infer<typeof answerBody>;

/** The column `body`. */
export const storedBody = storedJson(answerBody);

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

export const AnswerBasis = choice('AnswerBasis', 'What an answer rests on.', {
  DOCUMENTS: 'Passages of documents, which it cites.',
  LABELLED_ROWS: 'Labelled rows, alone or together with an adapter.',
  ADAPTER: 'An adapter in production or one that was named, from the question alone.',
  BASE_MODEL: 'Nothing but the base model’s own words: there is no evidence for them, and they may be invented.',
  NOTHING: 'There is no answer: see `abstention`.',
});
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
