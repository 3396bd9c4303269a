import { accuracy, calibrationError, macroF1, type ClassifiedRow } from '../../../src/prove/metrics/classification.js';
import { entityF1, entityPrecision, entityRecall, type EntitySpan } from '../../../src/prove/metrics/entities.js';
import { measure } from '../../../src/prove/metrics/metric.js';
import { exactMatch, tokenF1, type AnsweredRow } from '../../../src/prove/metrics/question-answering.js';
import { bleu, chrf, type TranslatedRow } from '../../../src/prove/metrics/translation.js';
import { mcnemar } from '../../../src/kernel/statistics/mcnemar.js';
import { seededRandom } from '../../../src/kernel/random.js';
import { Python } from '../../support/python.js';
import { itWhen } from '../../support/skip.js';

const PACKAGES = ['sacrebleu==2.6.0', 'seqeval==1.2.2', 'scikit-learn==1.9.1', 'transformers==4.57.1'];

const python = await Python.with(PACKAGES);
const itWithPython = itWhen(typeof python !== 'string', typeof python === 'string' ? python : '');
const ask = <T>(script: string, input: unknown): Promise<T> => (python as Python).ask<T>(script, input);

const SEED = 9_241;
const random = seededRandom(SEED);
const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));

const WORDS =
  'the a storm-lock closes 14.5 m/s, vents at “night” (roof) cost £6.90; it’s & isn’t 3-4 días niño año'.split(' ');
const sentence = (): string => times(3 + Math.floor(random() * 20), () => pick(WORDS)).join(' ');
/** The sentence with some words lost, doubled or replaced. */
const damaged = (text: string): string =>
  text
    .split(' ')
    .flatMap((word) =>
      random() < 0.15 ? [] : random() < 0.1 ? [word, word] : random() < 0.15 ? [pick(WORDS)] : [word],
    )
    .join(' ');

console.log(`metrics: seed ${SEED}`);

