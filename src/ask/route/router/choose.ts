/*
 * What decides between places, in this order:
 *   UNKNOWN   documents can be read that nobody calibrated, and no adapter is sure or none of them can be seen: they are read
 *   UNSURE    documents can be read and no place is probable enough: they are, because reading can refuse
 *   TIE       else, of the places as good as the most probable one, the one that costs least time
 *   INVENTS   that is the base model alone, not sure enough for what it may make up, and documents can be read: they are
 *   RISK      it is below what a wanted error rate needs, and documents can be read: they are
 * `explore.ts` may then try another one (EXPLORED).
 */

import { softmax } from '../../../kernel/softmax.js';
import { STRATEGIES, type Strategy } from '../../strategies.js';

/** A way to answer, and how much speaks for it. */
export interface Place {
  strategy: Strategy;
  /** `name@3`; null without one. */
  adapter: string | null;
  /** Log-odds that the question belongs there; null where nobody calibrated it. */
  logOdds: number | null;
  /** Median time of an answer, in ms; null where it is not known. */
  expectedMs: number | null;
  /** Whether it was calibrated, but nothing could be compared now, such as when the vector store is away. */
  unseen?: boolean;
}

export interface ScoredPlace extends Place {
  /** 0 to 1, over all places; null where nobody calibrated it. */
  probability: number | null;
}

export interface Choice<P extends ScoredPlace = ScoredPlace> {
  chosen: P;
  /** The most probable one. */
  likeliest: P;
  places: readonly P[];
  /** Probability of the chosen one minus the highest of the others: below 0 where it is not the most probable one. */
  margin: number;
  /** Why it is not simply the most probable one; null when it is. */
  exception: 'TIE' | 'UNSURE' | 'UNKNOWN' | 'INVENTS' | 'RISK' | 'EXPLORED' | null;
}

/** Places this close are told apart by what they cost. */
const TIE = 0.02;
/** A choice that is less probable than this is none: then it is better to read, and to be able to refuse. */
const SURE = 0.5;

/**
 * What an answer that the base model invents costs, in answers that reading refuses without need: nobody sees that the former is wrong, and
 * everybody that the latter is none. Given calibrated probabilities, the base model is then right to choose from 3 / (3 + 1) on.
 */
const INVENTED = 3;
export const SURE_OF_BASE = INVENTED / (INVENTED + 1);
/** An adapter that is less probable than this, among what is known, does not keep documents that nobody calibrated from being read. */
export const SURE_OF_ADAPTER = 0.95;

/** Whether nothing but what the base model knows answers there: no place is calibrated for that. */
const isBase = ({ strategy }: Place): boolean => !STRATEGIES[strategy].reads && !STRATEGIES[strategy].adapts;

/** What a place is called when it is learned from what people say: `base`, `documents`, or the adapter. */
export const placeKey = ({ strategy, adapter }: Pick<Place, 'strategy' | 'adapter'>): string =>
  adapter ?? (STRATEGIES[strategy].reads ? 'documents' : 'base');

/** Added to the score of a place, by `placeKey`: what people's words taught of it. */
export type Offsets = Readonly<Record<string, number>>;

/** @param baseScore log-odds that the base model counts with: those of others must be above @param temperature see `RouterParameters` @param offsets see `Offsets` */
export function weigh<P extends Place>(
  places: readonly P[],
  { baseScore, temperature, offsets = {} }: { baseScore: number; temperature: number; offsets?: Offsets },
): (P & ScoredPlace)[] {
  const known = places.filter((place) => isBase(place) || place.logOdds !== null);
  const shares = softmax(
    known.map((place) => (isBase(place) ? baseScore : place.logOdds! / temperature) + (offsets[placeKey(place)] ?? 0)),
  );
  const probabilities = new Map(known.map((place, i) => [place, shares[i]!]));
  return places.map((place) => ({ ...place, probability: probabilities.get(place) ?? null }));
}

/**
 * The most probable place; of those as good as tied the cheapest. Where documents can be read, and no place is probable enough, or the
 * base model not for what it may invent, or no adapter for documents that were never calibrated, or none of them can be seen, they are read.
 * @param least the probability that a wanted error rate comes to
 */
export function choose<P extends ScoredPlace>(places: readonly P[], least = 0): Choice<P> {
  const known = places.filter(({ probability }) => probability !== null);
  const likeliest = known.reduce((most, place) => (place.probability! > most.probability! ? place : most));
  const settled = (chosen: P, exception: Choice['exception']): Choice<P> => {
    const others = known.filter((place) => place !== chosen).map(({ probability }) => probability!);
    return { chosen, likeliest, places, exception, margin: (chosen.probability ?? 0) - Math.max(0, ...others) };
  };
  const reading = places.find(({ strategy, adapter }) => STRATEGIES[strategy].reads && adapter === null);
  const sureOfAdapter = likeliest.adapter !== null && likeliest.probability! >= SURE_OF_ADAPTER;
  if (reading && reading.logOdds === null && (reading.unseen || !sureOfAdapter)) return settled(reading, 'UNKNOWN');
  if (reading && likeliest.probability! < SURE) return settled(reading, likeliest === reading ? null : 'UNSURE');
  const tied = known.filter(({ probability }) => likeliest.probability! - probability! <= TIE);
  const [cheapest] = tied.sort((a, b) => (a.expectedMs ?? Infinity) - (b.expectedMs ?? Infinity));
  const chosen = cheapest?.expectedMs == null ? likeliest : cheapest;
  if (reading && chosen !== reading) {
    if (isBase(chosen) && chosen.probability! < SURE_OF_BASE) return settled(reading, 'INVENTS');
    if (chosen.probability! < least) return settled(reading, 'RISK');
  }
  return settled(chosen, chosen === likeliest ? null : 'TIE');
}
