/**
 * What decides deliveries beside the field's own code: the published cases of GrowthBook's SDKs, and the figures of confseq, ssrm-test and
 * gbstats on cases made with a seed. The packages are asked anew where Python can have them, else what they said when they were last asked
 * is read.
 *
 *   npm run bench -- delivery-peers [--seed 26]
 */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { growthbookChecks, type GrowthbookCases } from '../test/support/growthbook-cases.js';
import { Python } from '../test/support/python.js';
import {
  disagreement,
  makeCases,
  ourResults,
  PEER_PACKAGES,
  PEERS,
  type Cases,
  type Results,
} from '../test/support/statistics-cases.js';
import { numberOption } from './support/options.js';
import { describeMachine, printResult } from './support/report.js';

const SEED = numberOption('seed', 26);
const MOST = 1e-6;
const GROWTHBOOK = '../shared/reference/growthbook-cases.json';

const rows: { what: string; runs: number; result: string; target: string; met: string }[] = [];

const checks = Object.entries(growthbookChecks(JSON.parse(readFileSync(GROWTHBOOK, 'utf8')) as GrowthbookCases));
const all = checks.flatMap(([, each]) => each);
const passed = all.filter(({ ours, expected }) => isDeepStrictEqual(ours(), expected)).length;
rows.push({
  what: `GrowthBook’s published cases that assignment agrees with (${checks.map(([group]) => group).join(', ')})`,
  runs: all.length,
  result: `${passed}`,
  target: 'all',
  met: passed === all.length ? 'yes' : 'no',
});

const python = await Python.with(PEER_PACKAGES);
const kept = JSON.parse(readFileSync('test/unit/evaluation/statistics-expected.json', 'utf8')) as {
  cases: Cases;
  results: Results;
};
if (typeof python === 'string') console.log(`${python} What the packages said before is read.`);
const cases = typeof python === 'string' ? kept.cases : makeCases(SEED);
const theirs = typeof python === 'string' ? kept.results : await python.ask<Results>(PEERS, cases);
const ours = ourResults(cases);
for (const [name, what] of [
  ['rates', 'sequences of rates beside confseq'],
  ['sampleRatios', 'sample ratio beside ssrm-test'],
  ['differences', 'fixed and sequential intervals beside gbstats'],
  ['cuped', 'CUPED beside gbstats'],
] as const) {
  const { most, figures } = disagreement(ours[name], theirs[name]);
  rows.push({
    what: `${what}: largest difference`,
    runs: figures,
    result: most.toExponential(1),
    target: `< ${MOST}`,
    met: most < MOST ? 'yes' : 'no',
  });
}
printResult('delivery', { machine: describeMachine(), rows });
