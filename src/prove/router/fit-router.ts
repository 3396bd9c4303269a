import {
  calibrate,
  logOdds,
  ownerOf,
  placeKey,
  pValueOf,
  weigh,
  type Membership,
  type Place,
  type PlaceSignal,
  type RouterParameters,
  type Weights,
} from '../../answer/ask/index.js';
import { groupBy } from '../../kernel/group-by.js';
import { byDifferences, minimize } from '../../kernel/minimize.js';
import { riskCurveOf } from '../../kernel/risk.js';
import { accuracy, calibrationError, type ClassifiedRow } from '../metrics/classification.js';
import { measure } from '../metrics/metric.js';
import { mcnemar } from '../../kernel/statistics/mcnemar.js';

/** A question whose place is known, and what is known of it at each. */
export interface PlacedQuestion {
  /** What it was made of, where several can be made of one; null where none shares its source. */
  source: string | null;
  /** Id of the collection or adapter version; null: nothing. */
  belongs: string | null;
  /** The collection whose passage is the best of all; null where nothing was found. */
  nearest: { id: string; signal: PlaceSignal | null } | null;
  /** By adapter version: by a membership that had no part in the question. */
  memberships: ReadonlyMap<string, Pick<Membership, 'logOdds' | 'pValue'>>;
}

interface FittedCollection {
  id: string;
  calibration: ReturnType<typeof calibrate>;
  /** Own questions that it was not calibrated on: p-values come from them. */
  heldOut: RouterParameters['collections'][number]['heldOut'];
}

/** Fewer own questions than this calibrate nothing. */
export const LEAST_OWN = 10;
/** Pull of temperature and scores towards 1 and 0, in rows' worth of evidence. */
const PRIOR_ROWS = 4;

/**
 * Calibrates collections, fits how sure the whole is, and measures it on every second question, none of which it was fitted on nor shares its source. Fitted
 * and measured is what is served: documents are one place, known by the collection nearest to the question.
 * @param places ids: adapters whose membership was learned, and collections
 * @returns collections without enough questions of their own are left out
 */
export function fitRouter(
  places: { collections: readonly string[]; adapters: readonly string[] },
  questions: readonly PlacedQuestion[],
): { collections: FittedCollection[] } & Weights & Pick<RouterParameters, 'figures' | 'risks'> {
  const [fitting, held] = halves(questions);
  const ofDocuments = new Set(places.collections);
  const isOwn = ({ belongs }: PlacedQuestion): boolean => ofDocuments.has(belongs ?? '');
  const allForeign = fitting.filter((question) => !isOwn(question));
  const collections = places.collections.flatMap((id): FittedCollection[] => {
    const isHere = ({ nearest }: PlacedQuestion): boolean => nearest?.id === id;
    // Whose documents are read is no choice: questions about others' that come here count as its own.
    const own = signalsOf(fitting.filter((question) => isHere(question) && isOwn(question)));
    const foreignHere = signalsOf(allForeign.filter(isHere));
    // A collection that hardly a foreign question comes to is known by those that come to others.
    const foreign = foreignHere.length < LEAST_OWN ? signalsOf(allForeign) : foreignHere;
    const heldOut = signalsOf(held.filter((question) => isHere(question) && isOwn(question)));
    if (Math.min(own.length, foreign.length, heldOut.length) < LEAST_OWN) return [];
    const calibration = calibrate(own, foreign);
    const scores = heldOut.map((signal) => logOdds(calibration, signal)).sort((a, b) => a - b);
    return [{ id, calibration, heldOut: { rows: scores.length, foreign: foreign.length, scores } }];
  });
  const known = new Set([...collections.map(({ id }) => id), ...places.adapters]);
  const usable = ({ belongs }: PlacedQuestion): boolean => belongs === null || known.has(belongs);
  const fitted = { collections, adapters: places.adapters };
  const whole = fitWhole(fitted, fitting.filter(usable));
  // Documents that nobody calibrated lose questions to adapters, too: those are measured.
  const measured = held.filter((question) => usable(question) || isOwn(question));
  return { collections, ...whole, ...measureRouter(fitted, whole, measured) };
}

const signalsOf = (questions: readonly PlacedQuestion[]): PlaceSignal[] =>
  questions.flatMap(({ nearest }) => nearest?.signal ?? []);

interface Fitted {
  collections: readonly FittedCollection[];
  adapters: readonly string[];
}

const BASE = { strategy: 'BASE', adapter: null } as const;
const DOCUMENTS = { strategy: 'RAG', adapter: null } as const;
const UNKNOWN = { logOdds: null, pValue: null, expectedMs: null };

const isUncalibrated = (place: Place): boolean => placeKey(place) === placeKey(DOCUMENTS) && place.pValue === null;

/** The places of one question, as the router weighs them. */
function placesOf({ collections, adapters }: Fitted, { memberships, nearest }: PlacedQuestion): Place[] {
  const places: Place[] = [{ ...BASE, ...UNKNOWN }];
  for (const id of adapters) {
    const membership = memberships.get(id);
    if (membership) places.push({ ...UNKNOWN, ...membership, strategy: 'ADAPTER', adapter: id });
  }
  if (nearest === null) return places;
  const known = collections.find(({ id }) => id === nearest.id);
  if (!known || !nearest.signal) return [...places, { ...DOCUMENTS, ...UNKNOWN }];
  const score = logOdds(known.calibration, nearest.signal);
  return [...places, { ...DOCUMENTS, ...UNKNOWN, logOdds: score, pValue: pValueOf(known.heldOut, score) }];
}

