import type { FeatureService, LabelIndexes, Neighbour, RaftMaker, TaskKind } from '../data/index.js';
import type { Clock } from '../kernel/clock.js';
import type { WorkspaceId } from '../kernel/ids.js';
import {
  embedderDigest,
  type Passage,
  type QueryVector,
  type Retriever,
  type SearchScope,
} from '../knowledge/index.js';
import type { WorkerClient } from '../platform/worker/index.js';
import { modelFileOf, type AdapterRegistry, type ModelRegistry, type ServedVariant } from '../registry/index.js';
import { abstention, relevance, unanswered, worthReading } from './judge/abstain.js';
import type { Abstention, Evidence, FinishedAnswer, RouteDecision } from './answer.js';
import {
  AS_ASKED,
  asDrawn,
  drawAfter,
  drawBefore,
  drawnRoute,
  fusedAs,
  isGone,
  type Arm,
  type Drawing,
} from './route/assignment.js';
import { checkReading, checkReason } from './judge/check-reading.js';
import { cite } from './word/cite.js';
import { citeSpan } from './word/cite-span.js';
import {
  answerTokens,
  composeJudged,
  composeNothing,
  composeQuestion,
  composeReading,
  frameOf,
  measureRoom,
} from './word/compose.js';
import { configurationOf } from './record/configuration.js';
import { replay, type AskEvent } from './events.js';
import { NO_FACTS, readFacts } from './read/facts.js';
import { originReason } from './route/origin.js';
import { KEPT_EVIDENCE } from './read/evidence.js';
import { languageReason } from './judge/language.js';
import { copiesSpans, makePlan, readsSentences, type Plan, type Sources } from './plan.js';
import { answerBound, boundQuestion } from './route/risk.js';
import { STRATEGIES } from './strategies.js';
import { questionDigest, type Question } from './question.js';
import type { AnswerStore } from './record/answer-store.js';
import { claimAnswer, recorded, recordOnce, unrecorded, type OpenAnswer } from './record/claim.js';
import {
  ANSWERED,
  degradationReason,
  findEvidence,
  NOTHING_READ,
  retrievePassages,
  TO_BE_READ,
} from './read/retrieve.js';
import {
  decideRoute,
  routed,
  unreadReason,
  withReason,
  type ExpectedTimes,
  type RouteFeatures,
} from './route/route.js';
import { lookAround, type Looked } from './route/router/look-around.js';
import type { RouterStore } from './route/router/router-store.js';
import { Stopwatch } from './stopwatch.js';
import type { Worded } from './word/word-answer.js';
import { wordPlan } from './word/word-plan.js';

export interface AskParts {
  registry: Pick<ModelRegistry, 'resolve' | 'variant' | 'embedder'>;
  adapters: Pick<AdapterRegistry, 'resolve'>;
  retriever: Pick<Retriever, 'embed' | 'scope' | 'retrieve' | 'termWeights'>;
  worker: Pick<WorkerClient, 'embed' | 'generate' | 'scoreNext' | 'countTokens' | 'status'>;
  answers: AnswerStore;
  features: Pick<FeatureService, 'read'>;
  labelIndexes: Pick<LabelIndexes, 'require' | 'find' | 'nearest' | 'store'>;
  routers: Pick<RouterStore, 'current'>;
  origins: Pick<RaftMaker, 'originOf'>;
  expected: ExpectedTimes;
  clock: Clock;
}

