import { isGraftError } from '../kernel/errors.js';
import type { WorkspaceId } from '../kernel/ids.js';
import { splitSentences } from '../kernel/sentences.js';
import type { Passage, SearchScope } from '../knowledge/index.js';
import type { WorkerClient } from '../platform/worker/index.js';
import type { ServedAdapter } from '../registry/index.js';
import type { Evidence, RouteReason } from './answer.js';
import { composeReading, frameOf, measureRoom, type TokenCounter } from './compose.js';
import { generate, type Generated } from './generate.js';
import { seemsIn } from './language.js';
import { copiesSpans, makePlan, READER, type Plan, type PlanParts } from './plan.js';
import type { Question } from './question.js';

/**
 * Where the caller leaves the choice, a sentence less probable than this to hold the answer is answered from no more. Relevance alone
 * (`abstain.ts`) can't tell text near an answer from text with it. `bench -- own-words` and `near` show what it refuses and costs.
 */
export const LEAST_ANSWERABILITY = 0.35;

/**
 * Probability that a sentence holds the answer, from the log-odds that the reader gives it and its cosine with the question: a logistic
 * regression, as many questions with their answer as without. The reader alone is too sure of itself on texts unlike those that it learned
 * from. Fitted on XQuAD's 12 unseen articles, the example handbook and both sets of `bench/own-words`; each of the four, left out of the fit,
 * is told apart better than by the reader alone.
 */
const READING_RULE = { bias: -4.98, logOdds: 0.4, similarity: 8.78 };
/** The reader is taken for no surer than this, that its log-odds stay finite. */
const LEAST_CERTAIN = 1e-4;

/** The best sentences that the reader is asked about; each takes it a prompt of some hundred tokens. */
const READ_SENTENCES = 3;
/** What its probability adds to a sentence's score. All from .3 to .8 served each of those four corpora as well as none, or better. */
const READING_WEIGHT = 0.5;

/** What the reader makes of the sentences that another strategy answers from; `failed` says why it could not be asked. */
export type ReadCheck = Judged | { failed: string };

export interface Judged {
  /** Probability that the first of `evidence` holds the answer, 0 to 1: see `READING_RULE`. */
  answerability: number;
  /** The least that is answered from. */
  least: number;
  judge: { adapter: string; version: number; sha256: string };
  /** Best first, what the reader makes of them included. */
  evidence: Evidence[];
  /** What was asked of it. */
  done: Generated[];
}

export interface Checking {
  workspaceId: WorkspaceId;
  question: Question;
  plan: Plan;
  scope: SearchScope;
  passages: readonly Passage[];
  /** Best first. */
  evidence: readonly Evidence[];
  /** Tokens that a prompt and its answer may have together. */
  context: number;
  count: TokenCounter;
  signal: AbortSignal;
}

/**
 * Asks the reader of each of the best sentences whether it answers the question, before the base model words an answer from the best: a prompt
 * each, of which only the first token is wanted. A reader that can't be asked keeps nobody from an answer.
 * @returns null where nobody is to judge: an adapter answers, the caller wants any answer, facts are read beside, the question doesn't seem to
 * be in the reader's language, or no reader goes with the model
 * @throws the signal's reason
 */
export async function checkReading(parts: CheckParts, checking: Checking): Promise<ReadCheck | null> {
  try {
    return await judged(parts, checking);
  } catch (error) {
    checking.signal.throwIfAborted();
    if (isGraftError(error)) return { failed: error.code };
    throw error;
  }
}

type CheckParts = PlanParts & { worker: Pick<WorkerClient, 'generate'> };

async function judged(
  parts: CheckParts,
  { workspaceId, question, plan, scope, passages, evidence, context, count, signal }: Checking,
): Promise<Judged | null> {
  const least = question.minConfidence ?? LEAST_ANSWERABILITY;
  const { entity, text } = question;
  if (plan.adaptation !== null || entity !== null || least === 0 || evidence.length === 0) return null;
  const reader = await readerOf(parts, workspaceId, plan);
  if (!reader || !seemsIn(reader.usage.language ?? 'en', text)) return null;
  const { adapter, version, file } = reader;
  const asked = { ...question, adapter: `${adapter}@${version}`, model: null, task: null };
  const judging = await makePlan(parts, workspaceId, asked, 'HYBRID', { scope, labelled: null });
  if (!copiesSpans(judging)) return null;

  const frame = frameOf(judging, text, '');
  const room = await measureRoom(text, frame, { context, answer: 1 }, count);
  const generation = { ...question.generation, maxTokens: 1, temperature: 0 };
  const done: Generated[] = [];
  const read: Evidence[] = [];
  for (const each of evidence.slice(0, READ_SENTENCES)) {
    const composed = await composeReading(frame, surroundings(each, passages), judging, room, count);
    const stream = generate(parts.worker, { workspaceId, model: judging.model, composed, generation, signal });
    let next = await stream.next();
    while (!next.done) next = await stream.next();
    const { refusalProbability } = next.value;
    if (refusalProbability == null) return null;
    const answerability = 1 - refusalProbability;
    done.push(next.value);
    read.push({ ...each, answerability, score: each.score + READING_WEIGHT * answerability });
  }
  read.sort((a, b) => b.score - a.score);
  const judge = { adapter, version, sha256: file.sha256 };
  return {
    ...{ answerability: answerabilityOf(read[0]!), least, judge, done },
    evidence: [...read, ...evidence.slice(READ_SENTENCES)],
  };
}

/** Probability that a sentence holds the answer; what the reader says alone where there is no cosine. */
export function answerabilityOf({
  answerability = 0,
  similarity,
}: Pick<Evidence, 'answerability' | 'similarity'>): number {
  if (similarity === null) return answerability;
  const certain = Math.min(Math.max(answerability, LEAST_CERTAIN), 1 - LEAST_CERTAIN);
  const { bias, logOdds, similarity: cosine } = READING_RULE;
  return 1 / (1 + Math.exp(-(bias + logOdds * Math.log(certain / (1 - certain)) + cosine * similarity)));
}

/** A sentence under its heading and behind the one before: what "it" and "they" stand for is there. */
function surroundings(sentence: Evidence, passages: readonly Passage[]): Parameters<typeof composeReading>[1] {
  const passage = passages.find(({ chunkId }) => chunkId === sentence.chunkId)!;
  const sentences = splitSentences(passage.text);
  const at = sentences.findIndex(({ start }) => passage.start + start === sentence.start);
  const around = [passage.headings.at(-1), sentences[at - 1]?.text, sentence.quote];
  return { passages: [{ ...passage, text: around.filter(Boolean).join('\n') }], evidence: [sentence] };
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
  if ('failed' in check)
    return {
      ...{ feature: 'reading.unjudged', value: 0, contribution: 0 },
      sentence: `The reader could not be asked whether the best sentence holds the answer (${check.failed}).`,
    };
  const { answerability, least, judge } = check;
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  return {
    ...{ feature: 'reading.answerability', value: answerability, contribution: answerability - least },
    sentence: `${judge.adapter}@${judge.version} finds it ${percent(answerability)} probable that the best sentence holds the answer; below ${percent(least)} none is given.`,
  };
}
