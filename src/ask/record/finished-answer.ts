import type { TaskKind } from '../../data/index.js';
import type { FinishedAnswer, RouteDecision } from '../answer.js';
import { refusalReason } from '../judge/abstain.js';
import { checkReason, type ReaderJudgement } from '../judge/check-reading.js';
import { answerProbability } from '../judge/probability.js';
import { documentsRead, type Documents, type Judgement } from '../judge/judge-sources.js';
import type { Work } from '../parts.js';
import type { Plan } from '../plan.js';
import type { Question } from '../question.js';
import type { Facts } from '../read/facts.js';
import { degradationReason } from '../read/retrieve.js';
import type { PlannedQuestion } from '../route/plan-answer.js';
import { withReason } from '../route/route.js';
import type { Completion } from '../word/word-answer.js';
import type { WordedAnswer } from '../word/word-plan.js';
import { configurationOf } from './configuration.js';

/** An answer as it is recorded: what the stages made, and what they took. */
export function finishedAnswer(
  { watch, registry }: Work,
  planned: PlannedQuestion,
  { facts, judgement, worded }: { facts: Facts; judgement: Judgement; worded: WordedAnswer },
): FinishedAnswer {
  const { plan, question, route } = planned;
  const { prompt, completion, citations } = worded;
  const documents = documentsRead(judgement);
  const judged = documents?.check && 'judge' in documents.check ? documents.check : null;
  const { text, wording, finishReason, output, abstention, done } = completion;
  const evidence = documents?.evidence ?? [];
  const { promptTokens, reusedTokens, generatedTokens, prefillMs, decodeMs } = taken(...(judged?.done ?? []), done);
  const embedMs = (documents?.retrieval.timings.embedMs ?? 0) + (documents?.embedMs ?? 0);
  return {
    text,
    wording,
    finishReason,
    output,
    abstention,
    evidence,
    citations,
    ...usedBy(plan),
    conflicts: documents?.conflicts ?? [],
    task: taskAnswered(plan, question),
    answerability:
      judged?.probability ?? completion.answerability ?? (evidence[0] ? answerProbability(evidence[0]) : null),
    route: withReason(documents ? withReadReasons(route, documents) : route, abstention && refusalReason(abstention)),
    passages: prompt.passages,
    features: facts.used,
    neighbours: neighboursOf(judgement),
    usage: { promptTokens, reusedTokens, generatedTokens },
    stages: watch.stages,
    cost: { computeMs: embedMs + prefillMs + decodeMs, computedTokens: promptTokens - reusedTokens + generatedTokens },
    configuration: configurationOf(plan, registry.embedder(), question, judged, planned),
  };
}

const withReadReasons = (route: RouteDecision, { retrieval, check }: Documents): RouteDecision =>
  [degradationReason(retrieval), check && checkReason(check)].reduce(withReason, route);

function neighboursOf(judgement: Judgement): FinishedAnswer['neighbours'] {
  if (judgement.kind !== 'ROWS') return [];
  const { datasetVersionId } = judgement.rows.index;
  return judgement.neighbours.map((each) => ({ datasetVersionId, ...each }));
}

/** What the model took for a check and an answer together; the answer's may be missing. */
function taken(
  ...all: readonly (ReaderJudgement['done'][number] | Completion['done'] | undefined)[]
): NonNullable<Completion['done']> {
  const sum = { promptTokens: 0, reusedTokens: 0, generatedTokens: 0, prefillMs: 0, decodeMs: 0 };
  for (const done of all) for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += done?.[name] ?? 0;
  return sum;
}

/** What kind of answer a plan leads to. */
const taskAnswered = ({ adaptation, labelled }: Plan, { task }: Question): TaskKind =>
  adaptation?.input.task ?? (labelled ? 'CLASSIFICATION' : (task ?? 'QUESTION_ANSWERING'));

/** What the answer says of the model and the adapter that made it. */
function usedBy({ variant, adaptation }: Plan): Pick<FinishedAnswer, 'variant' | 'adapter'> {
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
