import { DEFAULT_BOUNDS, judge, type EvaluationFigures } from '../../src/prove/index.js';
import { seededRandom } from '../../src/kernel/random.js';
import { shareOf, type Line, type Topic } from './line.js';

/** A version beside the one that it would replace, and the test rows that tell. */
interface Trial {
  rows: number;
  labels: number;
  /** Share of the rows on which one alone is right, and how much more often that is the version. */
  differing: number;
  gain: number;
  /** Of the first label alone; as of all others where left out. */
  firstGain?: number;
}

const interval = (value: number) => ({ value, low: value, high: value });
const RETENTION: EvaluationFigures['retention'] = {
  perplexity: { base: 20, adapted: 20, ratio: interval(1), tokens: 4_000 },
  texts: [],
  prompts: 32,
  others: [],
  topAgreement: interval(1),
  divergence: interval(0),
  misrouted: interval(1),
};

/** What an evaluation counts of one trial. */
function figures({ rows, labels, differing, gain, firstGain = gain }: Trial, random: () => number): EvaluationFigures {
  const classes = Array.from({ length: labels }, (_, label) => ({
    label: `l${label}`,
    support: 0,
    gained: 0,
    lost: 0,
    precision: 0.8,
    recall: 0.8,
    f1: 0.8,
  }));
  for (let row = 0; row < rows; row++) {
    const label = Math.floor(random() * labels);
    const own = label === 0 ? firstGain : gain;
    const spread = Math.max(differing, Math.abs(own));
    const [of, drawn] = [classes[label]!, random()];
    of.support += 1;
    if (drawn < (spread + own) / 2) of.gained += 1;
    else if (drawn < spread) of.lost += 1;
  }
  const [gained, lost] = [
    classes.reduce((sum, one) => sum + one.gained, 0),
    classes.reduce((sum, one) => sum + one.lost, 0),
  ];
  const difference = { ...interval((gained - lost) / rows), p: 1 };
  return {
    metrics: [{ name: 'accuracy', higherIsBetter: true, ...interval(0.8), difference, pairs: { gained, lost } }],
    classes,
    confusions: [],
    confusionsRest: [],
    calibration: [],
    asBefore: null,
    retention: RETENTION,
    regression: null,
    nearestRows: null,
    foreign: null,
  };
}

/** Whether a check of the gate lets a trial through. @param looks how often the version was measured so far, this time with them */
function passes(check: string, trial: Trial, random: () => number, looks = 1): boolean {
  const evaluation = { rows: trial.rows, figures: figures(trial, random) };
  const checks = judge({ attested: true, evaluation, tries: looks, replaced: 'production' }, DEFAULT_BOUNDS);
  return checks.find(({ name }) => name === check)!.passed;
}

const LOOKS = 20;
const EQUAL: Trial = { rows: 500, labels: 10, differing: 0.08, gain: 0 };
const BETTER: Trial = { rows: 500, labels: 77, differing: 0.08, gain: 0.03 };

const LINES: (Pick<Line, 'promise' | 'promised'> & { holds: (random: () => number) => boolean })[] = [
  {
    promise: 'an equal version passes the gate, 500 rows',
    promised: { atMost: 0.025 },
    holds: (random) => passes('task', EQUAL, random),
  },
  {
    promise: `an equal version passes at one of ${LOOKS} datasets`,
    promised: { atMost: 0.05 },
    holds: (random) => Array.from({ length: LOOKS }, (_, i) => passes('task', EQUAL, random, i + 1)).some(Boolean),
  },
  {
    promise: 'a version 3 points better is refused for a class, 77 labels, 500 rows',
    promised: { atMost: 0.05 },
    holds: (random) => !passes('worst class', BETTER, random),
  },
  {
    promise: 'an equal version is refused for a class, 10 labels, 500 rows',
    promised: { atMost: 0.05 },
    holds: (random) => !passes('worst class', EQUAL, random),
  },
  {
    promise: 'a version is refused that tells one of 10 labels 40 points worse, 500 rows',
    promised: { atLeast: 0.8 },
    holds: (random) => !passes('worst class', { ...EQUAL, firstGain: -0.4 }, random),
  },
  {
    promise: 'a version 3 points better passes, 300 rows, of which 8 % differ (44 % is said)',
    promised: { atLeast: 0.44 },
    holds: (random) => passes('task', { ...BETTER, rows: 300 }, random),
  },
];

export const gate: Topic = {
  name: 'gate',
  *lines(streams) {
    for (const { promise, promised, holds } of LINES) {
      const measured = shareOf(streams, 17, (seed) => holds(seededRandom(seed)));
      yield { promise, promised, measured, streams, traffic: 'independent', judged: null };
    }
  },
};
