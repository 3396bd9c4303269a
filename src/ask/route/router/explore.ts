import { sha256 } from '../../../kernel/hashing.js';
import type { Choice, ScoredPlace } from './choose.js';

/** Most questions that may be answered by another place than the router's choice, so that one learns what that place would have made of them. */
export const MOST_EXPLORED = 0.1;
/** A place that is less probable than this is tried on nobody. */
const LEAST_PROBABLE = 0.05;

/** What was chosen, with the probability that it was. */
export interface Exploration<P extends ScoredPlace> {
  choice: Choice<P>;
  /** Above 0 to 1; null where nothing else could have been chosen by chance. */
  propensity: number | null;
  explored: boolean;
}

/** Places that chance may choose instead: the choice, and what is likely enough beside it. */
export const eligible = <P extends ScoredPlace>({ chosen, places }: Pick<Choice<P>, 'chosen' | 'places'>): P[] =>
  places.filter((place) => place === chosen || (place.probability ?? 0) >= LEAST_PROBABLE);

/**
 * The router's choice, or in `share` of the questions one of the eligible places, each as likely (ε-greedy): the only way to hear what people say of
 * what would not have been chosen. The probability is kept with the answer.
 * @param share 0 to `MOST_EXPLORED` @param draw uniform, 0 to below 1
 */
export function explore<P extends ScoredPlace>(choice: Choice<P>, share: number, draw: number): Exploration<P> {
  const open = eligible(choice);
  if (!(share > 0) || choice.chosen.probability === null || open.length < 2)
    return { choice, propensity: null, explored: false };
  const each = share / open.length;
  const drawn = draw < share ? open[Math.min(open.length - 1, Math.floor(draw / each))]! : choice.chosen;
  if (drawn === choice.chosen) return { choice, propensity: 1 - share + each, explored: false };
  const others = choice.places.filter((place) => place !== drawn).map(({ probability }) => probability ?? 0);
  const margin = (drawn.probability ?? 0) - Math.max(0, ...others);
  return { choice: { ...choice, chosen: drawn, margin, exception: 'EXPLORED' }, propensity: each, explored: true };
}

/** A draw that is the same for the same request of a version. */
export const drawOf = (version: string, requestKey: string): number =>
  parseInt(sha256(`explore ${version} ${requestKey}`).slice(0, 13), 16) / 16 ** 13;
