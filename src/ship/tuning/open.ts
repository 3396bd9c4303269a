import { defineDomain, offer, type Offer } from '../../kit/domain/index.js';
import type { Training } from '../../learn/training/index.js';
import type { Platform } from '../../platform/platform.js';
import type { OpenEvaluation } from '../../prove/index.js';
import type { OpenData } from '../../sources/data/index.js';
import type { Registry } from '../../sources/registry/index.js';
import { FineTuningResolver, fineTuningRuns } from './tuning-graphql.js';
import { TuningService } from './tuning-service.js';

export const tuningDomain = defineDomain({ classes: [FineTuningResolver], runs: [fineTuningRuns] });

/** How files become a proven version. */
export interface OpenTuning {
  readonly tuning: TuningService;
  readonly offer: Offer;
}

export function openTuning(
  { runs, files }: Platform,
  lower: { registry: Registry; data: OpenData; training: Training; evaluation: OpenEvaluation },
): OpenTuning {
  const { adapters } = lower.registry;
  const { data } = lower.data;
  const { training } = lower.training;
  const { attestor, evaluator, gate } = lower.evaluation;
  const tuning = new TuningService({ runs, files, data, training, evaluations: evaluator.store });
  const tuner = { runs, data, training, adapters, attestor, evaluator, gate, tuning };
  return { tuning, offer: offer(tuningDomain, runs, { tuning, tuner, data, adapters }) };
}
