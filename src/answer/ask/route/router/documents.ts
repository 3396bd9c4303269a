import type { WorkspaceId } from '../../../../kernel/ids.js';
import type { Passage } from '../../../../sources/knowledge/index.js';
import { answerProbability } from '../../read/probability.js';
import { EMBEDDED_SENTENCES } from '../../read/evidence.js';
import { findEvidence, type RetrievalResult } from '../../read/retrieve.js';
import type { AskParts } from '../../parts.js';
import { pValueOf } from '../membership/membership.js';
import { logOdds, type PlaceSignal } from './calibration.js';
import { SIGNIFICANCE, type BestSentence, type Place } from './choose.js';
import type { RouterParameters } from './router.js';

/** How many of the nearest passages make the mean. */
const NEAREST = 3;

/**
 * How near a question lies to the passages that were retrieved for it; null where no vectors could be compared. `top` is the cosine
 * similarity of the nearest passage, `mean` that of the nearest three, `coverage` the share of the question's words in the best passage,
 * weighted by rarity.
 */
function signalOfPassages(passages: readonly Passage[]): PlaceSignal | null {
  const similarities = passages.flatMap(({ scores }) => (scores.dense === null ? [] : [scores.dense]));
  if (similarities.length === 0) return null;
  const best = similarities.sort((a, b) => b - a).slice(0, NEAREST);
  return {
    top: best[0]!,
    mean: best.reduce((sum, similarity) => sum + similarity, 0) / best.length,
    coverage: Math.max(...passages.map(({ coverage }) => coverage)),
  };
}

/** The collection that the best of all passages comes from: it stands for all documents where destinations are weighed. Null without passages. */
export function nearestCollection(
  passages: readonly Passage[],
): { id: string; name: string; signal: PlaceSignal | null } | null {
  const [best] = passages;
  if (!best) return null;
  const collectionPassages = passages.filter(({ collectionId }) => collectionId === best.collectionId);
  return { id: best.collectionId, name: best.collectionName, signal: signalOfPassages(collectionPassages) };
}

/** Whether a question is documents' own, by the collection that it comes nearest to; unknown where that one was never calibrated. */
export function heldByDocuments(
  collections: readonly Pick<RouterParameters['collections'][number], 'id' | 'calibration' | 'heldOut'>[],
  nearest: { id: string; signal: PlaceSignal | null } | null,
): Pick<Place, 'logOdds' | 'pValue' | 'own'> {
  const collection = collections.find(({ id }) => id === nearest?.id);
  if (!collection || !nearest?.signal) return { logOdds: null, pValue: null, own: null };
  const score = logOdds(collection.calibration, nearest.signal);
  const pValue = pValueOf(collection.heldOut, score);
  return { logOdds: score, pValue, own: pValue >= SIGNIFICANCE };
}

/** Sentences that are compared with the question before anybody is asked. */
const COMPARED = { embedded: EMBEDDED_SENTENCES, kept: 1 };

/** Null where nothing was found. @throws what the worker throws */
export async function bestSentence(
  {
    worker,
    clock,
    registry,
  }: Pick<AskParts, 'clock'> & {
    worker: Pick<AskParts['worker'], 'embed'>;
    registry: Pick<AskParts['registry'], 'embedder'>;
  },
  workspaceId: WorkspaceId,
  result: RetrievalResult,
  signal: AbortSignal,
): Promise<BestSentence | null> {
  const parts = { worker, clock, embedder: () => registry.embedder() };
  const [best] = (await findEvidence(parts, workspaceId, result, signal, COMPARED)).evidence;
  return best ? { score: best.score, probability: answerProbability(best) } : null;
}