describe('the metrics equal the field’s own', () => {
  itWithPython('accuracy and macro-F1 equal scikit-learn’s', async () => {
    const labels = times(7, (i) => `label-${i}`);
    const rows: ClassifiedRow[] = times(500, () => {
      const gold = pick(labels.slice(0, 6));
      return { gold, predicted: random() < 0.7 ? gold : pick(labels), probability: random() };
    });
    const theirs = await ask<[number, number]>(
      `import json, sys
from sklearn.metrics import accuracy_score, f1_score
d = json.load(sys.stdin)
print(json.dumps([accuracy_score(d["gold"], d["predicted"]), f1_score(d["gold"], d["predicted"], average="macro", zero_division=0)]))`,
      { gold: rows.map((row) => row.gold), predicted: rows.map((row) => row.predicted) },
    );
    expect(measure(accuracy, rows)).toBeCloseTo(theirs[0], 12);
    expect(measure(macroF1([...labels, 'that no row has or was given']), rows)).toBeCloseTo(theirs[1], 12);
  });

  itWithPython('entity precision, recall and F1 equal seqeval’s', async () => {
    const tagged = times(200, () => [bio(30), bio(30)] as const);
    const rows = tagged.map(([gold, predicted]) => ({ gold: spansOf(gold), predicted: spansOf(predicted) }));
    const theirs = await ask<number[]>(
      `import json, sys
from seqeval.metrics import precision_score, recall_score, f1_score
g, p = json.load(sys.stdin)
print(json.dumps([float(f(g, p)) for f in (precision_score, recall_score, f1_score)]))`,
      [tagged.map(([gold]) => gold), tagged.map(([, predicted]) => predicted)],
    );
    const ours = [entityPrecision, entityRecall, entityF1].map((metric) => measure(metric, rows));
    ours.forEach((value, i) => expect(value).toBeCloseTo(theirs[i]!, 12));
  });

  itWithPython('BLEU and chrF equal sacreBLEU’s', async () => {
    for (const rows of [corpus(100), corpus(1), [{ reference: 'one two', translation: 'three' }]]) {
      const theirs = await ask<[number, number]>(
        `import json, sys
from sacrebleu.metrics import BLEU, CHRF
d = json.load(sys.stdin)
print(json.dumps([m.corpus_score(d["t"], [d["r"]]).score for m in (BLEU(), CHRF())]))`,
        { t: rows.map((row) => row.translation), r: rows.map((row) => row.reference) },
      );
      expect(measure(bleu, rows)).toBeCloseTo(theirs[0], 8);
      expect(measure(chrf, rows)).toBeCloseTo(theirs[1], 8);
    }
  });

  itWithPython('exact match and token F1 equal the SQuAD script’s', async () => {
    const rows: AnsweredRow[] = times(300, () => {
      const gold = random() < 0.2 ? [] : times(1 + Math.floor(random() * 3), sentence);
      return { gold, answer: random() < 0.2 ? '' : gold.length > 0 && random() < 0.8 ? damaged(gold[0]!) : sentence() };
    });
    const theirs = await ask<[number, number]>(
      `import json, sys
from transformers.data.metrics.squad_metrics import compute_exact, compute_f1
rows = json.load(sys.stdin)
mean = lambda f: sum(max(f(g, r["answer"]) for g in (r["gold"] or [""])) for r in rows) / len(rows)
print(json.dumps([mean(compute_exact), mean(compute_f1)]))`,
      rows,
    );
    expect(measure(exactMatch, rows)).toBeCloseTo(theirs[0], 12);
    expect(measure(tokenF1, rows)).toBeCloseTo(theirs[1], 12);
  });

  itWithPython('McNemar’s p equals the binomial test’s', async () => {
    for (const [onlyFirst, onlySecond] of [
      [3, 14],
      [0, 1],
      [0, 0],
      [250, 301],
    ] as const) {
      const first = [...times(onlyFirst, () => true), ...times(onlySecond, () => false), true, false];
      const second = [...times(onlyFirst, () => false), ...times(onlySecond, () => true), true, false];
      const theirs = await ask<number>(
        `import json, sys
from scipy.stats import binomtest
a, b = json.load(sys.stdin)
print(json.dumps(float(binomtest(a, a + b, 0.5).pvalue) if a + b else 1.0))`,
        [onlyFirst, onlySecond],
      );
      expect(mcnemar(first, second)).toEqual({ onlyFirst, onlySecond, p: expect.closeTo(theirs, 9) as number });
    }
  });
});

it('calls a model calibrated whose stated probabilities come true, and overconfident by as much as it is', () => {
  const rows = (probability: number, right: number): ClassifiedRow[] =>
    times(1_000, (i) => ({ gold: 'a', predicted: i < right ? 'a' : 'b', probability }));
  expect(measure(calibrationError, [...rows(0.9, 900), ...rows(0.3, 300)])).toBeCloseTo(0, 12);
  expect(measure(calibrationError, rows(0.9, 700))).toBeCloseTo(0.2, 12);
});

/** Tags of a sentence in the BIO scheme, well-formed. */
function bio(length: number): string[] {
  const tags: string[] = [];
  while (tags.length < length) {
    if (random() < 0.6) tags.push('O');
    else {
      const type = pick(['PER', 'ORG', 'LOC']);
      tags.push(`B-${type}`, ...times(Math.floor(random() * 3), () => `I-${type}`));
    }
  }
  return tags.slice(0, length);
}

/** The entities of BIO tags, with tokens as offsets. */
function spansOf(tags: readonly string[]): EntitySpan[] {
  const spans: EntitySpan[] = [];
  tags.forEach((tag, i) => {
    if (tag.startsWith('B-')) spans.push({ type: tag.slice(2), start: i, end: i + 1 });
    else if (tag.startsWith('I-')) spans.at(-1)!.end = i + 1;
  });
  return spans;
}

function corpus(rows: number): TranslatedRow[] {
  return times(rows, () => {
    const reference = sentence();
    return { reference, translation: damaged(reference) };
  });
}
