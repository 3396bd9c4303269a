import type { ErrorCode } from '../../../kernel/error-codes.js';
import { isGraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { Passage, SearchScope } from '../../../sources/knowledge/index.js';
import type { WorkerClient } from '../../../platform/worker/index.js';
import type { ServedAdapter } from '../../../sources/registry/index.js';
import { LEAST_PROBABILITY } from '../abstention.js';
import type { Evidence, RouteReason } from '../answer.js';
import { composeSentence, frameOf, measureRoom, type PromptTokenCounter } from '../prompt/compose.js';
import { generate, type GenerationResult } from '../prompt/generate.js';
import { byScore } from '../read/evidence.js';
import { isUntold, seemsIn } from '../languages/question-language.js';
import { copiesSpans, makePlan, nameOf, readsSentences, type Plan, type PlanParts } from '../plan.js';
import { READER, strategyThat } from '../strategies.js';
import type { Question } from '../question.js';
import { answerProbability, calibrated, readerLogOdds } from '../read/probability.js';
import { isReadEnough, isWorthReading, READING } from './reading.js';
import { percent } from '../../../kernel/text.js';

/** What the reader makes of the sentences that another strategy answers from, or why it makes nothing of them. */
export type ReadCheck =
  | ReaderJudgement
  /** It could not be asked. */
  | { kind: 'FAILED'; code: ErrorCode }
  /** The question isn't in the language that it learned. */
  | { kind: 'OTHER_LANGUAGE'; learned: string }
  /** No sentence could become probable enough to be worth asking about. */
  | { kind: 'HOPELESS' };

export interface ReaderJudgement {
  kind: 'JUDGED';
  /** Probability that the first of `evidence` answers the question, 0 to 1: see `answerProbability`. */
  probability: number;
  /** The least that is answered from. */
  least: number;
  judge: { adapter: string; version: number; sha256: string };
  /** Best first, what the reader makes of them included. */
  evidence: Evidence[];
  /** What was asked of it. */
  done: GenerationResult[];
}

interface Checking {
  workspaceId: WorkspaceId;
  question: Question;
  plan: Plan;
  scope: SearchScope;
  passages: readonly Passage[];
  /** Best first. */
  evidence: readonly Evidence[];
  /** Tokens that a prompt and its answer may have together. */
  context: number;
  count: PromptTokenCounter;
  signal: AbortSignal;
}

/**
 * Asks the reader of one of the best sentences after another whether it answers the question, before the base model words an answer from the best, or
 * the reader itself takes a span of it: a prompt each, of which only the first token is wanted. A reader that can't be asked keeps nobody from an answer.
 * @returns null where nobody is to judge: an adapter answers that reads no sentences, the caller wants any answer, facts are read beside, or no
 * reader goes with the model; OTHER_LANGUAGE where the question doesn't seem to be in the reader's (what it is answered from, where the question is but
 * key words)
 * @throws the signal's reason
 */
export async function checkReading(parts: CheckParts, checking: Checking): Promise<ReadCheck | null> {
  try {
    return await judged(parts, checking);
  } catch (error) {
    checking.signal.throwIfAborted();
    if (isGraftError(error)) return { kind: 'FAILED', code: error.code };
    throw error;
  }
}

type CheckParts = PlanParts & { worker: Pick<WorkerClient, 'generate'> };

async function judged(parts: CheckParts, checking: Checking): Promise<ReadCheck | null> {
  const { workspaceId, question, plan, scope, evidence } = checking;
  const { entity, text, minConfidence } = question;
  if (entity !== null || evidence.length === 0) return null;
  const judging = readsSentences(plan) ? plan : await judgeBeside(parts, workspaceId, { question, plan, scope });
  if (judging === null) return null;
  const { adapter, version, file, usage } = judging.adaptation!.adapter;
  const language = usage.language ?? 'en';
  if (!(seemsIn(language, text) || (isUntold(text) && seemsIn(language, evidence[0]!.quote))))
    return { kind: 'OTHER_LANGUAGE', learned: language };
  const threshold = minConfidence ?? LEAST_PROBABILITY;
  const worthReading = evidence.filter((sentence) => isWorthReading(sentence, threshold)).slice(0, READING.most);
  if (worthReading.length === 0) return { kind: 'HOPELESS' };

  const results: GenerationResult[] = [];
  const read: Evidence[] = [];
  for await (const reading of readSentences(parts, judging, { ...checking, evidence: worthReading })) {
    if (reading.sentence === null) return null;
    results.push(reading.done);
    read.push(reading.sentence);
    const next = worthReading[read.length];
    if (next && isReadEnough(read, next, threshold)) break;
  }
  const judgedSentences = new Set(worthReading.slice(0, read.length));
  read.sort(byScore);
  return {
    kind: 'JUDGED',
    probability: answerProbability(read[0]!),
    least: threshold,
    judge: { adapter, version, sha256: file.sha256 },
    done: results,
    evidence: [...read, ...evidence.filter((sentence) => !judgedSentences.has(sentence))],
  };
}

/** A sentence with what the reader makes of it; null where it doesn't say. */
interface ReadSentence {
  sentence: Evidence | null;
  done: GenerationResult;
}

/** Asks a reader of one sentence after another, in their order; nothing is asked before it is wanted. */
export async function* readSentences(
  parts: CheckParts,
  judging: Plan,
  { workspaceId, question, passages, evidence, context, count, signal }: Omit<Checking, 'plan' | 'scope'>,
): AsyncGenerator<ReadSentence> {
  const frame = frameOf(judging, question.text, '');
  const room = await measureRoom(question.text, frame, { context, answer: 1 }, count);
  const generation = { ...question.generation, maxTokens: 1, temperature: 0 };
  const target = { model: judging.model, named: nameOf(judging) };
  const { calibration } = judging.adaptation!.adapter.usage;
  for (const sentence of evidence) {
    const composed = await composeSentence(frame, { sentence, passages }, judging, room, count);
    const stream = generate(parts.worker, { workspaceId, ...target, composed, generation, signal });
    let next = await stream.next();
    while (!next.done) next = await stream.next();
    const result = next.value;
    const { refusalProbability } = result;
    if (refusalProbability == null) yield { sentence: null, done: result };
    else {
      const answerability = calibrated(1 - refusalProbability, calibration);
      const score = sentence.score + READING.weight * readerLogOdds(answerability);
      yield { sentence: { ...sentence, answerability, score }, done: result };
    }
  }
}

/** How the reader would be asked before the base model answers; null where it isn't to be, or where none can judge. */
async function judgeBeside(
  parts: CheckParts,
  workspaceId: WorkspaceId,
  { question, plan, scope }: Pick<Checking, 'question' | 'plan' | 'scope'>,
): Promise<Plan | null> {
  if (plan.adaptation !== null || question.minConfidence === 0) return null;
  const reader = await readerOf(parts, workspaceId, plan);
  if (reader === null) return null;
  const readerQuestion = { ...question, adapter: `${reader.adapter}@${reader.version}`, model: null, task: null };
  const strategy = strategyThat({ reads: true, adapts: true });
  const judging = await makePlan(parts, workspaceId, readerQuestion, strategy, { scope, labelled: null });
  return copiesSpans(judging) ? judging : null;
}

/** The reader of the model that answers; null where there is none that can refuse. */
async function readerOf(
  { adapters }: PlanParts,
  workspaceId: WorkspaceId,
  { variant }: Plan,
): Promise<ServedAdapter | null> {
  try {
    const reader = await adapters.resolve(workspaceId, READER);
    const { reads, refuses } = reader.usage;
    return reads && refuses !== false && reader.variantId === variant.variantId ? reader : null;
  } catch (error) {
    if (isGraftError(error, 'NOT_FOUND')) return null;
    throw error;
  }
}

/** What the check says, for the route's reasons. */
export function checkReason(check: ReadCheck): RouteReason {
  const unread = (feature: string, sentence: string): RouteReason => ({ feature, value: 0, contribution: 0, sentence });
  switch (check.kind) {
    case 'FAILED':
      return unread(
        'reading.unjudged',
        `The reader could not be asked whether the best sentence holds the answer (${check.code}).`,
      );
    case 'HOPELESS':
      return unread(
        'reading.skipped',
        'The reader was not asked: no sentence is near enough to the question for it to make a difference.',
      );
    case 'OTHER_LANGUAGE':
      return unread(
        'reading.language',
        `The question doesn’t seem to be in the language that the reader learned (${check.learned}): it did not judge whether the best sentence holds the answer.`,
      );
    case 'JUDGED': {
      const { probability, least, judge } = check;
      return {
        feature: 'reading.answerability',
        value: probability,
        contribution: probability - least,
        sentence: `With what ${judge.adapter}@${judge.version} makes of it, the best sentence answers the question with a probability of ${percent(probability)}; below ${percent(least)} none is given.`,
      };
    }
  }
}
