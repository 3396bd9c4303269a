/*
 * A question is held against every destination: documents by what is retrieved from them, adapters by their membership. Who is asked follows from that
 * alone (`choose.ts`). An adapter whose version left production since the fit is passed over, with a reason. Where an error rate is wanted, so is
 * every destination of which it isn't shown that routes to it keep the rate: its bound knows nothing of questions that it lets documents have.
 */

import { isGraftError } from '../../../../kernel/errors.js';
import type { WorkspaceId } from '../../../../kernel/ids.js';
import type { QueryVector, SearchScope } from '../../../../sources/knowledge/index.js';
import { percent } from '../../../../kernel/text.js';
import type { NearestPassage, NeighbourUsed, RouteReason } from '../../answer.js';
import type { AskParts } from '../../parts.js';
import { chunksOf, retrievePassages, weighedFor, type RetrievalResult } from '../../read/retrieve.js';
import { strategyThat } from '../../strategies.js';
import type { ExpectedTimes } from '../expected-times.js';
import { membershipOf } from '../membership/membership.js';
import { routeBound } from '../risk.js';
import { orderOf, ownerOf, placeKey, takes, weigh, yieldsTo, type Place, type ScoredPlace } from './choose.js';
import { bestSentence, heldByDocuments, nearestCollection } from './documents.js';
import { modeInForce, type RouterMode, type RouterParameters } from './router.js';
import type { Current } from './router-store.js';

/** A destination with what is to be said of it. */
export interface Destination extends ScoredPlace {
  /** Name of the adapter, or of the collection that is nearest. */
  label: string;
  /** The training row that is most like the question; null where none was looked for. */
  nearest: NeighbourUsed | null;
  /** The best passage of documents; null for others. */
  passage: NearestPassage | null;
}

/** What a router made of a question. */
export interface RouterVerdict {
  version: number;
  /** What it does: a version that isn't shown to be good enough observes, whatever it was asked to. */
  mode: RouterMode;
  places: readonly Destination[];
  /** Who is asked, first to last; empty where nobody is to be. */
  order: readonly Destination[];
  /** Whose the question is held to be; the base model where it is nobody's. */
  owner: Destination;
  reasons: RouteReason[];
  /** Why nobody may be asked who would have been: nothing shows that the wanted error rate is kept. */
  unproven: string | null;
  /** The passages that were looked at: whoever reads needs not look for them again. */
  found: RetrievalResult | null;
}

/** A question as it is held against the places. */
interface RouterQuery {
  workspaceId: WorkspaceId;
  text: string;
  /** The question alone, where `text` has those that it follows before it. */
  latest: string | undefined;
  scope: SearchScope;
  /** Whether the caller names the collections that may be read. */
  named: boolean;
  vector: Promise<QueryVector>;
  expectedMs: ReturnType<ExpectedTimes['medians']>;
  /** The error rate that answers shall keep on held-out questions; null: any. */
  maxErrorRate: number | null;
}

/** What a place of each sort is answered by. */
const ALONE = strategyThat({ reads: false, adapts: false });
const READING = strategyThat({ reads: true, adapts: false });
const ADAPTING = strategyThat({ reads: false, adapts: true });
const BOTH = strategyThat({ reads: true, adapts: true });

type Unweighed = Place & Pick<Destination, 'label' | 'nearest' | 'passage'>;

/**
 * Holds a question against every place that a router knows, and says who is to be asked.
 * @throws what retrieval and the worker throw
 */
export async function lookAround(
  parts: Pick<AskParts, 'retriever' | 'adapters' | 'labelIndexes' | 'worker' | 'registry' | 'clock'>,
  { record, samples }: Current,
  { workspaceId, text, latest, scope, named, vector, expectedMs, maxErrorRate }: RouterQuery,
  signal: AbortSignal,
): Promise<RouterVerdict> {
  const [result, { vector: question }] = await Promise.all([
    chunksOf(scope) > 0 ? retrievePassages(parts, scope, { text, vector }, signal) : null,
    vector,
  ]);
  const { learned } = record;
  const places: Unweighed[] = [
    { ...UNKNOWN, strategy: ALONE, label: 'Nothing', expectedMs: expectedMs[ALONE] ?? null },
    ...documentsPlace(learned.collections, result, expectedMs[READING] ?? null),
    ...adapterPlaces(learned, samples, question, expectedMs[ADAPTING] ?? null),
  ];
  const { there, gone } = await withoutGone(parts, workspaceId, places);
  // Where no adapter takes the question for its own, documents are first whatever they hold.
  const best =
    result && there.some(takes) ? await bestSentence(parts, workspaceId, weighedFor(latest, result), signal) : null;
  const yields = ({ adapter }: Unweighed): boolean => {
    const ownScores = learned.adapters.find(({ name, version }) => `${name}@${version}` === adapter)?.evidence;
    return ownScores !== undefined && yieldsTo(ownScores, best, named);
  };
  const weighed = weigh(
    there.map((place) => ({ ...place, yields: takes(place) && yields(place) })),
    learned,
  );
  const owner = ownerOf(weighed);
  const { order, unproven, bounds } = withinRate(orderOf(weighed), learned, maxErrorRate);
  return {
    version: record.version,
    mode: modeInForce(record),
    places: weighed,
    order,
    owner,
    unproven: order.length === 0 ? unproven : null,
    reasons: [...gone, ...bounds, ...reasonsOf(weighed, owner)],
    found: result,
  };
}

const UNKNOWN = { adapter: null, logOdds: null, pValue: null, own: null, nearest: null, passage: null, yields: false };

