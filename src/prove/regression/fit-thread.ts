// Fitting takes up to a minute of one core, and so does comparing all rows: a thread of its own leaves the gateway's to requests.
import { parentPort, workerData } from 'node:worker_threads';
import { chooseStrength, type Fitting } from './choose-strength.js';
import { nearest, type Nearest } from './nearest.js';
import { predictSoftmax } from '../../kernel/softmax-regression.js';

export interface ThreadWork extends Fitting {
  /** Texts that are asked, row-major [texts, dimensions]. */
  asked: Float32Array;
  dimensions: number;
  /** Rows for training that choose how neighbours vote, each by the others. */
  judges: readonly number[];
  /** Neighbours that vote. */
  neighbours: number;
}

export interface ThreadResult {
  strength: number;
  labels: Int32Array;
  probabilities: Float32Array;
  neighboursOf: Record<'asked' | 'judges', Nearest>;
}

const { asked, judges, dimensions, neighbours: most, ...fitting } = workerData as ThreadWork;
const { vectors } = fitting.train;
const judged = new Float32Array(judges.length * dimensions);
judges.forEach((row, i) => judged.set(vectors.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions));
const neighboursOf = {
  asked: nearest(vectors, asked, { dimensions, most }),
  judges: nearest(vectors, judged, { dimensions, most, without: judges }),
};
const { model, strength } = chooseStrength(fitting);
const result: ThreadResult = { strength, ...predictSoftmax(model, asked), neighboursOf };
parentPort?.postMessage(result);
