import type { Clock } from '../../../kernel/clock.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { dot } from '../../../kernel/vectors.js';
import type { QueryVector, Retrieval, Retriever, SearchScope } from '../../../sources/knowledge/index.js';
import type { EmbedderFiles } from '../../../worker-protocol/index.js';
import type { WorkerClient } from '../../../platform/worker/index.js';
import { currentSpan, GEN_AI, GEN_AI_OPERATION, GRAFT } from '../../../platform/tracing/index.js';
import type { Conflict, Evidence, RouteReason } from '../answer.js';
import { findConflicts } from './conflicts/find-conflicts.js';
import {
  EMBEDDED_SENTENCES,
  KEPT_EVIDENCE,
  rankEvidence,
  scoreSentences,
  wantedBy,
  type QuestionTerm,
  type SentenceRules,
  type Wanted,
} from './evidence.js';
import { contentStems, contentWords } from './words.js';

/** Passages that evidence is looked for in: they hold the right one in 99.7 % of XQuAD's questions. */
export const PASSAGES = 6;

/** Passages that can be read. */
export const chunksOf = ({ collections }: SearchScope): number =>
  collections.reduce((sum, { chunks }) => sum + chunks, 0);

interface ReadingParts {
  retriever: Pick<Retriever, 'retrieve' | 'termWeights'>;
  worker: Pick<WorkerClient, 'embed'>;
  embedder: () => EmbedderFiles;
  clock: Clock;
}

export interface RetrievalResult {
  retrieval: Retrieval;
  /** The question's words that count, each once. */
  terms: QuestionTerm[];
  /** What it wants of a sentence; null: nothing in particular. */
  wanted: Wanted | null;
  /** Which sentences are no evidence; all rules by default. */
  rules?: SentenceRules;
}

/** Passages for the question, and how rare each of its words is where they come from. */
export async function retrievePassages(
  { retriever }: Pick<ReadingParts, 'retriever'>,
  scope: SearchScope,
  { text: question, vector }: { text: string; vector?: Promise<QueryVector> },
  signal: AbortSignal,
): Promise<RetrievalResult> {
  const words = contentWords(question);
  const span = currentSpan();
  span.set({ [GEN_AI.OPERATION]: GEN_AI_OPERATION.RETRIEVAL, [GEN_AI.TOP_K]: PASSAGES });
  const [retrieval, weights] = await Promise.all([
    retriever.retrieve({ scope, query: question, vector, mode: 'HYBRID', limit: PASSAGES }, { signal }),
    retriever.termWeights(
      scope,
      words.map((word) => word.text),
    ),
  ]);
  span.set({ [GRAFT.PASSAGES]: retrieval.passages.length, [GRAFT.DEGRADED]: retrieval.degraded });
  const terms = new Map<string, QuestionTerm>();
  for (const { text: word, stem, name } of words) {
    const rarity = weights.get(word)?.idf;
    if (rarity !== undefined) terms.set(stem, { stem, rarity: Math.max(rarity, 0), name });
  }
  return { retrieval, terms: [...terms.values()], wanted: wantedBy(question) };
}

/** A word of an earlier question counts this much of one of the question that follows it. */
const EARLIER = 0.35;

/**
 * The same for a question that follows others: its own words say what is asked, theirs what it is about. A number takes the place of theirs: “And in 2021?”
 * @param latest the last question of those that were put together; undefined where there is but one
 */
export function weighedFor(latest: string | undefined, result: RetrievalResult): RetrievalResult {
  if (latest === undefined) return result;
  const stems = contentStems(latest);
  const isNumber = ({ stem }: Pick<QuestionTerm, 'stem'>): boolean => /\d/.test(stem);
  const latestTerms = result.terms.filter(({ stem }) => stems.has(stem));
  const earlier = result.terms
    .filter((term) => !stems.has(term.stem) && !(isNumber(term) && latestTerms.some(isNumber)))
    .map((term) => ({ ...term, rarity: EARLIER * term.rarity }));
  const terms = [...latestTerms, ...earlier];
  const { type, particulars } = wantedBy(latest);
  const earlierCriteria = result.wanted;
  const criteria = {
    type: type ?? earlierCriteria?.type ?? null,
    particulars: particulars ?? earlierCriteria?.particulars ?? null,
  };
  return { ...result, terms, wanted: criteria };
}

interface EvidenceRanking {
  /** The best sentences of the passages, as exact quotes, best first. */
  evidence: Evidence[];
  /** Where these and those that come next contradict each other. */
  conflicts: Conflict[];
  /** How long the embedder took, in ms. */
  embedMs: number;
}

export interface Breadth {
  /** Sentences whose vectors are computed. */
  embedded: number;
  /** Sentences that are kept. */
  kept: number;
}

/** For an answer from the best of them. */
export const ANSWERED: Breadth = { embedded: EMBEDDED_SENTENCES, kept: KEPT_EVIDENCE };

/** What the passages say to the question. */
export async function findEvidence(
  { worker, embedder, clock }: Pick<ReadingParts, 'worker' | 'embedder' | 'clock'>,
  workspaceId: WorkspaceId,
  { retrieval, terms, wanted, rules }: RetrievalResult,
  signal: AbortSignal,
  { embedded, kept }: Breadth = ANSWERED,
): Promise<EvidenceRanking> {
  const sentences = scoreSentences(retrieval.passages, terms, wanted, rules);
  const { queryVector } = retrieval;
  const considered = sentences.slice(0, embedded);
  const rankingOf = (similarities: readonly number[], embedMs: number): EvidenceRanking => {
    const ranked = rankEvidence(considered, similarities);
    const topEvidence = ranked.slice(0, ANSWERED.embedded);
    return { evidence: ranked.slice(0, kept), conflicts: findConflicts(topEvidence, terms), embedMs };
  };
  if (queryVector === null || considered.length === 0) return rankingOf([], 0);
  // What comes before may say what a sentence is about, and may as well be of something else: it is as near as the nearer of the two.
  const texts = [...new Set(considered.flatMap(({ quote, inFull }) => [quote, inFull]))];
  const started = clock.monotonic();
  const { vectors } = await worker.embed({ workspaceId, embedder: embedder(), texts }, { signal });
  const embedMs = clock.monotonic() - started;
  const similarityByText = new Map(texts.map((text, index) => [text, dot(queryVector, vectors[index]!)]));
  return rankingOf(
    considered.map(({ quote, inFull }) => Math.max(similarityByText.get(quote)!, similarityByText.get(inFull)!)),
    embedMs,
  );
}

/** What the caller should know when the vectors could not be searched; null when they were. */
export function degradationReason({ degraded }: Retrieval): RouteReason | null {
  if (degraded === null) return null;
  const cause =
    degraded === 'VECTOR_STORE_UNAVAILABLE'
      ? 'The vector store did not answer'
      : 'A collection was embedded by another model (run rebuildIndex on it)';
  return {
    feature: 'retrieval.degraded',
    value: 1,
    contribution: -1,
    sentence: `${cause}: passages were found by their words alone.`,
  };
}

/** What the caller should know when the question is longer than the embedder reads, and passages were compared with it; null otherwise. */
export const cutReason = ({ queryCut, degraded }: Retrieval): RouteReason | null =>
  queryCut === true && degraded === null
    ? {
        feature: 'retrieval.cut',
        value: 1,
        contribution: -1,
        sentence:
          'The question is longer than the embedder reads: passages were compared with its beginning alone, and found by the words of all of it.',
      }
    : null;