/** What is to be read, if there is anything. */
function documentsPlace(
  collections: RouterParameters['collections'],
  result: RetrievalResult | null,
  expectedMs: number | null,
): Unweighed[] {
  if (result === null) return [];
  const [best] = result.retrieval.passages;
  const nearest = nearestCollection(result.retrieval.passages);
  const passage = best ? { chunkId: best.chunkId, similarity: best.scores.dense } : null;
  const ownership = heldByDocuments(collections, nearest);
  return [{ ...UNKNOWN, ...ownership, strategy: READING, label: nearest?.name ?? 'Documents', expectedMs, passage }];
}

const adapterPlaces = (
  { adapters, significance }: Pick<RouterParameters, 'adapters' | 'significance'>,
  samples: Current['samples'],
  question: Float32Array,
  expectedMs: number | null,
): Unweighed[] =>
  adapters.flatMap(({ versionId, name, version, datasetVersionId, membership }) => {
    const sample = samples.get(versionId);
    // Rows of it were erased since.
    if (!sample) return [];
    const { regression, rows, ordinals, labels } = sample;
    const { logOdds, pValue, nearest } = membershipOf({ ...membership, regression, rows }, question);
    const { row, similarity } = nearest;
    return [
      {
        strategy: ADAPTING,
        adapter: `${name}@${version}`,
        label: name,
        logOdds,
        pValue,
        own: pValue >= significance,
        expectedMs,
        passage: null,
        yields: false,
        nearest: { datasetVersionId, ordinal: ordinals[row]!, label: labels[row]!, similarity },
      },
    ];
  });

/** The places without adapters that left production; one whose rows are indexed answers by both. */
async function withoutGone(
  parts: Pick<AskParts, 'adapters' | 'labelIndexes'>,
  workspaceId: WorkspaceId,
  places: readonly Unweighed[],
): Promise<{ there: Unweighed[]; gone: RouteReason[] }> {
  const presentPlaces: Unweighed[] = [];
  const goneReasons: RouteReason[] = [];
  for (const place of places) {
    // Whom the question is foreign to isn't asked, gone or not.
    const status = takes(place) ? await inProduction(parts, workspaceId, place.adapter!) : 'ALONE';
    if (status === 'GONE')
      goneReasons.push({
        feature: 'router.adapter.gone',
        value: 1,
        contribution: 0,
        sentence: `${place.adapter} is not in production any more: the router is fitted again.`,
      });
    else presentPlaces.push(status === 'INDEXED' ? { ...place, strategy: BOTH } : place);
  }
  return { there: presentPlaces, gone: goneReasons };
}

/** How a version of an adapter can answer now. */
async function inProduction(
  { adapters, labelIndexes }: Pick<AskParts, 'adapters' | 'labelIndexes'>,
  workspaceId: WorkspaceId,
  reference: string,
): Promise<'ALONE' | 'INDEXED' | 'GONE'> {
  const [name = ''] = reference.split('@');
  try {
    const adapter = await adapters.resolve(workspaceId, name);
    if (`${adapter.adapter}@${adapter.version}` !== reference) return 'GONE';
    const { datasetVersionId } = adapter;
    const byToken = adapter.usage.answer.form === 'label-token' && datasetVersionId !== null;
    return byToken && (await labelIndexes.find(workspaceId, { datasetVersionId })) ? 'INDEXED' : 'ALONE';
  } catch (error) {
    if (isGraftError(error, 'NOT_FOUND')) return 'GONE';
    throw error;
  }
}

/** Those of whom it is shown that routes to them keep their part of a wanted error rate. */
function withinRate(
  order: readonly Destination[],
  { risks }: Pick<RouterParameters, 'risks'>,
  maxErrorRate: number | null,
): { order: readonly Destination[]; unproven: string | null; bounds: RouteReason[] } {
  if (maxErrorRate === null) return { order, unproven: null, bounds: [] };
  const bounded = order.map((place) => ({ place, bound: routeBound(risks[placeKey(place)] ?? null, maxErrorRate) }));
  const eligiblePlaces = bounded.filter(
    ({ place: { probability, yields }, bound }) =>
      bound.least !== null && probability !== null && probability >= bound.least && !yields,
  );
  const [first] = eligiblePlaces.length > 0 ? eligiblePlaces : bounded;
  const explanation =
    first && first.bound.least !== null
      ? `Routes keep an error rate of ${percent(maxErrorRate / 2, 1)} from a probability of ${first.bound.least.toFixed(2)} on: ${first.place.label} doesn’t reach it.`
      : first?.bound.reason.sentence;
  return {
    order: eligiblePlaces.map(({ place }) => place),
    unproven: explanation ?? null,
    bounds: first ? [first.bound.reason] : [],
  };
}

function reasonsOf(places: readonly Destination[], owner: Destination): RouteReason[] {
  return places
    .filter(({ probability, pValue }) => probability !== null && (pValue !== null || owner.pValue === null))
    .map((place) => {
      const { probability, adapter, strategy, yields } = place;
      return {
        feature: adapter === null ? (strategy === READING ? 'router.documents' : 'router.nothing') : 'router.adapter',
        value: probability ?? 0,
        contribution: place === owner ? 1 : 0,
        sentence: `${sentenceOf(place)}${yields ? YIELDS : ''}`,
      };
    });
}

const YIELDS = ' Documents are asked first: few of its own messages find as good a sentence in them.';

function sentenceOf({ label, probability, pValue, own }: Destination): string {
  const probable = `${label}: probability ${(probability ?? 0).toFixed(2)}`;
  if (pValue === null) return `${probable}.`;
  const share = `${(100 * pValue).toFixed(pValue < 0.01 ? 1 : 0)} % of its own questions look as foreign to it or more`;
  const foreign = own ? '' : ': to it the question is foreign';
  return `${probable}, p-value ${pValue.toFixed(3)} (${share}${foreign}).`;
}
