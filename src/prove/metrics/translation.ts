import { ratio, type Metric } from './metric.js';

export interface TranslatedRow {
  reference: string;
  translation: string;
}

const BLEU_ORDER = 4;
const CHRF_ORDER = 6;
/** Recall counts twice as much as precision. */
const CHRF_BETA = 2;

/**
 * Corpus BLEU, 0..100 (Papineni et al. 2002) as sacreBLEU computes it by default: its `13a` tokens, one reference, exponential
 * smoothing of orders without a match, case kept.
 */
export const bleu: Metric<TranslatedRow> = {
  name: 'BLEU',
  higherIsBetter: true,
  top: 100,
  /** `[translation tokens, reference tokens, matches of order 1..4, n-grams of order 1..4]` */
  statistics({ reference, translation }) {
    const [hypothesis, right] = [tokenize13a(translation), tokenize13a(reference)];
    const orders = Array.from({ length: BLEU_ORDER }, (_, i) => i + 1);
    const grams = orders.map((n) => ({ of: ngrams(hypothesis, n), right: ngrams(right, n) }));
    return [
      hypothesis.length,
      right.length,
      ...grams.map((gram) => matches(gram.of, gram.right)),
      ...orders.map((n) => Math.max(0, hypothesis.length - n + 1)),
    ];
  },
  value(sums) {
    const [length, referenceLength] = [sums[0]!, sums[1]!];
    const correct = sums.slice(2, 2 + BLEU_ORDER);
    const total = sums.slice(2 + BLEU_ORDER);
    if (correct.every((n) => n === 0)) return 0;
    let smoothing = 1;
    let logs = 0;
    for (let i = 0; i < BLEU_ORDER; i++) {
      if (total[i] === 0) return 0;
      if (correct[i] === 0) smoothing *= 2;
      logs += Math.log(correct[i] === 0 ? 100 / (smoothing * total[i]!) : (100 * correct[i]!) / total[i]!);
    }
    const brevity = length < referenceLength ? Math.exp(1 - referenceLength / length) : 1;
    return brevity * Math.exp(logs / BLEU_ORDER);
  },
};

/** Corpus chrF2, 0..100 (Popović 2015) as sacreBLEU computes it by default: characters up to order 6, white space left out. */
export const chrf: Metric<TranslatedRow> = {
  name: 'chrF',
  higherIsBetter: true,
  top: 100,
  /** `[n-grams of the translation, of the reference, matches]` for each order. */
  statistics({ reference, translation }) {
    const [hypothesis, right] = [characters(translation), characters(reference)];
    return Array.from({ length: CHRF_ORDER }, (_, i) => {
      const [hypothesisGrams, referenceGrams] = [ngrams(hypothesis, i + 1), ngrams(right, i + 1)];
      // Without a reference n-gram there is nothing that the translation's could miss.
      return [
        referenceGrams.size === 0 ? 0 : count(hypothesisGrams),
        count(referenceGrams),
        matches(hypothesisGrams, referenceGrams),
      ];
    }).flat();
  },
  value(sums) {
    let [precision, recall, orders] = [0, 0, 0];
    for (let i = 0; i < CHRF_ORDER; i++) {
      const [hypothesisCount, referenceCount, matching] = [sums[3 * i]!, sums[3 * i + 1]!, sums[3 * i + 2]!];
      if (hypothesisCount === 0 || referenceCount === 0) continue;
      precision += matching / hypothesisCount;
      recall += matching / referenceCount;
      orders += 1;
    }
    if (orders === 0) return 0;
    const [p, r, weight] = [precision / orders, recall / orders, CHRF_BETA ** 2];
    return 100 * ratio((1 + weight) * p * r, weight * p + r);
  },
};

/** sacreBLEU's `13a`, which follows mteval-v13a: punctuation apart, but not between digits. */
function tokenize13a(line: string): string[] {
  const plain = line
    .replaceAll('<skipped>', '')
    .replaceAll('-\n', '')
    .replaceAll('\n', ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');
  return ` ${plain} `
    .replace(/([{-~[-` -&(-+:-@/])/g, ' $1 ')
    .replace(/([^0-9])([.,])/g, '$1 $2 ')
    .replace(/([.,])([^0-9])/g, ' $1 $2')
    .replace(/([0-9])(-)/g, '$1 $2 ')
    .split(/\s+/u)
    .filter((token) => token !== '');
}

const characters = (text: string): string[] => [...text.replace(/\s+/gu, '')];

/** How often each n-gram stands in the sequence. */
function ngrams(sequence: readonly string[], n: number): Map<string, number> {
  const grams = new Map<string, number>();
  for (let i = 0; i + n <= sequence.length; i++) {
    const gram = sequence.slice(i, i + n).join('\0');
    grams.set(gram, (grams.get(gram) ?? 0) + 1);
  }
  return grams;
}

const count = (grams: ReadonlyMap<string, number>): number =>
  [...grams.values()].reduce((total, times) => total + times, 0);

/** Matches clipped to how often the other has them. */
function matches(grams: ReadonlyMap<string, number>, otherGrams: ReadonlyMap<string, number>): number {
  let matchCount = 0;
  for (const [gram, times] of grams) matchCount += Math.min(times, otherGrams.get(gram) ?? 0);
  return matchCount;
}
