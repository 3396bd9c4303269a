import type { FeatureService } from '../data/index.js';
import type { Clock } from '../kernel/clock.js';
import type { WorkspaceId } from '../kernel/ids.js';
import type { Passage, QueryVector, Retriever, SearchScope } from '../knowledge/index.js';
import type { WorkerClient } from '../platform/worker/index.js';
import type { ModelRegistry, ServedVariant } from '../registry/index.js';
import { abstention } from './abstain.js';
import type { Evidence } from './answer.js';
import { cite } from './cite.js';
import { baseFrame, composeBase, composeRag, measureRoom, ragFrame, unusedPassages } from './compose.js';
import { configurationOf } from './configuration.js';
import { replay, type AskEvent } from './events.js';
import { NO_FACTS, readFacts } from './facts.js';
import { generate } from './generate.js';
import { questionDigest, type Question } from './question.js';
import type { AnswerStore } from './record/answer-store.js';
import { claimAnswer, recorded, recordOnce, type AnswerRecord } from './record/claim.js';
import { degradationReason, findEvidence, retrievePassages } from './retrieve.js';
import { decideRoute, withReason, type ExpectedTimes, type RouteFeatures } from './route.js';
import { Stopwatch } from './stopwatch.js';
import { wordAbstention, wordAnswer } from './word.js';

export interface AskParts {
  registry: Pick<ModelRegistry, 'defaultVariant' | 'embedder'>;
  retriever: Retriever;
  worker: Pick<WorkerClient, 'embed' | 'generate' | 'countTokens' | 'status'>;
  answers: AnswerStore;
  features: Pick<FeatureService, 'read'>;
  expected: ExpectedTimes;
  clock: Clock;
}

/** A checked question and who asks it under which id. */
export interface Asked {
  workspaceId: WorkspaceId;
  /** null: nobody will ask for this answer a second time. */
  requestId: string | null;
  question: Question;
}

/**
 * Answers a question. What was recorded under the request id is joined instead of computed twice; what fails is recorded
 * too. Leaving the loop, or aborting `signal`, stops the model within one batch.
 * @throws NOT_FOUND, QUESTION_TOO_LONG, IDEMPOTENCY_CONFLICT, CANCELLED, DATABASE_UNAVAILABLE, and what the worker throws
 */
export async function* ask(parts: AskParts, asked: Asked, signal: AbortSignal): AsyncGenerator<AskEvent, void> {
  const { workspaceId, requestId, question } = asked;
  const { text, conversationId } = question;
  const inputDigest = questionDigest(question);
  const record = { workspaceId, inputDigest, question: text, conversationId };
  const standing =
    requestId === null
      ? { claim: recordOnce(parts.answers, record, parts.clock.now()) }
      : await claimAnswer(parts.answers, { ...record, requestId }, signal);
  if ('recorded' in standing) yield* replay(standing.recorded);
  else yield* recorded(standing.claim, answer(parts, asked, standing.claim, signal));
}

