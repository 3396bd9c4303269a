import type { z } from 'zod';
import type { interval } from '../../kernel/interval.js';
import { percent } from '../../kernel/text.js';
import { signed, simplerMethods, type EvaluationFigures } from '../../prove/index.js';
import { hasLabel, type TaskKind } from '../../sources/data/index.js';

/** A finished evaluation of a tuned version beside what it would replace. */
export interface Measured {
  rows: number;
  /** The version that was in production, by name; null: the base model. */
  against: string | null;
  /** The version in production by name, where it learned every test row; else null. */
  insteadOf: string | null;
  figures: EvaluationFigures;
}

/** The figures by which a tuner judges whether tuning was worth it; null where one wasn't measured. */
export function worthFigures({ rows, against, insteadOf, figures }: Measured) {
  const { retention, nearestRows, regression } = figures;
  const { name, value, low, high, difference } = figures.metrics[0]!;
  const method = (of: typeof nearestRows | typeof regression) =>
    of && { accuracy: of.accuracy, difference: of.difference };
  return {
    rows,
    metric: { name, value, low, high },
    replaced: difference && {
      is: against === null ? ('BASE_MODEL' as const) : ('PRODUCTION' as const),
      adapter: against,
      insteadOf,
      value: value - difference.value,
      difference,
    },
    nearestRows: method(nearestRows),
    regression: method(regression),
    retention: retention && { perplexityRatio: retention.perplexity.ratio, agreement: retention.topAgreement },
  };
}

/** The same in sentences. */
export function worthSentences(measured: Measured, task: TaskKind): string[] {
  const { rows, metric, replaced, retention } = worthFigures(measured);
  const methods = simplerMethods(measured.figures).map(({ message }) => message);
  const reason = hasLabel(task) ? 'the rows for training have fewer than two labels' : 'the rows have no labels';
  return [
    `Its ${metric.name} on ${rows} test rows is ${decimal(metric.value)}${ends(metric)}.`,
    measured.insteadOf &&
      `It is measured beside the base model, as ${measured.insteadOf}, then in production, learned all test rows.`,
    replaced &&
      `The ${replaced.adapter === null ? `base model’s ${metric.name}` : `${metric.name} of ${replaced.adapter}, then in production,`} on the same rows is ${decimal(replaced.value)}, and the adapter’s differs by ${signed(replaced.difference.value)}${ends(replaced.difference, signed)}.`,
    ...(methods.length > 0 ? methods : [`Neighbours and a regression weren’t compared, as ${reason}.`]),
    retention &&
      `Its perplexity on general text is ${decimal(retention.perplexityRatio.value)} times the base model’s${ends(retention.perplexityRatio)}.`,
    retention &&
      `It has the base model’s most probable token in ${share(retention.agreement.value)} of places of answers to general prompts${ends(retention.agreement, share)}.`,
  ].filter((sentence) => sentence !== null);
}

const decimal = (value: number): string => value.toFixed(3);
const share = (value: number): string => percent(value, 1);

/** The ends of an interval, behind what it is of. */
const ends = ({ low, high }: z.infer<typeof interval>, figure = decimal): string =>
  ` (${figure(low)} to ${figure(high)})`;