/** A checked question and who asks it under which id. */
export interface Asked {
  workspaceId: WorkspaceId;
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
export async function* ask(parts: AskParts, asked: Asked, signal: AbortSignal): AsyncGenerator<AskEvent, void> {
  const { workspaceId, requestId, question } = asked;
  const began = parts.clock.monotonic();
  const elapsed = () => parts.clock.monotonic() - began;
  const { text, conversationId } = question;
  const watch = new Stopwatch(parts.clock);
  const now = parts.clock.now();
  const inputDigest = questionDigest(question, asked.drawing?.forceArm);
  const record = { workspaceId, inputDigest, question: text, conversationId };
  const standing =
    requestId === null
      ? { claim: asked.recorded ? recordOnce(parts.answers, record, now, elapsed) : unrecorded(record, now) }
      : await watch.time('claim', () => claimAnswer(parts.answers, { ...record, requestId }, elapsed, signal));
  if ('recorded' in standing) yield* replay(standing.recorded);
  else yield* recorded(standing.claim, answer(parts, asked, standing.claim, watch, signal));
}

/** The stages of an answer, in their order. */
async function* answer(
  parts: AskParts,
  put: Asked,
  record: OpenAnswer,
  watch: Stopwatch,
  signal: AbortSignal,
): AsyncGenerator<AskEvent, void> {
  const { workspaceId, drawing } = put;
  const { text: asked, entity, features } = put.question;
  const before = drawBefore(workspaceId, put.question, drawing);
  const opened = before ? asDrawn(put.question, before.change) : put.question;

  const expectedMs = parts.expected.medians();
  const vector = once(() => vectorOf(parts.retriever, workspaceId, asked, signal));
  if (mayRead(opened, expectedMs)) void vector();
  const open = await watch.time('scope', () => sourcesOf(parts, workspaceId, opened, before?.change ?? AS_ASKED));
  const routing = { workspaceId, question: opened, sources: open, expectedMs, vector, watch };
  const looked = await askRouter(parts, routing, signal);
  const observed = chooseRoute(opened, open, expectedMs);
  const direct = looked ? routed(observed, looked) : observed;
  const routedTo = looked?.mode === 'APPLY' ? looked.choice.chosen.adapter : null;
  const drawn = drawAfter(workspaceId, before, routedTo, drawing);
  record.draw(drawn?.assignment ?? null);
  const change = drawn?.change ?? AS_ASKED;
  const chosen = drawnRoute(direct, drawn);
  const late = drawn === before ? AS_ASKED : change;
  const question = { ...asDrawn(opened, late), strategy: opened.strategy };
  const applied = looked?.mode === 'APPLY' ? { ...question, adapter: change.adapter ?? routedTo } : question;
  const sources = { ...open, scope: fusedAs(open.scope, late) };
  const planned = await watch.time('plan', async () => {
    try {
      const made = await makePlan(parts, workspaceId, applied, chosen.strategy, sources);
      return [made, await originReason(parts.origins, workspaceId, made)] as const;
    } catch (error) {
      if (isGone(error, drawn)) return null;
      throw error;
    }
  });
  if (planned === null) return yield* answer(parts, { ...put, drawing: null }, record, watch, signal);
  const [plan, learned] = planned;
  const bound = answerBound(question, plan);
  const bounded = boundQuestion(question, bound);
  const route = [unreadReason(plan), learned, languageReason(plan, asked), bound?.reason ?? null].reduce(
    withReason,
    chosen,
  );
  yield { type: 'route', answerId: record.id, route };

  const facts =
    entity === null
      ? NO_FACTS
      : await watch.time('features', () => readFacts(parts.features, workspaceId, entity, features));
  const reading = { ...parts, embedder: () => parts.registry.embedder() };
  const frame = frameOf(plan, asked, facts.text);
  const count = tokenCounter(parts, workspaceId, plan, signal);
  const context = contextOf(parts, plan.variant);
  const already = late.denseWeight === null ? looked?.found : null;
  const [maxTokens, left, found, neighbours] = await watch.time('retrieve', () => {
    const answering = answerTokens(plan, question.generation.maxTokens, count);
    return Promise.all([
      answering,
      answering.then((answer) => measureRoom(asked, frame, { context, answer }, count)),
      plan.scope && (already ?? retrievePassages(reading, plan.scope, { text: asked, vector: vector() }, signal)),
      nearestRows(parts, plan, workspaceId, vector),
    ]);
  });
  const passages: Passage[] = found?.retrieval.passages ?? [];
  if (found) yield { type: 'passages', passages, degraded: found.retrieval.degraded };

  // Whoever asks for RAG gets that and no more; an adapter that reads sentences judges them for itself.
  const checked = plan.scope !== null && (question.strategy === 'AUTO' || readsSentences(plan));
  const breadth = checked ? TO_BE_READ : ANSWERED;
  const {
    evidence: ranked,
    conflicts,
    embedMs,
  } = await watch.time('evidence', () =>
    found ? findEvidence(reading, workspaceId, found, signal, breadth) : NOTHING_READ,
  );
  const irrelevant = plan.scope && refusalOf(plan, ranked, bounded);
  const { scope } = plan;
  const check =
    scope && checked && worthReading(irrelevant)
      ? await watch.time('check', () =>
          checkReading(parts, {
            ...{ workspaceId, question: bounded, plan, scope, passages, evidence: ranked, context, count, signal },
          }),
        )
      : null;
  const judged = check && 'judge' in check ? check : null;
  const evidence = (judged?.evidence ?? ranked).slice(0, KEPT_EVIDENCE);
  const refusal = judged ? (judged.answerability < judged.least ? unanswered(judged) : null) : irrelevant;
  if (conflicts.length > 0) yield { type: 'conflicts', conflicts };
  const composed = await watch.time('compose', () => {
    if (refusal || (plan.labelled && !plan.adaptation)) return composeNothing(passages);
    if (plan.scope === null) return composeQuestion(frame, plan);
    const compose = judged && readsSentences(plan) ? composeJudged : composeReading;
    return compose(frame, { passages, evidence }, plan, left, count);
  });

  const generation = { ...question.generation, maxTokens };
  const step = { workspaceId, model: plan.model, composed, generation, signal };
  const worded = yield* watch.follow(
    'generate',
    wordPlan(parts.worker, plan, { ...step, question: bounded, refusal, evidence, neighbours }),
  );

  const { text, wording, finishReason, output, done } = worded;
  const read = passages.filter(({ chunkId }) => composed.passages.some((one) => one.used && one.chunkId === chunkId));
  const citations = await watch.time('cite', () =>
    worded.abstention ? [] : composed.copyFrom ? citeSpan(text, read, evidence, asked) : cite(text, evidence, asked),
  );
  const { promptTokens, reusedTokens, generatedTokens, prefillMs, decodeMs } = taken(...(judged?.done ?? []), done);
  const finished = await record.complete({
    ...{ text, wording, finishReason, output, evidence, conflicts, citations },
    task: taskAnswered(plan, question),
    abstention: worded.abstention,
    answerability: judged?.answerability ?? worded.answerability ?? (evidence[0] ? relevance(evidence[0]) : null),
    route: [found && degradationReason(found.retrieval), check && checkReason(check)].reduce(withReason, route),
    ...usedBy(plan),
    passages: composed.passages,
    features: facts.used,
    neighbours: neighbours.map((each) => ({ datasetVersionId: plan.labelled!.index.datasetVersionId, ...each })),
    usage: { promptTokens, reusedTokens, generatedTokens },
    stages: watch.stages,
    cost: {
      computeMs: (found?.retrieval.timings.embedMs ?? 0) + embedMs + prefillMs + decodeMs,
      computedTokens: promptTokens - reusedTokens + generatedTokens,
    },
    configuration: configurationOf(plan, parts.registry.embedder(), bounded, judged, change.denseWeight),
  });
  parts.expected.add(plan.strategy, watch.totalMs);
  yield { type: 'answer', answer: finished };
}

/** What the model took for a check and an answer together; the answer's may be missing. */
function taken(...all: readonly (Worded['done'] | undefined)[]): NonNullable<Worded['done']> {
  const sum = { promptTokens: 0, reusedTokens: 0, generatedTokens: 0, prefillMs: 0, decodeMs: 0 };
  for (const done of all) for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += done?.[name] ?? 0;
  return sum;
}

/** Why nothing is asked of the model; null when something is. An adapter that learned to refuse judges for itself what it reads. */
function refusalOf(plan: Plan, evidence: readonly Evidence[], { minConfidence }: Question): Abstention | null {
  const usage = plan.adaptation?.adapter.usage;
  const judges = copiesSpans(plan) && usage?.reads === true && usage.refuses !== false;
  return abstention(chunksOf(plan.scope!), evidence, judges ? 0 : (minConfidence ?? undefined));
}

/** Where the answer may come from; nothing is looked up where nothing is to be read. */
async function sourcesOf(
  { retriever, labelIndexes }: AskParts,
  workspaceId: WorkspaceId,
  { strategy, collections, dataset }: Question,
  change: Arm,
): Promise<Sources> {
  if (dataset !== null)
    return { scope: null, labelled: await labelIndexes.require(workspaceId, dataset, 'input.dataset') };
  const nothing = strategy !== 'AUTO' && !STRATEGIES[strategy].reads && collections === null;
  return { scope: nothing ? null : fusedAs(await retriever.scope(workspaceId, collections), change), labelled: null };
}

/** What a fitted router makes of a question whose caller leaves the choice; null where there is none to ask. */
async function askRouter(
  parts: AskParts,
  { workspaceId, question, sources, expectedMs, vector, watch }: Routing,
  signal: AbortSignal,
): Promise<Looked | null> {
  const { strategy, collections, text, maxErrorRate } = question;
  if (strategy !== 'AUTO' || collections !== null || sources.scope === null) return null;
  const current = await parts.routers.current(workspaceId, embedderDigest(parts.registry.embedder()));
  if (!current) return null;
  const { scope } = sources;
  return watch.time('route', () =>
    lookAround(parts, current, { workspaceId, text, scope, vector: vector(), expectedMs, maxErrorRate }, signal),
  );
}

interface Routing {
  workspaceId: WorkspaceId;
  question: Question;
  sources: Sources;
  expectedMs: ReturnType<ExpectedTimes['medians']>;
  vector: () => Promise<QueryVector>;
  watch: Stopwatch;
}

/** The labelled rows nearest to the question; none where the plan reads none. */
async function nearestRows(
  { labelIndexes }: AskParts,
  { labelled }: Plan,
  workspaceId: WorkspaceId,
  vector: () => Promise<QueryVector>,
): Promise<Neighbour[]> {
  return labelled ? labelIndexes.nearest(workspaceId, labelled.index.id, (await vector()).vector) : [];
}

/** Whether passages are likely to be read: always where the caller says so, else where answers came from some lately. */
const mayRead = ({ strategy, collections, dataset }: Question, expectedMs: RouteFeatures['expectedMs']): boolean =>
  strategy === 'AUTO'
    ? collections !== null || dataset !== null || expectedMs.RAG !== undefined
    : STRATEGIES[strategy].reads;

const chooseRoute = (
  { strategy, collections, adapter }: Question,
  { scope, labelled }: Sources,
  expectedMs: RouteFeatures['expectedMs'],
): RouteDecision =>
  decideRoute({
    choice: strategy,
    named: collections !== null || labelled !== null,
    adapter,
    readable: scope && { collections: scope.collections.length, chunks: chunksOf(scope) },
    labelledRows: labelled?.rows ?? null,
    expectedMs,
  });

const chunksOf = ({ collections }: SearchScope): number => collections.reduce((sum, { chunks }) => sum + chunks, 0);

/** What kind of answer a plan leads to. */
const taskAnswered = ({ adaptation, labelled }: Plan, { task }: Question): TaskKind =>
  adaptation?.input.task ?? (labelled ? 'CLASSIFICATION' : (task ?? 'QUESTION_ANSWERING'));

/** What the answer says of the model and the adapter that made it. */
function usedBy({ variant, adaptation }: Plan): Pick<FinishedAnswer, 'variant' | 'adapter'> {
  const { variantId: id, sha256, model, quantization } = variant;
  if (adaptation === null) return { variant: { id, sha256, model, quantization }, adapter: null };
  const { versionId, adapter: name, version, file, attestation } = adaptation.adapter;
  return {
    variant: { id, sha256, model, quantization },
    adapter: {
      ...{ versionId, name, version, sha256: file.sha256, scale: file.scale },
      attested: attestation !== null,
    },
  };
}

/** Does it the first time it is asked for. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** The question's vector, asked for while its scope is looked up. */
function vectorOf(
  retriever: AskParts['retriever'],
  workspaceId: WorkspaceId,
  text: string,
  signal: AbortSignal,
): Promise<QueryVector> {
  const vector = retriever.embed(workspaceId, text, { signal });
  // Whoever awaits it hears of a failure; a question that ends before is none of its business.
  vector.catch(() => undefined);
  return vector;
}

/** Tokens that a prompt and its answer may have together: the model's own limit or the worker's. */
function contextOf({ worker }: AskParts, { contextLength }: ServedVariant): number {
  return Math.min(contextLength, worker.status.hello?.limits.contextTokens ?? contextLength);
}

/** Counts as the model reads; adapters change no token. */
const tokenCounter =
  ({ worker }: AskParts, workspaceId: WorkspaceId, { variant }: Plan, signal: AbortSignal) =>
  (texts: Parameters<WorkerClient['countTokens']>[0]['texts']): Promise<number[]> =>
    worker.countTokens({ workspaceId, model: modelFileOf(variant), texts }, { signal });
