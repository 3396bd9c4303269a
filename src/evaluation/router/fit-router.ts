import {
  calibrate,
  choose,
  logOdds,
  weigh,
  type Offsets,
  type RouterParameters,
  type Place,
  type PlaceSignal,
} from '../../ask/index.js';
import { groupBy } from '../../kernel/group-by.js';
import { byDifferences, minimize } from '../../kernel/minimize.js';
import { riskCurveOf, type RiskCurve } from '../../kernel/risk.js';
import { accuracy, calibrationError, type ClassifiedRow } from '../metrics/classification.js';
import { measure } from '../metrics/metric.js';

/** A question whose place is known, and how near it lies to each. */
export interface PlacedQuestion {
  /** What it was made of, where several can be made of one; null where none shares its source. */
  source: string | null;
  /** Id of the collection or adapter version; null: the base model. */
  belongs: string | null;
  /** By place; those without a signal are missing. */
  signals: ReadonlyMap<string, PlaceSignal>;
}

export interface FittedPlace {
  id: string;
  strategy: 'RAG' | 'ADAPTER';
  calibration: ReturnType<typeof calibrate>;
}

/** Fewer own questions than this calibrate nothing. */
export const LEAST_OWN = 10;
/** Pull of temperature and score towards 1 and 0, in rows' worth of evidence. */
const PRIOR_ROWS = 4;

/**
 * Calibrates each place, fits how sure the whole is, and measures it on every second question, none of which it was fitted on nor shares its source.
 * @param offsets added to scores as it is measured, by id of the place, or `base`
 * @returns places without enough questions of their own are left out
 */
export function fitRouter(
  places: readonly { id: string; strategy: 'RAG' | 'ADAPTER' }[],
  questions: readonly PlacedQuestion[],
  offsets: Offsets = {},
): { places: FittedPlace[] } & Pick<RouterParameters, 'temperature' | 'baseScore' | 'figures'> & { risk: RiskCurve } {
  const [fitting, held] = halves(questions);
  const fitted = places.flatMap(({ id, strategy }): FittedPlace[] => {
    const [own, foreign] = [true, false].map((is) =>
      fitting.flatMap(({ belongs, signals }) => ((belongs === id) === is && signals.get(id) ? [signals.get(id)!] : [])),
    ) as [PlaceSignal[], PlaceSignal[]];
    return own.length >= LEAST_OWN && foreign.length >= LEAST_OWN
      ? [{ id, strategy, calibration: calibrate(own, foreign) }]
      : [];
  });
  const known = new Set(fitted.map(({ id }) => id));
  const usable = (all: readonly PlacedQuestion[]) =>
    all.filter(({ belongs }) => belongs === null || known.has(belongs));
  const whole = fitWhole(fitted, usable(fitting));
  return { places: fitted, ...whole, ...measureRouter(fitted, { ...whole, offsets }, usable(held)) };
}

/** The places of one question, as the router weighs them. */
const placesOf = (fitted: readonly FittedPlace[], { signals }: PlacedQuestion): Place[] => [
  { strategy: 'BASE', adapter: null, logOdds: null, expectedMs: null },
  ...fitted.flatMap(({ id, strategy, calibration }): Place[] => {
    const signal = signals.get(id);
    return signal ? [{ strategy, adapter: id, logOdds: logOdds(calibration, signal), expectedMs: null }] : [];
  }),
];

/** Temperature and the base model's score under which the right places are most probable. */
function fitWhole(
  fitted: readonly FittedPlace[],
  questions: readonly PlacedQuestion[],
): Pick<RouterParameters, 'temperature' | 'baseScore'> {
  const placed = questions.map((question) => ({ belongs: question.belongs, places: placesOf(fitted, question) }));
  const loss = ([logTemperature = 0, baseScore = 0]: Float64Array): number => {
    const by = { temperature: Math.exp(logTemperature), baseScore };
    const likelihood = placed.reduce((sum, { belongs, places }) => {
      const right = weigh(places, by).find(({ adapter }) => adapter === belongs);
      return sum + Math.log(Math.max(right?.probability ?? 0, 1e-6));
    }, 0);
    return (PRIOR_ROWS * (logTemperature ** 2 + baseScore ** 2) - likelihood) / Math.max(1, placed.length);
  };
  const at = minimize(byDifferences(loss, 1e-3), Float64Array.of(0, 0), { steps: 50 });
  return { temperature: Math.exp(at[0]!), baseScore: at[1]! };
}

function measureRouter(
  fitted: readonly FittedPlace[],
  by: Pick<RouterParameters, 'temperature' | 'baseScore'> & { offsets: Offsets },
  questions: readonly PlacedQuestion[],
): { figures: RouterParameters['figures']; risk: RiskCurve } {
  const rows = questions.map((question): ClassifiedRow => {
    const { chosen } = choose(weigh(placesOf(fitted, question), by));
    return { gold: nameOf(question.belongs), predicted: nameOf(chosen.adapter), probability: chosen.probability };
  });
  const counts = [...groupBy(rows, ({ gold }) => gold).values()].map(({ length }) => length);
  // Of one source, questions are right or wrong together: the bound counts decisions that are independent.
  const sources = new Set<string>();
  const right = rows.flatMap(({ gold, predicted, probability }, i) => {
    const { source } = questions[i]!;
    if (source !== null && sources.has(source)) return [];
    if (source !== null) sources.add(source);
    return [{ confidence: probability ?? 0, right: gold === predicted }];
  });
  return {
    figures: {
      questions: rows.length,
      accuracy: measure(accuracy, rows),
      calibrationError: measure(calibrationError, rows),
      commonest: Math.max(0, ...counts) / Math.max(1, rows.length),
    },
    risk: riskCurveOf(right),
  };
}

/** The base model is the place without an id. */
const nameOf = (place: string | null): string => place ?? '';

/** Every second source of questions of each place: those that a router is fitted on, and those that it is measured on. */
export function halves<Q extends Pick<PlacedQuestion, 'belongs' | 'source'>>(questions: readonly Q[]): [Q[], Q[]] {
  const places = [...groupBy(questions, ({ belongs }) => belongs).values()].map((own) => [
    ...groupBy(own, ({ source }) => source ?? Symbol()).values(),
  ]);
  const half = (rest: number) => places.flatMap((sources) => sources.filter((_, i) => i % 2 === rest).flat());
  return [half(0), half(1)];
}