/** The stages of an answer, in their order. */
async function* answer(
  parts: AskParts,
  { workspaceId, question }: Asked,
  record: AnswerRecord,
  signal: AbortSignal,
): AsyncGenerator<AskEvent, void> {
  const watch = new Stopwatch(parts.clock);
  const { text: asked, generation } = question;

  const variant = await watch.time('model', () => parts.registry.defaultVariant(workspaceId));
  const expectedMs = parts.expected.medians();
  const vector = mayRead(question, expectedMs) ? vectorOf(parts.retriever, workspaceId, asked, signal) : undefined;
  const scope = await watch.time('scope', () => scopeOf(parts, workspaceId, question));
  const chunks = sum(scope?.collections.map((collection) => collection.chunks) ?? []);
  const route = decideRoute({
    choice: question.strategy,
    named: question.collections !== null,
    readable: scope && { collections: scope.collections.length, chunks },
    expectedMs,
  });
  yield { type: 'route', route };

  const { entity, features } = question;
  const facts =
    entity === null
      ? NO_FACTS
      : await watch.time('features', () => readFacts(parts.features, workspaceId, entity, features));
  const source = route.strategy === 'RAG' ? scope : null;
  const reading = { ...parts, embedder: () => parts.registry.embedder() };
  const frame = source ? ragFrame(asked, variant, facts.text) : baseFrame(asked, variant, facts.text);
  const count = tokenCounter(parts, workspaceId, variant, signal);
  const [left, found] = await watch.time('retrieve', () =>
    Promise.all([
      measureRoom(asked, frame, { context: contextOf(parts, variant), answer: generation.maxTokens }, count),
      source && retrievePassages(reading, source, { text: asked, vector }, signal),
    ]),
  );
  const passages: Passage[] = found?.retrieval.passages ?? [];
  if (found) yield { type: 'passages', passages, degraded: found.retrieval.degraded };

  const { evidence, embedMs } = await watch.time('evidence', () =>
    found ? findEvidence(reading, workspaceId, found, signal) : { evidence: [] as Evidence[], embedMs: 0 },
  );
  const refusal = source && abstention(chunks, evidence);
  const composed = await watch.time('compose', () =>
    refusal
      ? { prompt: [], read: [], stop: [], passages: unusedPassages(passages) }
      : source
        ? composeRag(frame, { passages, evidence }, variant, left, count)
        : composeBase(frame, variant),
  );

  const generated = parts.clock.monotonic();
  const worded = refusal
    ? yield* wordAbstention(refusal)
    : yield* wordAnswer(
        generate(parts.worker, { workspaceId, variant, composed, generation, signal }),
        { best: evidence[0], read: composed.read },
        asked,
      );
  watch.stages.push({ name: 'generate', ms: parts.clock.monotonic() - generated });

  const { text, wording, done } = worded;
  const citations = await watch.time('cite', () => (worded.abstention ? [] : cite(text, evidence, asked)));
  const { promptTokens = 0, reusedTokens = 0, generatedTokens = 0, prefillMs = 0, decodeMs = 0 } = done ?? {};
  const finished = await record.complete({
    text,
    wording,
    abstention: worded.abstention,
    evidence,
    citations,
    route: withReason(route, found ? degradationReason(found.retrieval) : null),
    variant: {
      id: variant.variantId,
      sha256: variant.sha256,
      model: variant.model,
      quantization: variant.quantization,
    },
    passages: composed.passages,
    features: facts.used,
    usage: { promptTokens, reusedTokens, generatedTokens },
    stages: watch.stages,
    cost: {
      computeMs: (found?.retrieval.timings.embedMs ?? 0) + embedMs + prefillMs + decodeMs,
      computedTokens: promptTokens - reusedTokens + generatedTokens,
    },
    configuration: configurationOf(route.strategy, variant, parts.registry.embedder(), question),
  });
  parts.expected.add(route.strategy, watch.totalMs);
  yield { type: 'answer', answer: finished };
}

/** Where the answer may come from; null when the caller wants the model alone, so that nothing need be looked up. */
const scopeOf = (
  { retriever }: AskParts,
  workspaceId: WorkspaceId,
  { strategy, collections }: Question,
): Promise<SearchScope> | null =>
  strategy === 'BASE' && collections === null ? null : retriever.scope(workspaceId, collections);

/** Whether passages are likely to be read: always where the caller says so, else where answers came from some lately. */
const mayRead = ({ strategy, collections }: Question, expectedMs: RouteFeatures['expectedMs']): boolean =>
  strategy === 'RAG' || (strategy === 'AUTO' && (collections !== null || expectedMs.RAG !== undefined));

/** The question's vector, asked for while its scope is looked up. */
function vectorOf(
  retriever: Retriever,
  workspaceId: WorkspaceId,
  text: string,
  signal: AbortSignal,
): Promise<QueryVector> {
  const vector = retriever.embed(workspaceId, text, { signal });
  // Whoever awaits it hears of a failure; a question that ends before is none of its business.
  vector.catch(() => undefined);
  return vector;
}

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

/** Tokens that a prompt and its answer may have together: the model's own limit or the worker's. */
function contextOf({ worker }: AskParts, { contextLength }: ServedVariant): number {
  return Math.min(contextLength, worker.status.hello?.limits.contextTokens ?? contextLength);
}

const tokenCounter =
  (
    { worker }: AskParts,
    workspaceId: WorkspaceId,
    { path, sha256, contextLength }: ServedVariant,
    signal: AbortSignal,
  ) =>
  (texts: Parameters<WorkerClient['countTokens']>[0]['texts']): Promise<number[]> =>
    worker.countTokens({ workspaceId, model: { path, sha256, contextLength }, texts }, { signal });
