import type { Groups } from '../../kernel/caller.js';
import { notFound } from '../../kernel/errors.js';
import type { Uuid, WorkspaceId } from '../../kernel/ids.js';
import { GRAFT, traced, tracedStream } from '../../platform/tracing/index.js';
import type { Answer, FinishedAnswer } from './answer.js';
import { followed } from './conversation.js';
import { replay, type AskEvent } from './events.js';
import { documentsRead, type Judgement } from './judge/judge-sources.js';
import type { AskParts, Work } from './parts.js';
import { questionDigest, type Question } from './question.js';
import { lookUpFacts, type Facts } from './read/facts.js';
import { claimAnswer, recorded, recordOnce, unrecorded, type OpenAnswer } from './record/claim.js';
import { finishedAnswer, usedBy } from './record/finished-answer.js';
import type { Drawing } from './route/assignment.js';
import type { PlannedQuestion } from './planned-question.js';
import { planAnswer } from './route/plan-answer.js';
import { routeQuestion, type RoutedQuestion } from './route/route-question.js';
import { Stopwatch } from './stopwatch.js';
import { tellFinished, tellPlanned } from './trace.js';
import { STRATEGY_STAGES } from './strategy-stages.js';
import { measurePrompt, type PromptRoom } from './prompt/prompt-room.js';
import type { WordedAnswer } from './word/word-plan.js';

/** A checked question and who asks it under which id. */
export interface AskRequest {
  workspaceId: WorkspaceId;
  /** Whose documents may be read. */
  groups: Groups;
  /** `lineId` of the API key that asks; null where a request needs no key. */
  askedBy: Uuid | null;
  /** null: nobody will ask for this answer a second time. */
  requestId: string | null;
  question: Question;
  /** null where nothing is tried on who asks. */
  drawing: Drawing | null;
  /** Whether anything of it is kept. */
  recorded: boolean;
}

/**
 * Answers a question. What was recorded under the request id is joined instead of computed twice; what fails is recorded
 * too. Leaving the loop, or aborting `signal`, stops the model within one batch.
 * @throws NOT_FOUND, BAD_USER_INPUT, QUESTION_TOO_LONG, IDEMPOTENCY_CONFLICT, CANCELLED, DATABASE_UNAVAILABLE, and what the worker throws
 */
export function ask(parts: AskParts, request: AskRequest, signal: AbortSignal): AsyncGenerator<AskEvent, void> {
  const attributes = { [GRAFT.WORKSPACE]: request.workspaceId };
  return tracedStream('ask', { attributes }, () => asked(parts, request, signal));
}

async function* asked(parts: AskParts, request: AskRequest, signal: AbortSignal): AsyncGenerator<AskEvent, void> {
  const { workspaceId, groups, askedBy, requestId, question, drawing } = request;
  const began = parts.clock.monotonic();
  const elapsed = () => parts.clock.monotonic() - began;
  const { text, conversationId } = question;
  const watch = new Stopwatch(parts.clock);
  const now = parts.clock.now();
  const inputDigest = questionDigest(question, drawing?.forceArm, groups, askedBy);
  const record = { workspaceId, inputDigest, question: text, conversationId, askedBy };
  const standing =
    requestId === null
      ? { claim: request.recorded ? recordOnce(parts.answers, record, now, elapsed) : unrecorded(record, now) }
      : await watch.time('claim', () => claimAnswer(parts.answers, { ...record, requestId }, elapsed, signal));
  if ('recorded' in standing) yield* replay(await stillSeen(parts, request, standing.recorded));
  else {
    const work = { ...parts, workspaceId, groups, askedBy, watch, signal };
    yield* recorded(standing.claim, answer(work, question, drawing, standing.claim));
  }
}

/** What was recorded, unless a document that it read is kept from whoever asks since. @throws NOT_FOUND */
async function stillSeen({ answers }: AskParts, request: AskRequest, { id, requestId }: Answer): Promise<Answer> {
  const visibleAnswer = (await answers.byIds(request.workspaceId, [id], request.groups)).get(id);
  if (!visibleAnswer) throw notFound('The answer of this request id', requestId, 'input.requestId');
  return visibleAnswer;
}

/**
 * Answers a question: its stages, in their order. What each strategy reads, judges and words stands in `strategy-stages.ts`. Whoever
 * refuses is followed by the next who may know it.
 */
