import { embedderDigest, type QueryVector } from '../../../sources/knowledge/index.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { Abstention, RouteDecision, RoutePreview } from '../answer.js';
import { outOfScope, unproven } from '../abstention.js';
import type { Work } from '../parts.js';
import type { Sources } from '../plan.js';
import type { Question } from '../question.js';
import { chunksOf, type RetrievalResult } from '../read/retrieve.js';
import { mayDo, strategyThat } from '../strategies.js';
import {
  asDrawn,
  changeOf,
  drawAfter,
  drawBefore,
  drawnRoute,
  fusedAs,
  type Arm,
  type Drawing,
  type Drawn,
} from './assignment.js';
import { decideRoute, nobodyRoute, previewOf, routed, type RouteFeatures } from './route.js';
import { isNobody } from './router/choose.js';
import { lookAround, type RouterVerdict } from './router/look-around.js';

/** A question whose strategy is decided: what draw and router made of it, and where its answer may come from. */
export interface RoutedQuestion {
  /** With what the draw changes and the adapter that the router chose; its strategy is still what the caller said. */
  question: Question;
  route: RouteDecision;
  sources: Sources;
  /** What it was drawn into; null where nothing is tried on it. */
  drawn: Drawn | null;
  /** The question's vector, computed when it is first asked for. */
  vector: () => Promise<QueryVector>;
  /** The passages that the router looked at; null where it didn't, or where others are wanted. */
  passages: RetrievalResult | null;
  /** Why nobody is asked; null where somebody is. */
  refused: Abstention | null;
  /** Whether a wanted error rate was halved: one half is the route's. */
  routed: boolean;
  /** Who is asked after this one refused; null where nobody is. */
  next: (refusal: Abstention) => RoutedQuestion | null;
  /** What is said in the end where all refused. */
  lastWord: (refusal: Abstention) => Abstention;
}

/**
 * Decides what answers. In this order, because each step may leave the next nothing to decide: a draw by what the question names, the
 * caller's own choice, the router, and a draw into what is tried on the adapter that the router chose.
 * @throws NOT_FOUND for a collection or dataset that doesn't exist, BAD_USER_INPUT for an arm that is nowhere to be had
 */
export async function routeQuestion(work: Work, question: Question, drawing: Drawing | null): Promise<RoutedQuestion> {
  const { workspaceId } = work;
  const initialDraw = drawBefore(workspaceId, question, drawing);
  const opened = asDrawn(question, changeOf(initialDraw));
  const lookup = await lookedUp(work, opened, changeOf(initialDraw));
  const baseAnswers = opened.strategy === 'AUTO' && (await work.baseAnswers.allowed(workspaceId));
  return attempt({ workspaceId, opened, ...lookup, before: initialDraw, drawing, baseAnswers }, []);
}

/** Where a question would go if it were asked now and nothing tried on it. @throws NOT_FOUND for a collection that doesn't exist */
export async function previewRoute(work: Work, question: Question): Promise<RoutePreview> {
  const { observed, verdict } = await lookedUp(work, question, changeOf(null));
  return previewOf(observed, verdict);
}

/** What is known of a question before anybody is asked. */
interface LookedUp {
  open: Sources;
  /** What is decided without a router. */
  observed: RouteDecision;
  verdict: RouterVerdict | null;
  vector: () => Promise<QueryVector>;
}

async function lookedUp(work: Work, question: Question, change: Arm): Promise<LookedUp> {
  const expectedMs = work.expected.medians();
  const vector = once(() => vectorOf(work, question.text));
  if (mayRead(question, expectedMs)) void vector();
  const open = await work.watch.time('scope', () => sourcesOf(work, question, change));
  const verdict = await askRouter(work, { question, sources: open, expectedMs, vector });
  return { open, observed: chooseRoute(question, open, expectedMs), verdict, vector };
}

/** All that the attempts of one question have in common. */
interface Attempts extends LookedUp {
  workspaceId: WorkspaceId;
  opened: Question;
  before: Drawn | null;
  drawing: Drawing | null;
  /** Whether the base model answers what is nobody's. */
  baseAnswers: boolean;
}

