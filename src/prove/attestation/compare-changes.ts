import { GraftError } from '../../kernel/errors.js';
import { dot } from '../../kernel/vectors.js';

/**
 * How far the change of the logits where an adapter is served may differ from the change where it was trained. The served model
 * quantises what flows between its layers and the training engine does not, so logits differ anyway; the adapter's change of them,
 * taken inside each engine, agrees far better. An adapter that is applied to other rows, twice, at half its strength, or not at all is
 * outside: the norms may differ by the root of 2, halfway between once and twice. Noise at the least cosine explains 1 / 0.9 = 1.11.
 */
export const TOLERANCE = { cosine: 0.9, normRatio: [Math.SQRT1_2, Math.SQRT2] } as const;

/** Logits without and with an adapter, in the same order. */
interface LogitPair {
  off: ArrayLike<number>;
  on: ArrayLike<number>;
}

interface ChangeComparison {
  /** Of the two changes as vectors. */
  cosine: number;
  /** Norm of the served change over that of the trained one. */
  normRatio: number;
  /** Mean absolute change where it is served. */
  effect: number;
}

/** @throws ADAPTER_UNPROVEN when one of the changes is zero, or they differ by more than `TOLERANCE` */
export function compareChanges(servedPair: LogitPair, trained: LogitPair): ChangeComparison {
  const [servedChange, trainedChange] = [change(servedPair), change(trained)];
  const [norm, expected] = [Math.sqrt(dot(servedChange, servedChange)), Math.sqrt(dot(trainedChange, trainedChange))];
  if (expected === 0) throw unproven('it changes no logit in the engine that trained it');
  if (norm === 0) throw unproven('it changes no logit where it is served');
  const [cosine, normRatio] = [dot(servedChange, trainedChange) / (norm * expected), norm / expected];
  if (!(cosine >= TOLERANCE.cosine))
    throw unproven(`the cosine between its change when served and when trained is ${cosine.toFixed(3)}, below 0.9`);
  const [minimum, maximum] = TOLERANCE.normRatio;
  if (!(normRatio >= minimum && normRatio <= maximum))
    throw unproven(
      `its change when served is ${normRatio.toFixed(3)} times that when trained, outside ${minimum.toFixed(2)} to ${maximum.toFixed(2)}`,
    );
  return {
    cosine,
    normRatio,
    effect: servedChange.reduce((sum, delta) => sum + Math.abs(delta), 0) / servedChange.length,
  };
}

export const unproven = (reason: string): GraftError =>
  new GraftError('ADAPTER_UNPROVEN', `The adapter was not shown to act: ${reason}.`);

const change = ({ off, on }: LogitPair): number[] => Array.from(on, (logit, i) => logit - off[i]!);
