import { isGraftError } from '../kernel/errors.js';
import type { WorkspaceId } from '../kernel/ids.js';
import type { Passage, SearchScope } from '../knowledge/index.js';
import type { WorkerClient } from '../platform/worker/index.js';
import type { ServedAdapter } from '../registry/index.js';
import type { Evidence, RouteReason } from './answer.js';
import { composeReading, frameOf, measureRoom, type TokenCounter } from './compose.js';
import { generate, type Generated } from './generate.js';
import { isUntold, seemsIn } from './language.js';
import { copiesSpans, makePlan, READER, type Plan, type PlanParts } from './plan.js';
import type { Question } from './question.js';
import { answerabilityOf, LEAST_ANSWERABILITY, READING, readingLogOdds } from './reading-rule.js';
import { withSurroundings } from './surroundings.js';

/** What the reader makes of the sentences that another strategy answers from; `failed` says why it could not be asked. */
export type ReadCheck = Judged | { failed: string };

export interface Judged {
  /** Probability that the first of `evidence` holds the answer, 0 to 1: see `answerabilityOf`. */
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
 * Asks the reader of one of the best sentences after another whether it answers the question, before the base model words an answer from the best: a prompt
 * each, of which only the first token is wanted. A reader that can't be asked keeps nobody from an answer.
 * @returns null where nobody is to judge: an adapter answers, the caller wants any answer, facts are read beside, the question doesn't seem to
 * be in the reader's language (what it is answered from, where the question is but key words), or no reader goes with the model
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
  const language = reader?.usage.language ?? 'en';
  if (!reader || !(seemsIn(language, text) || (isUntold(text) && seemsIn(language, evidence[0]!.quote)))) return null;
  const { adapter, version, file } = reader;
  const asked = { ...question, adapter: `${adapter}@${version}`, model: null, task: null };
  const judging = await makePlan(parts, workspaceId, asked, 'HYBRID', { scope, labelled: null });
  if (!copiesSpans(judging)) return null;

  const frame = frameOf(judging, text, '');
  const room = await measureRoom(text, frame, { context, answer: 1 }, count);
  const generation = { ...question.generation, maxTokens: 1, temperature: 0 };
  const done: Generated[] = [];
  const read: Evidence[] = [];
  for (const each of evidence.slice(0, READING.most)) {
    if (read.length >= READING.atLeast && read.some(({ answerability = 0 }) => answerability >= READING.sure)) break;
    const composed = await composeReading(frame, surroundings(each, passages), judging, room, count);
    const stream = generate(parts.worker, { workspaceId, model: judging.model, composed, generation, signal });
    let next = await stream.next();
    while (!next.done) next = await stream.next();
    const { refusalProbability } = next.value;
    if (refusalProbability == null) return null;
    const answerability = 1 - refusalProbability;
    done.push(next.value);
    read.push({ ...each, answerability, score: each.score + READING.weight * readingLogOdds(answerability) });
  }
  read.sort((a, b) => b.score - a.score);
  const judge = { adapter, version, sha256: file.sha256 };
  return {
    ...{ answerability: answerabilityOf(read[0]!), least, judge, done },
    evidence: [...read, ...evidence.slice(read.length)],
  };
}

/** A sentence with what goes before it in its passage, as the one thing to be read. */
function surroundings(sentence: Evidence, passages: readonly Passage[]): Parameters<typeof composeReading>[1] {
  const passage = passages.find(({ chunkId }) => chunkId === sentence.chunkId)!;
  const text = withSurroundings(passage, { start: sentence.start - passage.start, text: sentence.quote });
  return { passages: [{ ...passage, text }], evidence: [sentence] };
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