async function* answer(
  work: Work,
  originalQuestion: Question,
  drawing: Drawing | null,
  record: OpenAnswer,
): AsyncGenerator<AskEvent, void> {
  const { watch, log } = work;
  const { question, behind } = await followed(work, originalQuestion);
  let routed = await routeQuestion(work, question, drawing);
  let attempt = yield* attempted(work, question, routed, record);
  for (let next = attempt && nextOf(attempt, routed); next; next = attempt && nextOf(attempt, routed)) {
    routed = next;
    if (attempt?.worded) yield { type: 'replaced', text: '', reason: 'It was refused: another is asked.' };
    attempt = yield* attempted(work, question, routed, record);
  }
  // An arm that names what is gone was nobody's wish: the question is answered as if nothing were tried.
  if (attempt === null) return yield* answer(work, originalQuestion, null, record);

  const { planned, facts, room } = attempt;
  const judgement = lastJudgement(attempt.judgement, routed);
  const worded = attempt.worded ?? (yield* STRATEGY_STAGES[planned.plan.strategy].word(work, planned, judgement, room));
  const draft = finishedAnswer(work, planned, { given: originalQuestion, asked: question, facts, judgement, worded });
  const finished = await traced('ask.record', {}, () => record.complete(draft, behind));
  tellFinished(finished);
  if (finished.abstention) logRefusal(log, finished);
  work.expected.add(planned.plan.strategy, watch.totalMs);
  const { tokens } = worded.completion;
  yield { type: 'answer', answer: finished, ...(tokens && { tokens }) };
}

/** What came of asking one destination. */
interface Attempt {
  planned: PlannedQuestion;
  facts: Facts;
  room: PromptRoom;
  judgement: Judgement;
  /** null where it is refused before anything is asked of a model: a refusal is worded once nobody is left. */
  worded: WordedAnswer | null;
}

/** Asks one destination. @returns null where a version or a model is gone that only a draw named */
async function* attempted(
  work: Work,
  question: Question,
  routed: RoutedQuestion,
  record: OpenAnswer,
): AsyncGenerator<AskEvent, Attempt | null> {
  const assignment = routed.drawn?.assignment ?? null;
  record.draw(assignment);
  const plannedQuestion = await planAnswer(work, routed);
  if (plannedQuestion === null) return null;
  record.plan({ strategy: plannedQuestion.plan.strategy, ...usedBy(plannedQuestion.plan) });
  tellPlanned(record.id, plannedQuestion, assignment);
  yield { type: 'route', answerId: record.id, route: plannedQuestion.route };

  const strategy = STRATEGY_STAGES[plannedQuestion.plan.strategy];
  const facts = await lookUpFacts(work, question);
  const [room, source] = await work.watch.time('retrieve', () =>
    Promise.all([measurePrompt(work, plannedQuestion, facts), strategy.read(work, plannedQuestion)]),
  );
  if (source.kind === 'PASSAGES') {
    const { passages, degraded } = source.result.retrieval;
    yield { type: 'passages', passages, degraded };
  }
  const judgement = await strategy.judge(work, plannedQuestion, source);
  const conflicts = documentsRead(judgement)?.conflicts ?? [];
  if (conflicts.length > 0) yield { type: 'conflicts', conflicts };
  const worded = judgement.kind === 'REFUSED' ? null : yield* strategy.word(work, plannedQuestion, judgement, room);
  return { planned: plannedQuestion, facts, room, judgement, worded };
}

/** Who is asked after a refusal; null where there was none, or nobody is left. */
function nextOf({ judgement, worded }: Attempt, routed: RoutedQuestion): RoutedQuestion | null {
  const refusal = judgement.kind === 'REFUSED' ? judgement.abstention : (worded?.completion.abstention ?? null);
  return refusal && routed.next(refusal);
}

/** The judgement with what is said where everybody refused. */
const lastJudgement = (judgement: Judgement, routed: RoutedQuestion): Judgement =>
  judgement.kind === 'REFUSED' ? { ...judgement, abstention: routed.lastWord(judgement.abstention) } : judgement;

/** Numbers and names alone: what was asked stands in no log. */
function logRefusal(log: Work['log'], { route, abstention, task }: FinishedAnswer): void {
  const { reason, probability, threshold } = abstention ?? {};
  log.debug({ strategy: route.strategy, task, reason, probability, threshold }, 'refused to answer');
}
