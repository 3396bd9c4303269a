import { calibrate, choose, logOdds, weigh, type Learned, type Place, type Signal } from '../../ask/index.js';
import { minimize } from '../../kernel/minimize.js';

/** A question whose place is known, and how near it lies to each. */
export interface PlacedQuestion {
  /** Id of the collection or adapter version; null: the base model. */
  belongs: string | null;
  /** By place; those without a signal are missing. */
  signals: ReadonlyMap<string, Signal>;
}

export interface FittedPlace {
  id: string;
  strategy: 'RAG' | 'ADAPTER';
  calibration: ReturnType<typeof calibrate>;
}

/** Fewer own questions than this calibrate nothing. */
export const LEAST_OWN = 10;
const STEP = 1e-3;
const PRIOR_ROWS = 4;

/**
 * Calibrates each place, fits how sure the whole is, and measures it on every second question, none of which it was fitted on.
 * @returns places without enough questions of their own are left out
 */
export function fitRouter(
  places: readonly { id: string; strategy: 'RAG' | 'ADAPTER' }[],
  questions: readonly PlacedQuestion[],
): { places: FittedPlace[] } & Pick<Learned, 'temperature' | 'baseScore' | 'figures'> {
  const [fitting, held] = halves(questions);
  const fitted = places.flatMap(({ id, strategy }): FittedPlace[] => {
    const [own, foreign] = [true, false].map((is) =>
      fitting.flatMap(({ belongs, signals }) => ((belongs === id) === is && signals.get(id) ? [signals.get(id)!] : [])),
    ) as [Signal[], Signal[]];
    return own.length >= LEAST_OWN && foreign.length >= LEAST_OWN
      ? [{ id, strategy, calibration: calibrate(own, foreign) }]
      : [];
  });
  const known = new Set(fitted.map(({ id }) => id));
  const usable = (all: readonly PlacedQuestion[]) =>
    all.filter(({ belongs }) => belongs === null || known.has(belongs));
  const whole = fitWhole(fitted, usable(fitting));
  return { places: fitted, ...whole, figures: measureRouter(fitted, whole, usable(held)) };
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
): Pick<Learned, 'temperature' | 'baseScore'> {
  const placed = questions.map((question) => ({ belongs: question.belongs, places: placesOf(fitted, question) }));
  const loss = (logTemperature: number, baseScore: number): number => {
    const by = { temperature: Math.exp(logTemperature), baseScore };
    const likelihood = placed.reduce((sum, { belongs, places }) => {
      const right = weigh(places, by).find(({ adapter }) => adapter === belongs);
      return sum + Math.log(Math.max(right?.probability ?? 0, 1e-6));
    }, 0);
    return (PRIOR_ROWS * (logTemperature ** 2 + baseScore ** 2) - likelihood) / Math.max(1, placed.length);
  };
  const at = minimize(
    ([t, b], gradient) => {
      gradient[0] = (loss(t! + STEP, b!) - loss(t! - STEP, b!)) / (2 * STEP);
      gradient[1] = (loss(t!, b! + STEP) - loss(t!, b! - STEP)) / (2 * STEP);
      return loss(t!, b!);
    },
    Float64Array.of(0, 0),
    { steps: 50 },
  );
  return { temperature: Math.exp(at[0]!), baseScore: at[1]! };
}

const BINS = 10;

function measureRouter(
  fitted: readonly FittedPlace[],
  whole: Pick<Learned, 'temperature' | 'baseScore'>,
  questions: readonly PlacedQuestion[],
): Learned['figures'] {
  const counts = new Map<string | null, number>();
  const bins = Array.from({ length: BINS }, () => ({ rows: 0, sure: 0, right: 0 }));
  let right = 0;
  for (const question of questions) {
    const { belongs } = question;
    counts.set(belongs, (counts.get(belongs) ?? 0) + 1);
    const { chosen } = choose(weigh(placesOf(fitted, question), whole));
    const is = chosen.adapter === belongs ? 1 : 0;
    right += is;
    const probability = chosen.probability ?? 0;
    const bin = bins[Math.min(BINS - 1, Math.floor(probability * BINS))]!;
    bin.rows += 1;
    bin.sure += probability;
    bin.right += is;
  }
  const all = Math.max(1, questions.length);
  return {
    questions: questions.length,
    accuracy: right / all,
    calibrationError: bins.reduce((sum, { sure, right: hits }) => sum + Math.abs(sure - hits), 0) / all,
    commonest: Math.max(0, ...counts.values()) / all,
  };
}

/** Every second question of each place. */
function halves(questions: readonly PlacedQuestion[]): [PlacedQuestion[], PlacedQuestion[]] {
  const seen = new Map<string | null, number>();
  const [first, second]: [PlacedQuestion[], PlacedQuestion[]] = [[], []];
  for (const question of questions) {
    const place = seen.get(question.belongs) ?? 0;
    seen.set(question.belongs, place + 1);
    (place % 2 === 0 ? first : second).push(question);
  }
  return [first, second];
}
