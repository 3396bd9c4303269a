import { isGraftError } from '../kernel/errors.js';
import type { WorkspaceId } from '../kernel/ids.js';
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
 * Where the caller leaves the choice, a passage that the reader finds less probable to hold the answer is answered from no more. Of XQuAD's
 * unseen articles, COVID-QA and the example handbook any two choose this bound or a higher one by losing no right answer over three
 * passages; over one, `bench -- near` shows what it costs. Relevance alone (`abstain.ts`) can't tell text near an answer from text with it.
 */
export const LEAST_ANSWERABILITY = 0.3;

/** What the reader makes of the passage that another strategy answers from; `failed` says why it could not be asked. */
export type ReadCheck = Judged | { failed: string };

export interface Judged {
  /** Probability that it holds the answer, 0 to 1. */
  answerability: number;
  /** The least that is answered from. */
  least: number;
  judge: { adapter: string; version: number; sha256: string };
  done: Generated;
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
 * Asks the reader whether the best passage answers a question, before the base model words an answer from it: one more prompt, of which only
 * the first token is wanted. A reader that can't be asked keeps nobody from an answer.
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
  if (plan.adaptation !== null || entity !== null || least === 0) return null;
  const reader = await readerOf(parts, workspaceId, plan);
  if (!reader || !seemsIn(reader.usage.language ?? 'en', text)) return null;
  const { adapter, version, file } = reader;
  const asked = { ...question, adapter: `${adapter}@${version}`, model: null, task: null };
  const judging = await makePlan(parts, workspaceId, asked, 'HYBRID', { scope, labelled: null });
  if (!copiesSpans(judging)) return null;

  const frame = frameOf(judging, text, '');
  const room = await measureRoom(text, frame, { context, answer: 1 }, count);
  // The passage that the answer would be taken from: three would take three times as long to read.
  const best = passages.filter(({ chunkId }) => chunkId === evidence[0]?.chunkId);
  const composed = await composeReading(frame, { passages: best, evidence }, judging, room, count);
  const generation = { ...question.generation, maxTokens: 1, temperature: 0 };
  const stream = generate(parts.worker, { workspaceId, model: judging.model, composed, generation, signal });
  let next = await stream.next();
  while (!next.done) next = await stream.next();
  const { refusalProbability } = next.value;
  if (refusalProbability == null) return null;
  const judge = { adapter, version, sha256: file.sha256 };
  return { answerability: 1 - refusalProbability, least, judge, done: next.value };
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
      sentence: `The reader could not be asked whether the best passage holds the answer (${check.failed}).`,
    };
  const { answerability, least, judge } = check;
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  return {
    ...{ feature: 'reading.answerability', value: answerability, contribution: answerability - least },
    sentence: `${judge.adapter}@${judge.version} finds it ${percent(answerability)} probable that the best passage holds the answer; below ${percent(least)} none is given.`,
  };
}
