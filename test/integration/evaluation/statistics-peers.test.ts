import { Python } from '../../support/python.js';
import { itWhen } from '../../support/skip.js';
import {
  disagreement,
  makeCases,
  ourResults,
  PEER_PACKAGES,
  PEERS,
  type Results,
} from '../../support/statistics-cases.js';

const python = await Python.with(PEER_PACKAGES);
const itWithPython = itWhen(typeof python !== 'string', typeof python === 'string' ? python : '');

const SEED = Date.now() % 1_000_000;
console.log(`statistics beside their packages: seed ${SEED}`);

describe('sequences, sample ratio, fixed intervals and CUPED', () => {
  itWithPython('agree with confseq, ssrm-test and gbstats to 1e-6 on cases that nobody has seen', async () => {
    const cases = makeCases(SEED);
    const theirs = await (python as Python).ask<Results>(PEERS, cases);
    const { most, figures } = disagreement(ourResults(cases), theirs);
    expect(figures).toBeGreaterThan(400);
    expect(most).toBeLessThan(1e-6);
  });
});
