/**
 * What Graft decides by itself, promise beside measured: streams of simulated traffic go through the functions that decide in the
 * product, four kinds of traffic and three rates of judgement. A promise is kept when no more is missing than the simulation's error.
 *
 *   npm run bench -- decisions [--streams 2000] [--topic rollouts]
 */
import { alerts } from './decisions/alerts.js';
import { drift } from './decisions/drift.js';
import { experiments } from './decisions/experiments.js';
import { curation } from './decisions/curation.js';
import { gate } from './decisions/gate.js';
import { boundOf, isKept, simulationError, type Topic } from './decisions/line.js';
import { quality } from './decisions/quality.js';
import { rollouts } from './decisions/rollouts.js';
import { numberOption, textOption } from './support/options.js';
import { percent } from './support/percent.js';
import { describeMachine, printResult } from './support/report.js';

const TOPICS: readonly Topic[] = [rollouts, alerts, drift, experiments, curation, gate, quality];

const STREAMS = numberOption('streams', 2_000);
const only = textOption('topic', '');

const rows: Record<string, string | number>[] = [];
for (const topic of TOPICS.filter(({ name }) => only === '' || name === only))
  for await (const line of topic.lines(STREAMS)) {
    const { promise, promised, measured, streams, traffic, judged } = line;
    rows.push({
      promise,
      traffic,
      judged: judged === null ? '' : percent(judged),
      promised: `${'atMost' in promised ? '<=' : '>='} ${percent(boundOf(promised))}`,
      'came out': percent(measured),
      error: percent(simulationError(line)),
      streams,
      kept: isKept(line) ? 'yes' : 'no',
    });
    console.log(Object.values(rows.at(-1)!).join(' | '));
  }

printResult('decisions', { machine: describeMachine(), rows }, ['promise', 'traffic', 'judged']);
if (rows.some(({ kept }) => kept === 'no')) process.exitCode = 1;
