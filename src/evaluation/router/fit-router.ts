import {
  calibrate,
  choose,
  knownOf,
  logOdds,
  placeKey,
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
  /** By place, each asked alone; those without a signal are missing. */
  signals: ReadonlyMap<string, PlaceSignal>;
  /** The collection whose passage is the best of all; null where nothing was found. */
  nearest: { id: string; signal: PlaceSignal | null } | null;
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
 * Calibrates each place, fits how sure the whole is, and measures it on every second question, none of which it was fitted on nor shares its source. Fitted
 * and measured is what is served: documents are one place, known by the collection nearest to the question, and read where nothing else is sure enough.
 * @param offsets added to scores as it is measured, by `placeKey` with the ids of adapters for their names
 * @returns places without enough questions of their own are left out
 */
export function fitRouter(
  places: readonly { id: string; strategy: 'RAG' | 'ADAPTER' }[],
  questions: readonly PlacedQuestion[],
  offsets: Offsets = {},
): { places: FittedPlace[] } & Pick<RouterParameters, 'temperature' | 'baseScore' | 'figures'> & { risk: RiskCurve } {
  const [fitting, held] = halves(questions);
  const collections = new Set(places.filter(({ strategy }) => strategy === 'RAG').map(({ id }) => id));
  const fitted = places.flatMap(({ id, strategy }): FittedPlace[] => {
    const seen = (of: readonly PlacedQuestion[]): PlaceSignal[] => of.flatMap(({ signals }) => signals.get(id) ?? []);
    const own = seen(fitting.filter(({ belongs }) => belongs === id));
    // Whose documents are read is no choice: questions about others' are as little foreign to these as their own.
    const elsewhere = ({ belongs }: PlacedQuestion): boolean =>
      strategy === 'RAG' ? !collections.has(belongs ?? '') : belongs !== id;
    const foreign = seen(fitting.filter(elsewhere));
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

const BASE = { strategy: 'BASE', adapter: null } as const;
const DOCUMENTS = { strategy: 'RAG', adapter: null } as const;

/** The places of one question, as the router weighs them. */
function placesOf(fitted: readonly FittedPlace[], { signals, nearest }: PlacedQuestion): Place[] {
  const adapters = fitted.flatMap(({ id, strategy, calibration }): Place[] => {
    const signal = strategy === 'ADAPTER' ? signals.get(id) : undefined;
    return signal ? [{ strategy, adapter: id, logOdds: logOdds(calibration, signal), expectedMs: null }] : [];
  });
  const base: Place = { ...BASE, logOdds: null, expectedMs: null };
  if (nearest === null) return [base, ...adapters];
  const calibration = fitted.find(({ id }) => id === nearest.id)?.calibration ?? null;
  return [base, { ...DOCUMENTS, ...knownOf(calibration, nearest.signal), expectedMs: null }, ...adapters];
}

/** `placeKey` of where a question belongs: which collection it was made of is no matter, because all are read. */
function keyOf(fitted: readonly FittedPlace[], { belongs }: PlacedQuestion): string {
  if (belongs === null) return placeKey(BASE);
  return fitted.find(({ id }) => id === belongs)?.strategy === 'RAG' ? placeKey(DOCUMENTS) : belongs;
}

/** Temperature and the base model's score under which the right places are most probable. */
function fitWhole(
  fitted: readonly FittedPlace[],
  questions: readonly PlacedQuestion[],
): Pick<RouterParameters, 'temperature' | 'baseScore'> {
  const placed = questions.map((question) => ({
    right: keyOf(fitted, question),
    places: placesOf(fitted, question),
  }));
  const loss = ([logTemperature = 0, baseScore = 0]: Float64Array): number => {
    const by = { temperature: Math.exp(logTemperature), baseScore };
    const likelihood = placed.reduce((sum, { right, places }) => {
      const place = weigh(places, by).find((each) => placeKey(each) === right);
      return sum + Math.log(Math.max(place?.probability ?? 0, 1e-6));
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
    return { gold: keyOf(fitted, question), predicted: placeKey(chosen), probability: chosen.probability };
  });
  const counts = [...groupBy(rows, ({ gold }) => gold).values()].map(({ length }) => length);
  // Of one source, questions are right or wrong together: the bound counts decisions that are independent.
  const sources = new Set<string>();
  const independent = rows.filter((_, i) => {
    const { source } = questions[i]!;
    const seen = source !== null && sources.has(source);
    if (source !== null) sources.add(source);
    return !seen;
  });
  return {
    figures: {
      questions: rows.length,
      accuracy: measure(accuracy, rows),
      calibrationError: measure(calibrationError, rows),
      commonest: Math.max(0, ...counts) / Math.max(1, rows.length),
    },
    risk: riskCurveOf(
      evenly(independent).map(({ gold, predicted, probability }) => ({
        confidence: probability ?? 0,
        right: gold === predicted,
      })),
    ),
  };
}

/** As many of each place, drawn from all of its own: else the place with most of them, where nearly all go right, would answer for one with few. */
function evenly(rows: readonly ClassifiedRow[]): ClassifiedRow[] {
  const places = [...groupBy(rows, ({ gold }) => gold).values()];
  const most = Math.min(...places.map(({ length }) => length));
  return places.flatMap((own) => Array.from({ length: most }, (_, i) => own[Math.floor((i * own.length) / most)]!));
}

/** Every second source of questions of each place: those that a router is fitted on, and those that it is measured on. */
export function halves<Q extends Pick<PlacedQuestion, 'belongs' | 'source'>>(questions: readonly Q[]): [Q[], Q[]] {
  const places = [...groupBy(questions, ({ belongs }) => belongs).values()].map((own) => [
    ...groupBy(own, ({ source }) => source ?? Symbol()).values(),
  ]);
  const half = (rest: number) => places.flatMap((sources) => sources.filter((_, i) => i % 2 === rest).flat());
  return [half(0), half(1)];
}
