/**
 * What Graft decides by itself, promise beside measured: streams of simulated traffic go through the functions that decide in the
 * product, four kinds of traffic and three rates of judgement. A promise is kept when no more is missing than the simulation's error.
 *
 *   npm run bench -- decisions [--streams 2000] [--topic rollouts] [--traffic sessions]
 */
import { alerts } from './decisions/alerts.js';
import { drift } from './decisions/drift.js';
import { experiments } from './decisions/experiments.js';
import { curation } from './decisions/curation.js';
import { gate } from './decisions/gate.js';
import { boundOf, isKept, simulationError, type Line, type Topic } from './decisions/line.js';
import { quality } from './decisions/quality.js';
import { rollouts } from './decisions/rollouts.js';
import { numberOption, textOption } from './support/options.js';
import { percent } from './support/percent.js';
import { describeMachine, printResult } from './support/report.js';

const TOPICS: readonly Topic[] = [rollouts, alerts, drift, experiments, curation, gate, quality];

const STREAMS = numberOption('streams', 2_000);
const only = textOption('topic', '');

type Row = Record<string, string | number>;

const rowOf = (line: Line): Row => ({
  promise: line.promise,
  traffic: line.traffic,
  judged: line.judged === null ? '' : percent(line.judged),
  promised: `${'atMost' in line.promised ? '<=' : '>='} ${percent(boundOf(line.promised))}`,
  'came out': percent(line.measured),
  error: percent(simulationError(line)),
  streams: line.streams,
  kept: isKept(line) ? 'yes' : 'no',
});

for (const topic of TOPICS.filter(({ name }) => only === '' || name === only)) {
  const rows: Row[] = [];
  for await (const line of topic.lines(STREAMS)) {
    rows.push(rowOf(line));
    console.log(Object.values(rows.at(-1)!).join(' | '));
  }
  printResult(`decisions-${topic.name}`, { machine: describeMachine(), rows }, ['promise', 'traffic', 'judged']);
  if (rows.some(({ kept }) => kept === 'no')) process.exitCode = 1;
}
