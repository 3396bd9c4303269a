// Fitting takes up to a minute of one core: a thread of its own leaves the gateway's to requests.
import { parentPort, workerData } from 'node:worker_threads';
import { chooseStrength, type Fitting } from './choose-strength.js';
import { predictSoftmax } from '../../kernel/softmax-regression.js';

const { asked, ...fitting } = workerData as Fitting & { asked: Float32Array };
const { model, strength } = chooseStrength(fitting);
parentPort?.postMessage({ strength, ...predictSoftmax(model, asked) });
