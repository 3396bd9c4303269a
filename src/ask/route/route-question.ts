import { embedderDigest, type QueryVector } from '../../knowledge/index.js';
import type { RouteDecision } from '../answer.js';
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
import { decideRoute, routed, type RouteFeatures } from './route.js';
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
}

/**
 * Decides what answers. In this order, because each step may leave the next nothing to decide: a draw by what the question names, the
 * caller's own choice, the router, and a draw into what is tried on the adapter that the router chose.
 * @throws NOT_FOUND for a collection or dataset that doesn't exist, BAD_USER_INPUT for an arm that is nowhere to be had
 */
export async function routeQuestion(work: Work, asked: Question, drawing: Drawing | null): Promise<RoutedQuestion> {
  const { workspaceId, watch } = work;
  const before = drawBefore(workspaceId, asked, drawing);
  const opened = asDrawn(asked, changeOf(before));
  const expectedMs = work.expected.medians();
  const vector = once(() => vectorOf(work, asked.text));
  if (mayRead(opened, expectedMs)) void vector();
  const open = await watch.time('scope', () => sourcesOf(work, opened, changeOf(before)));

  const requestKey = chanceOf(drawing);
  const verdict = await askRouter(work, { question: opened, sources: open, expectedMs, vector, requestKey });
  const observed = chooseRoute(opened, open, expectedMs);
  const place = placeOf(verdict);
  const drawn = drawAfter(workspaceId, before, place?.adapter ?? null, drawing);
  // What was drawn before is in the question already.
  const late = changeOf(drawn === before ? null : drawn);
  const question = { ...asDrawn(opened, late), strategy: opened.strategy };
  return {
    question: place ? { ...question, adapter: changeOf(drawn).adapter ?? place.adapter } : question,
    route: drawnRoute(verdict ? routed(observed, verdict) : observed, drawn),
    sources: { ...open, scope: fusedAs(open.scope, late) },
    passages: verdict && late.denseWeight === null ? verdict.found : null,
    drawn,
    vector,
  };
}

/** What chance may be drawn from; null where nothing is tried on the question, or a tester says which arm. */
const chanceOf = (drawing: Drawing | null): string | null => (drawing?.forceArm === null ? drawing.requestKey : null);

/** Where the router sends the question; null where it only observes, or none was asked. */
const placeOf = (verdict: RouterVerdict | null): RouterVerdict['choice']['chosen'] | null =>
  verdict?.mode === 'APPLY' ? verdict.choice.chosen : null;

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
  requestKey: string | null;
}

/** What a fitted router makes of a question whose caller leaves the choice; null where there is none to ask. */
async function askRouter(
  work: Work,
  { question, sources: { scope }, expectedMs, vector, requestKey }: RouterStep,
): Promise<RouterVerdict | null> {
  const { strategy, collections, text, maxErrorRate } = question;
  if (strategy !== 'AUTO' || collections !== null || scope === null) return null;
  const { workspaceId, routers, registry, watch, signal } = work;
  const current = await routers.current(workspaceId, embedderDigest(registry.embedder()));
  if (!current) return null;
  return watch.time('route', () =>
    lookAround(
      work,
      current,
      { workspaceId, text, scope, vector: vector(), expectedMs, maxErrorRate, requestKey },
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
  let made: T | undefined;
  return () => (made ??= make());
}

/** The question's vector, asked for while its scope is looked up. */
function vectorOf({ retriever, workspaceId, signal }: Work, text: string): Promise<QueryVector> {
  const vector = retriever.embed(workspaceId, text, { signal });
  // Whoever awaits it hears of a failure; a question that ends before is none of its business.
  vector.catch(() => undefined);
  return vector;
}
