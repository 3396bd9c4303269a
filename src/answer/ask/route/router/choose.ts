/*
 * Who is asked, and in which order:
 *   an adapter whose p-value says that the question is one of its own
 *   documents, wherever any can be read, because reading can refuse: behind it, unless few of its own messages find as good a sentence in them
 *   of adapters the more probable first
 * Whoever refuses is followed by the next. Where nobody is left the question belongs to nothing.
 */

import { softmax } from '../../../../kernel/softmax.js';
import { LEAST_PROBABILITY } from '../../abstention.js';
import { STRATEGIES, type Strategy } from '../../strategies.js';

/** Somebody who may be asked, and how much speaks for it. */
export interface Place {
  strategy: Strategy;
  /** `name@3`; null without one. */
  adapter: string | null;
  /** Log-odds that the question belongs there; null where nobody calibrated it. */
  logOdds: number | null;
  /** Conformal p-value of the question among its own; null where nobody calibrated it. */
  pValue: number | null;
  /** Whether the p-value is high enough for one of its own; null where nobody calibrated it. */
  own: boolean | null;
  /** Median time of an answer, in ms; null where it is not known. */
  expectedMs: number | null;
  /** Whether documents are asked before it. */
  yields: boolean;
}

export interface ScoredPlace extends Place {
  /** 0 to 1, over all places; null where nobody calibrated it. */
  probability: number | null;
}

/** Below this p-value a question counts as foreign: the share of its own messages that a place loses. An adapter among others may need more. */
export const SIGNIFICANCE = 0.05;

/** Whether it is an adapter that takes the question for its own. */
export const takes = ({ adapter, own }: Pick<Place, 'adapter' | 'own'>): boolean => adapter !== null && own === true;

/** The sentence of what may be read that comes nearest to an answer. */
export interface BestSentence {
  /** Its score among the sentences. */
  score: number;
  /** That it answers, 0 to 1, before a reader judged it. */
  probability: number;
}

/** Share of an adapter's own messages that documents may be asked of before it: whoever reads can refuse, whoever sorts can't. */
const YIELDED = 0.3;
/** Fewer messages tell nothing of what documents hold for others, as where documents came after the fit: then their sentence must be a surer one. */
const LEAST_MESSAGES = 10;
const SURE_ALONE = 0.5;
/** Least probability of the sentence that documents go first for; less where the caller names what may be read. Both were chosen on `bench -- near-domain`. */
const SURE = { named: LEAST_PROBABILITY, unnamed: 0.4 } as const;

/**
 * Whether an adapter lets documents go first: few of its own messages find as good a sentence there (conformal p-value). What tells a question from a message on
 * the same subject is that documents answer it; of how much they hold for messages that need none, its own are the only sample.
 * @param ownScores scores of the best sentences for messages of the adapter
 * @param best null where nothing can be read
 * @param isNamed whether the caller names the collections that may be read
 */
export function yieldsTo(ownScores: readonly number[], best: BestSentence | null, isNamed = false): boolean {
  if (best === null) return false;
  if (ownScores.length < LEAST_MESSAGES) return best.probability >= SURE_ALONE;
  if (best.probability < (isNamed ? SURE.named : SURE.unnamed)) return false;
  return (1 + ownScores.filter((score) => score >= best.score).length) / (ownScores.length + 1) <= YIELDED;
}

/** The base model stands for nobody: what it is probable by is that the question belongs to nothing. */
export const isNobody = ({ strategy }: Pick<Place, 'strategy'>): boolean =>
  !STRATEGIES[strategy].reads && !STRATEGIES[strategy].adapts;

const isDocuments = ({ strategy, adapter }: Pick<Place, 'strategy' | 'adapter'>): boolean =>
  STRATEGIES[strategy].reads && adapter === null;

/** What a destination is called where figures of it are kept: `base`, `documents`, or the adapter. */
export const placeKey = (place: Pick<Place, 'strategy' | 'adapter'>): string =>
  place.adapter ?? (isDocuments(place) ? 'documents' : 'base');

/** Fitted over all places: see `RouterParameters`. */
export interface Weights {
  temperature: number;
  baseScore: number;
  adapterScore: number;
}

export function weigh<P extends Place>(
  places: readonly P[],
  { baseScore, adapterScore, temperature }: Weights,
): (P & ScoredPlace)[] {
  const scoredPlaces = places.filter((place) => isNobody(place) || place.logOdds !== null);
  const scoreOf = (place: P): number =>
    isNobody(place) ? baseScore : place.logOdds! / temperature + (place.adapter === null ? 0 : adapterScore);
  const shares = softmax(scoredPlaces.map(scoreOf));
  const probabilities = new Map(scoredPlaces.map((place, i) => [place, shares[i]!]));
  return places.map((place) => ({ ...place, probability: probabilities.get(place) ?? null }));
}

/** Who is asked, first to last; empty where nobody is to be. */
export function orderOf<P extends ScoredPlace>(places: readonly P[]): P[] {
  const documents = places.find(isDocuments);
  const adapters = places.filter(takes).sort((a, b) => b.probability! - a.probability!);
  if (!documents) return adapters;
  // Behind every adapter that doesn't let them: its own messages are none of what another's say of documents.
  const index = adapters.findLastIndex(({ yields }) => !yields) + 1;
  return [...adapters.slice(0, index), documents, ...adapters.slice(index)];
}

/**
 * Whose the question is held to be: the first that is asked, unless it looks foreign there, too. Documents are asked of what is more
 * probably nobody's as well, since they can refuse; it is theirs where an adapter lets them go first.
 */
export function ownerOf<P extends ScoredPlace>(places: readonly P[]): P {
  const [first] = orderOf(places);
  const nobody = places.find(isNobody)!;
  if (first && isDocuments(first) && places.some(({ yields }) => yields)) return first;
  if (first === undefined || first.own === false) return nobody;
  const { probability } = first;
  return isDocuments(first) && probability !== null && probability < nobody.probability! ? nobody : first;
}
