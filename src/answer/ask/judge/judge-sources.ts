import type { Passage, Retrieval, SearchScope } from '../../../sources/knowledge/index.js';
import type { Abstention, Conflict, Evidence } from '../answer.js';
import type { Work } from '../parts.js';
import { copiesSpans, readsSentences, type Plan } from '../plan.js';
import type { Question } from '../question.js';
import { KEPT_EVIDENCE } from '../read/evidence.js';
import type { Nothing, Passages, Rows, Source } from '../read/read-sources.js';
import { inContext } from '../read/surroundings.js';
import { ANSWERED, chunksOf, findEvidence } from '../read/retrieve.js';
import { TO_BE_READ } from './reading.js';
import type { PlannedQuestion } from '../planned-question.js';
import { contextOf, tokenCounter } from '../prompt/prompt-room.js';
import { abstention, LEAST_PROBABILITY, unanswered } from '../abstention.js';
import { checkReading, type ReadCheck } from './check-reading.js';
import { answerProbability } from '../read/probability.js';

/** Passages that were judged. */
interface Documents {
  kind: 'DOCUMENTS';
  retrieval: Retrieval;
  passages: Passage[];
  /** The best sentences, as exact quotes, best first. */
  evidence: Evidence[];
  conflicts: Conflict[];
  /** What the reader made of the sentences; null where it was not to be asked. */
  check: ReadCheck | null;
  /** How long the embedder took for sentences, in ms. */
  embedMs: number;
}

/** There is no answer to be given: nothing is asked of the model. */
interface Refused {
  kind: 'REFUSED';
  abstention: Abstention;
  /** null where none were read. */
  documents: Documents | null;
}

/** What an answer is made from, or why there is none. */
export type Judgement = Nothing | Rows | Documents | Refused;

/**
 * Whether what was read holds the answer. Rows and nothing are taken as they are: a label's own probability decides later, and what a
 * model knows can't be judged before it speaks. Passages are held against the least probability by words and vectors; and by the reader, sentence for sentence,
 * unless the caller leaves it out or an adapter answers that reads none.
 * @throws what the worker throws
 */
export async function judgeSources(work: Work, plannedQuestion: PlannedQuestion, source: Source): Promise<Judgement> {
  const { watch } = work;
  const { refusal: refusedBefore } = plannedQuestion;
  if (source.kind !== 'PASSAGES')
    return watch.time('evidence', () =>
      refusedBefore ? { kind: 'REFUSED' as const, abstention: refusedBefore, documents: null } : source,
    );
  const documents = await documentsOf(work, plannedQuestion, source);
  const refusal = refusedBefore ?? refusalOf(plannedQuestion, source.scope, documents);
  return refusal === null ? documents : { kind: 'REFUSED', abstention: refusal, documents };
}

async function documentsOf(
  work: Work,
  plannedQuestion: PlannedQuestion,
  { scope, result }: Passages,
): Promise<Documents> {
  const { plan, question } = plannedQuestion;
  const { workspaceId, watch, signal, worker, registry, clock } = work;
  const { retrieval } = result;
  const { passages } = retrieval;
  const isChecked =
    plannedQuestion.refusal === null &&
    (readsSentences(plan) || (plan.adaptation === null && question.reader !== false));
  const embedding = { worker, clock, embedder: () => registry.embedder() };
  const { evidence, conflicts, embedMs } = await watch.time('evidence', () =>
    findEvidence(embedding, workspaceId, result, signal, isChecked ? TO_BE_READ : ANSWERED),
  );
  const [context, count] = [contextOf(work, plan.variant), tokenCounter(work, plan)];
  const reading = { workspaceId, question, plan, scope, passages, evidence, context, count, signal };
  const check = isChecked ? await watch.time('check', () => checkReading(work, reading)) : null;
  const ranked = check?.kind === 'JUDGED' ? check.evidence : evidence;
  return {
    kind: 'DOCUMENTS',
    retrieval,
    passages,
    conflicts,
    check,
    embedMs,
    // A reader takes a span of one sentence.
    evidence: readsSentences(plan) ? ranked.slice(0, KEPT_EVIDENCE) : readable(ranked, result),
  };
}

/** The best quotes, each with what it takes to be read alone; none that stands in a better one. */
function readable(ranked: readonly Evidence[], { retrieval, wanted }: Passages['result']): Evidence[] {
  const quotes: Evidence[] = [];
  for (const candidate of ranked) {
    const isContained = quotes.some(
      ({ documentId, start, end }) =>
        documentId === candidate.documentId && start <= candidate.start && candidate.end <= end,
    );
    if (isContained) continue;
    const passage = retrieval.passages.find(({ chunkId }) => chunkId === candidate.chunkId)!;
    quotes.push(inContext(candidate, passage, wanted?.type ?? null));
    if (quotes.length === KEPT_EVIDENCE) break;
  }
  return quotes;
}

/** Why nothing is asked of the model; null when something is. Where the reader was asked, it has the last word. */
function refusalOf({ plan, question }: PlannedQuestion, scope: SearchScope, documents: Documents): Abstention | null {
  const { check, evidence } = documents;
  if (check?.kind !== 'JUDGED') return irrelevance(plan, scope, documents, question);
  const { probability, least } = check;
  if (probability >= least) return null;
  const [{ answerability: _, ...unread }] = evidence as [Evidence];
  // A sentence with every word of the question is about it, however unlike the two are otherwise: a key word and a sentence always are.
  const isRelated = answerProbability(unread) >= LEAST_PROBABILITY || unread.coverage >= 1;
  return unanswered(probability, least, isRelated);
}

/**
 * The same by words and vectors alone. An adapter that learned to refuse judges for itself what it reads; but not what it wasn't worth asking about.
 */
function irrelevance(
  plan: Plan,
  scope: SearchScope,
  { evidence, check }: Documents,
  { minConfidence }: Question,
): Abstention | null {
  const usage = plan.adaptation?.adapter.usage;
  const hopeless = readsSentences(plan) && check?.kind === 'HOPELESS';
  const judges = !hopeless && copiesSpans(plan) && usage?.reads === true && usage.refuses !== false;
  return abstention(chunksOf(scope), evidence, judges ? 0 : (minConfidence ?? undefined));
}

/** The documents that an answer was, or was not, made from; null where none were read. */
export const documentsRead = (judgement: Judgement): Documents | null =>
  judgement.kind === 'DOCUMENTS' ? judgement : judgement.kind === 'REFUSED' ? judgement.documents : null;
