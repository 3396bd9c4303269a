import { enumeration } from '../kernel/enumeration.js';
import type { Entity, FeatureValues } from '../data/index.js';
import type { Prisma } from '../platform/database/index.js';
import type { PassageScores } from '../knowledge/index.js';

/** What an answer is made with. */
export const Strategy = enumeration('BASE', 'RAG', 'ADAPTER', 'HYBRID');
export type Strategy = keyof typeof Strategy;
/** What a question is to be answered with. */
export const StrategyChoice = { ...enumeration('AUTO'), ...Strategy };
export type StrategyChoice = keyof typeof StrategyChoice;

/** Who chose the strategy. */
export const RouteSource = enumeration('CALLER', 'ROUTER');
export type RouteSource = keyof typeof RouteSource;

/** One thing that spoke for or against the chosen strategy. */
export interface RouteReason {
  feature: string;
  value: number;
  /** How much it speaks for the chosen strategy: positive for, negative against, 0 for what is only worth knowing. */
  contribution: number;
  sentence: string;
}

export interface RouteCandidate {
  strategy: Strategy;
  available: boolean;
  /** 0 to 1; null as long as nothing has learned it. */
  probability: number | null;
  /** Median of this gateway's recent answers, in ms; null before the first. */
  expectedMs: number | null;
}

export interface RouteDecision {
  strategy: Strategy;
  chosenBy: RouteSource;
  candidates: RouteCandidate[];
  reasons: RouteReason[];
}

/** Where something stands: UTF-16 offsets into the document's text, so that `text.slice(start, end)` is the quote. */
export interface Span {
  documentId: string;
  documentName: string;
  chunkId: string;
  collectionName: string;
  quote: string;
  start: number;
  end: number;
  page: number | null;
  headings: string[];
  /** Whether the document was deleted since: then the quote is empty. Missing where it never was. */
  sourceDeleted?: boolean;
}

/** A sentence of a passage that may hold the answer. */
export interface Evidence extends Span {
  /** What the sentences are ranked by; comparable within one answer only. */
  score: number;
  /** Share of the question's words in the sentence (in the one before: in part), weighted by rarity, 0 to 1. */
  coverage: number;
  /** Share of the question's words in the whole passage, weighted by rarity, 0 to 1. */
  passageCoverage: number;
  /** Share of the question's words that are names or numbers which the passage lacks, weighted by rarity, 0 to 1. */
  missingNames: number;
  /** Cosine similarity of sentence and question, -1 to 1; null where it was not computed. */
  similarity: number | null;
  scores: PassageScores;
}

/** A sentence that the answer's text rests on. */
export interface Citation extends Span {
  /** Share of the text's words that this sentence holds, 0 to 1. */
  support: number;
  scores: PassageScores;
}

/** In what two sentences differ that say something of the same thing. */
export const ConflictKind = enumeration('NUMBER', 'DATE', 'NAME');
export type ConflictKind = keyof typeof ConflictKind;

/** A sentence and the value in it that another sentence contradicts. */
export interface ConflictingQuote extends Span {
  /** As the sentence writes it. */
  value: string;
  scores: PassageScores;
}

/** Two sentences that give different values for the same thing, the better match first. */
export interface Conflict {
  kind: ConflictKind;
  quotes: [ConflictingQuote, ConflictingQuote];
}

export const AbstentionReason = enumeration('NO_DOCUMENTS', 'NOTHING_FOUND', 'LOW_RELEVANCE', 'MODEL_DECLINED');
export type AbstentionReason = keyof typeof AbstentionReason;

export interface Abstention {
  reason: AbstentionReason;
  sentence: string;
  /** Estimated probability that the documents hold the answer, 0 to 1; null where none was estimated. */
  probability: number | null;
  /** The least probability with which an answer is given. */
  threshold: number;
}

/** What became of a retrieved passage on its way into the prompt. */
export interface PromptPassage {
  chunkId: string;
  documentName: string;
  used: boolean;
  /** Why it was left out; null when it was used. */
  reason: string | null;
}

export interface TokenUsage {
  promptTokens: number;
  /** Of the prompt's tokens, those that an earlier prompt had in common and that were not computed again. */
  reusedTokens: number;
  generatedTokens: number;
}

export interface StageTiming {
  name: string;
  ms: number;
}

export interface Cost {
  /** Milliseconds that the model and the embedder worked. */
  computeMs: number;
  /** Tokens that were computed: prompt without reused ones, plus generated ones. */
  computedTokens: number;
}

export interface Configuration {
  digest: string;
  values: Prisma.JsonObject;
}

/** What a feature view said of the entity when the question was answered. */
export interface FeatureUsed {
  view: string;
  entity: string;
  /** null when the view had nothing that held. */
  values: FeatureValues | null;
  /** ISO 8601. */
  eventTime: string | null;
}

/** The adapter that acted on the model. */
export interface AdapterUsed {
  versionId: string;
  name: string;
  version: number;
  /** SHA-256 of the LoRA file that the worker applied. */
  sha256: string;
  scale: number;
  /** Whether it had been shown to act when it answered; missing in what was recorded before that was written down. */
  attested?: boolean;
}

/** An answer in the form of its task, beside its text. */
export type Output =
  | { kind: 'TEXT' }
  | { kind: 'LABEL'; label: string; probabilities: { label: string; probability: number }[] }
  | { kind: 'ENTITIES'; entities: Entity[] };

export interface VariantUsed {
  id: string;
  sha256: string;
  model: string;
  quantization: string;
}

/** Where the text comes from. */
export const Wording = enumeration('MODEL', 'EVIDENCE', 'ABSTENTION');
export type Wording = keyof typeof Wording;

/** What ended the model's words. */
export const FinishReason = enumeration('END', 'LENGTH', 'REPEATED');
export type FinishReason = keyof typeof FinishReason;

/** All of an answer but what its row keeps in columns of their own. */
export interface AnswerBody {
  wording: Wording;
  /** null when the model wrote nothing. */
  finishReason: FinishReason | null;
  output: Output;
  abstention: Abstention | null;
  evidence: Evidence[];
  conflicts: Conflict[];
  citations: Citation[];
  route: RouteDecision;
  variant: VariantUsed;
  /** null where the base model answered alone. */
  adapter: AdapterUsed | null;
  passages: PromptPassage[];
  features: FeatureUsed[];
  usage: TokenUsage;
  stages: StageTiming[];
  cost: Cost;
  configuration: Configuration;
}

/** What the flow makes; the store adds id and times. */
export interface FinishedAnswer extends AnswerBody {
  text: string;
}

export type AnswerStatus = 'RUNNING' | 'COMPLETE' | 'FAILED' | 'CANCELLED';

/** A complete answer as it was recorded. */
export interface Answer extends FinishedAnswer {
  id: string;
  workspaceId: string;
  requestId: string;
  question: string;
  conversationId: string | null;
  createdAt: Date;
}