/** Asks the next destination. @param refusals of those before, in their order */
function attempt(attempts: Attempts, refusals: readonly Abstention[]): RoutedQuestion {
  const { workspaceId, open, verdict, before, drawing, vector } = attempts;
  const inForce = verdict?.mode === 'APPLY' ? verdict : null;
  const adapter = inForce?.order[refusals.length]?.adapter ?? null;
  const draw = drawAfter(workspaceId, before, adapter, drawing);
  // What was drawn before is in the question already.
  const late = changeOf(draw === before ? null : draw);
  const isLast = refusals.length >= (inForce ? inForce.order.length : 1);
  const abstention = isLast && inForce ? refusedBy(attempts, inForce) : null;
  return {
    question: questionFor(attempts, { adapter, drawn: draw, late }),
    route: drawnRoute(routeOf(attempts, { refusals, refused: abstention, isLast }), draw),
    sources: { ...open, scope: fusedAs(open.scope, late) },
    passages: verdict && late.denseWeight === null ? verdict.found : null,
    drawn: draw,
    vector,
    routed: inForce !== null,
    refused: abstention,
    next: (refusal) => nextOf(attempts, [...refusals, refusal], isLast),
    lastWord: (refusal) =>
      inForce && isNobody(inForce.owner) && refusal.reason !== 'UNPROVEN' ? outOfScope() : refusal,
  };
}

/** The question as it is put to an adapter that the router chose, or to what reads; an adapter reads its own rows, whichever collections may be read. */
function questionFor(
  { opened }: Attempts,
  { adapter, drawn, late }: { adapter: string | null; drawn: Drawn | null; late: Arm },
): Question {
  const question = { ...asDrawn(opened, late), strategy: opened.strategy };
  return adapter === null ? question : { ...question, adapter: changeOf(drawn).adapter ?? adapter, collections: null };
}

function routeOf(
  { observed, verdict }: Attempts,
  { refusals, refused, isLast }: { refusals: readonly Abstention[]; refused: Abstention | null; isLast: boolean },
): RouteDecision {
  if (isLast) return nobodyRoute(observed, verdict, refusals, refused);
  return verdict ? routed(observed, verdict, refusals) : observed;
}

/** Who is asked after these refused: another destination, or the base model where the workspace lets it. */
function nextOf(attempts: Attempts, refusals: readonly Abstention[], wasLast: boolean): RoutedQuestion | null {
  const { verdict, opened, baseAnswers } = attempts;
  if (wasLast || opened.strategy !== 'AUTO') return null;
  const remainingCount = verdict?.mode === 'APPLY' ? verdict.order.length - refusals.length : 0;
  return remainingCount > 0 || (baseAnswers && opened.dataset === null) ? attempt(attempts, refusals) : null;
}

/** Why nobody is asked of a question that nobody is left for; null where the base model is. */
function refusedBy({ baseAnswers }: Attempts, { unproven: sentence }: RouterVerdict): Abstention | null {
  if (sentence !== null) return unproven(sentence);
  return baseAnswers ? null : outOfScope();
}

/** Where the answer may come from; nothing is looked up where nothing is to be read. */
async function sourcesOf(
  { retriever, labelIndexes, workspaceId, groups }: Work,
  { strategy, collections, dataset }: Question,
  change: Arm,
): Promise<Sources> {
  if (dataset !== null)
    return { scope: null, labelled: await labelIndexes.require(workspaceId, dataset, 'input.dataset') };
  // What is left to Graft may read.
  if (!mayDo(strategy, 'reads') && collections === null) return { scope: null, labelled: null };
  return { scope: fusedAs(await retriever.scope(workspaceId, collections, groups), change), labelled: null };
}

interface RouterStep {
  question: Question;
  sources: Sources;
  expectedMs: RouteFeatures['expectedMs'];
  vector: () => Promise<QueryVector>;
}

/** What a fitted router makes of a question whose caller leaves the choice; null where there is none to ask. */
async function askRouter(
  work: Work,
  { question, sources: { scope }, expectedMs, vector }: RouterStep,
): Promise<RouterVerdict | null> {
  const { strategy, text, latest, collections, maxErrorRate } = question;
  if (strategy !== 'AUTO' || scope === null) return null;
  const { workspaceId, routers, registry, watch, signal } = work;
  const current = await routers.current(workspaceId, embedderDigest(registry.embedder()));
  if (!current) return null;
  return watch.time('route', () =>
    lookAround(
      work,
      current,
      { workspaceId, text, latest, scope, named: collections !== null, vector: vector(), expectedMs, maxErrorRate },
      signal,
    ),
  );
}

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

/** Whether passages are likely to be read: always where the caller says so, else where answers came from some lately. */
const mayRead = ({ strategy, collections, dataset }: Question, expectedMs: RouteFeatures['expectedMs']): boolean =>
  strategy === 'AUTO'
    ? collections !== null || dataset !== null || expectedMs[strategyThat({ reads: true, adapts: false })] !== undefined
    : mayDo(strategy, 'reads');

/** Does it the first time it is asked for. */
function once<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => (value ??= make());
}

/** The question's vector, asked for while its scope is looked up. */
function vectorOf({ retriever, workspaceId, signal }: Work, text: string): Promise<QueryVector> {
  const vector = retriever.embed(workspaceId, text, { signal });
  // Whoever awaits it hears of a failure; a question that ends before is none of its business.
  vector.catch(() => undefined);
  return vector;
}
