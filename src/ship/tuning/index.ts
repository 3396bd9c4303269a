/** From files of rows to a proven version of an adapter, in one run. */
export { openTuning, tuningDomain, type OpenTuning } from './open.js';
export { fineTuning, stateOf } from './tuning-run.js';
export { worthFigures } from './worth.js';
export type { TuningService } from './tuning-service.js';