/** `placeKey` of where a question belongs: which collection it was made of is no matter, because all are read. */
function keyOf({ adapters }: Fitted, { belongs }: PlacedQuestion): string {
  if (belongs === null) return placeKey(BASE);
  return adapters.includes(belongs) ? belongs : placeKey(DOCUMENTS);
}

/** Temperature and scores under which the right places are most probable. */
function fitWhole(fitted: Fitted, questions: readonly PlacedQuestion[]): Weights {
  const placed = questions.map((question) => ({
    right: keyOf(fitted, question),
    places: placesOf(fitted, question),
  }));
  const weightsAt = ([logTemperature = 0, baseScore = 0, adapterScore = 0]: Float64Array): Weights => ({
    temperature: Math.exp(logTemperature),
    baseScore,
    adapterScore,
  });
  const loss = (at: Float64Array): number => {
    const by = weightsAt(at);
    const likelihood = placed.reduce((sum, { right, places }) => {
      const place = weigh(places, by).find((each) => placeKey(each) === right);
      return sum + Math.log(Math.max(place?.probability ?? 0, 1e-6));
    }, 0);
    const pull = at.reduce((sum, value) => sum + value ** 2, 0);
    return (PRIOR_ROWS * pull - likelihood) / Math.max(1, placed.length);
  };
  return weightsAt(minimize(byDifferences(loss, 1e-3), new Float64Array(3), { steps: 50 }));
}

function measureRouter(
  fitted: Fitted,
  by: Weights,
  questions: readonly PlacedQuestion[],
): Pick<RouterParameters, 'figures' | 'risks'> {
  const rows = questions.map((question): ClassifiedRow => {
    const places = weigh(placesOf(fitted, question), by);
    const owner = ownerOf(places);
    // Documents that nobody calibrated are read whatever is asked, as without a router: that they refuse what isn't theirs, reading sees to.
    const isRead = question.belongs === null && places.some((place) => isUncalibrated(place));
    const gold = isRead ? placeKey(DOCUMENTS) : keyOf(fitted, question);
    return { gold, predicted: placeKey(owner), probability: owner.probability };
  });
  // Of one source, questions are right or wrong together: the bounds count decisions that are independent.
  const sources = new Set<string>();
  const independent = rows.filter((_, i) => {
    const { source } = questions[i]!;
    const seen = source !== null && sources.has(source);
    if (source !== null) sources.add(source);
    return !seen;
  });
  const commonest = [...groupBy(rows, ({ gold }) => gold).values()].reduce<ClassifiedRow[]>(
    (most, own) => (own.length > most.length ? own : most),
    [],
  );
  const sure = rows.filter(({ probability }) => probability !== null);
  const isCommonest = ({ gold }: ClassifiedRow): boolean => gold === commonest[0]?.gold;
  const isRight = ({ gold, predicted }: ClassifiedRow): boolean => gold === predicted;
  const lead = mcnemar(independent.map(isRight), independent.map(isCommonest));
  return {
    figures: {
      questions: rows.length,
      accuracy: rows.length === 0 ? 0 : measure(accuracy, rows),
      calibrationError: sure.length === 0 ? 0 : measure(calibrationError, sure),
      commonest: commonest.length / Math.max(1, rows.length),
      p: lead.onlyFirst > lead.onlySecond ? lead.p : 1,
    },
    risks: risksOf(independent),
  };
}

/** Of each destination those that went there, as many of each place: else the place with most questions, where nearly all go right, would answer for one with few. */
function risksOf(rows: readonly ClassifiedRow[]): RouterParameters['risks'] {
  const risks: RouterParameters['risks'] = {};
  const known = evenly(rows).filter(({ probability }) => probability !== null);
  for (const [key, routes] of groupBy(known, ({ predicted }) => predicted ?? ''))
    risks[key] = riskCurveOf(
      routes.map(({ gold, predicted, probability }) => ({ confidence: probability ?? 0, right: gold === predicted })),
    );
  return risks;
}

/** As many of each place, drawn from all of its own: else the place with most of them, where nearly all go right, would answer for one with few. */
function evenly(rows: readonly ClassifiedRow[]): ClassifiedRow[] {
  const places = [...groupBy(rows, ({ gold }) => gold).values()];
  const most = Math.min(...places.map(({ length }) => length));
  return places.flatMap((own) => Array.from({ length: most }, (_, i) => own[Math.floor((i * own.length) / most)]!));
}

/** Every second source of questions of each place: those that a router is fitted on, and those that it is measured on. */
function halves<Q extends Pick<PlacedQuestion, 'belongs' | 'source'>>(questions: readonly Q[]): [Q[], Q[]] {
  const places = [...groupBy(questions, ({ belongs }) => belongs).values()].map((own) => [
    ...groupBy(own, ({ source }) => source ?? Symbol()).values(),
  ]);
  const half = (rest: number) => places.flatMap((sources) => sources.filter((_, i) => i % 2 === rest).flat());
  return [half(0), half(1)];
}
