import type { TaskKind } from '../../../sources/data/index.js';
import type { Conflict, Evidence, FinishedAnswer, RouteReason } from '../answer.js';
import { refusalReason } from '../abstention.js';
import { checkReason, type ReaderJudgement } from '../judge/check-reading.js';
import { answerProbability } from '../read/probability.js';
import { documentsRead, type Judgement } from '../judge/judge-sources.js';
import { severalReason } from '../judge/several-questions.js';
import type { Work } from '../parts.js';
import { writesFreely, type Plan } from '../plan.js';
import type { Question } from '../question.js';
import type { Facts } from '../read/facts.js';
import { cutReason, degradationReason } from '../read/retrieve.js';
import type { PlannedQuestion } from '../planned-question.js';
import { withReason } from '../route/route.js';
import type { Completion } from '../word/word-answer.js';
import type { WordedAnswer } from '../word/word-plan.js';
import { askedWith } from '../ask-again.js';
import { configurationOf } from './configuration.js';

/** What the stages made of a question. */
interface Made {
  /** As the caller put it, and as it was answered: a follow-up stands for itself then. */
  given: Question;
  asked: Question;
  facts: Facts;
  judgement: Judgement;
  worded: WordedAnswer;
}

/** An answer as it is recorded: what the stages made, and what they took. */
export function finishedAnswer(
  { watch, registry }: Work,
  plannedQuestion: PlannedQuestion,
  { given, asked, facts, judgement, worded }: Made,
): FinishedAnswer {
  const { plan, question, route } = plannedQuestion;
  const { prompt, completion, citations } = worded;
  const { evidence, conflicts, reader, reasons, embedMs } = readFor(judgement);
  const { text, wording, finishReason, output, abstention, done } = completion;
  // As it was put: a follow-up that stands for itself repeats what was asked before it.
  const questionsReason = evidence.length > 0 && abstention === null ? severalReason(given.text) : null;
  const { promptTokens, reusedTokens, generatedTokens, prefillMs, decodeMs } = taken(...(reader?.done ?? []), done);
  return {
    text,
    wording,
    finishReason,
    output,
    abstention,
    evidence,
    citations,
    ...usedBy(plan),
    conflicts,
    task: taskAnswered(plan, question),
    answerability: answerabilityOf(reader, completion, evidence),
    route: [...reasons, questionsReason, abstention && refusalReason(abstention)].reduce(withReason, route),
    passages: prompt.passages,
    features: facts.used,
    neighbours: neighboursOf(judgement),
    usage: { promptTokens, reusedTokens, generatedTokens },
    stages: watch.stages,
    cost: { computeMs: embedMs + prefillMs + decodeMs, computedTokens: promptTokens - reusedTokens + generatedTokens },
    configuration: configurationOf(plan, registry.embedder(), question, reader, plannedQuestion),
    askedWith: askedWith(asked),
    ...((question.system ?? question.sampling) && {
      guided: wording === 'MODEL' && writesFreely(plan, plannedQuestion.wording),
    }),
    ...(asked.text !== given.text && { askedAs: asked.text }),
  };
}

/** What was read of documents, and what is to be said of that. */
interface Read {
  evidence: Evidence[];
  conflicts: Conflict[];
  /** null where it judged nothing. */
  reader: ReaderJudgement | null;
  reasons: (RouteReason | null)[];
  /** How long the embedder took for question and sentences, in ms. */
  embedMs: number;
}

function readFor(judgement: Judgement): Read {
  const documents = documentsRead(judgement);
  if (documents === null) return { evidence: [], conflicts: [], reader: null, reasons: [], embedMs: 0 };
  const { evidence, conflicts, check, retrieval, embedMs } = documents;
  return {
    evidence,
    conflicts,
    reader: check?.kind === 'JUDGED' ? check : null,
    reasons: [degradationReason(retrieval), cutReason(retrieval), check && checkReason(check)],
    embedMs: retrieval.timings.embedMs + embedMs,
  };
}

/** How probable it is that what was read holds the answer: as the reader judged, else as the model that answered did, else by words and vectors. */
function answerabilityOf(
  reader: ReaderJudgement | null,
  { answerability }: Completion,
  [best]: readonly Evidence[],
): number | null {
  if (reader) return reader.probability;
  return answerability ?? (best ? answerProbability(best) : null);
}

function neighboursOf(judgement: Judgement): FinishedAnswer['neighbours'] {
  if (judgement.kind !== 'ROWS') return [];
  const { datasetVersionId } = judgement.rows.index;
  return judgement.neighbours.map((neighbour) => ({ datasetVersionId, ...neighbour }));
}

/** What the model took for a check and an answer together; the answer's may be missing. */
function taken(
  ...completions: readonly (ReaderJudgement['done'][number] | Completion['done'] | undefined)[]
): NonNullable<Completion['done']> {
  const sum = { promptTokens: 0, reusedTokens: 0, generatedTokens: 0, prefillMs: 0, decodeMs: 0 };
  for (const completion of completions)
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += completion?.[name] ?? 0;
  return sum;
}

/** What kind of answer a plan leads to. */
const taskAnswered = ({ adaptation, labelled }: Plan, { task }: Question): TaskKind =>
  adaptation?.input.task ?? (labelled ? 'CLASSIFICATION' : (task ?? 'QUESTION_ANSWERING'));

/** What an answer says of the model and the adapter that make it. */
export function usedBy({ variant, adaptation }: Plan): Pick<FinishedAnswer, 'variant' | 'adapter'> {
  const { variantId: id, sha256, model, quantization } = variant;
  const used = { id, sha256, model, quantization };
  if (adaptation === null) return { variant: used, adapter: null };
  const { versionId, adapter: name, version, file, attestation } = adaptation.adapter;
  const { sha256: digest, scale } = file;
  return {
    variant: used,
    adapter: { versionId, name, version, sha256: digest, scale, attested: attestation !== null },
  };
}
