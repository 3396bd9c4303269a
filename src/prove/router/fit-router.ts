import {
  calibrate,
  heldByDocuments,
  logOdds,
  ownerOf,
  placeKey,
  SIGNIFICANCE,
  weigh,
  yieldsTo,
  type BestSentence,
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
  /** Null where nothing was found, or no adapter takes the question for its own. */
  best: BestSentence | null;
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

/** Ids: adapters whose membership was learned, and collections. */
interface PlaceIds {
  collections: readonly string[];
  adapters: readonly string[];
}

/** What is served: documents are one place, known by the collection nearest to the question. */
interface FittedRouter extends Weights {
  collections: FittedCollection[];
  /** By adapter: see `RouterParameters`. */
  evidence: ReadonlyMap<string, readonly number[]>;
  significance: number;
}

/**
 * Calibrates collections, fits how sure the whole is, and measures it. Each half of the questions measures what was fitted on the other, none of which shares its
 * source; served is what was fitted on the first.
 * @param evidence what documents held for messages of each adapter, as scores of the best sentences; none of an adapter where there were no documents
 * @returns collections without enough questions of their own are left out
 */
export function fitRouter(
  places: PlaceIds,
  questions: readonly PlacedQuestion[],
  evidence: FittedRouter['evidence'] = new Map(),
): FittedRouter & Pick<RouterParameters, 'figures' | 'risks'> {
  const placeIds = new Set([...places.collections, ...places.adapters]);
  const [first, second] = halves(questions.filter(({ belongs }) => belongs === null || placeIds.has(belongs)));
  const [mainFit, crossed] = [fitHalf(places, evidence, first, second), fitHalf(places, evidence, second, first)];
  const heldOutRows = measuredOn(places, mainFit, second);
  return {
    ...mainFit,
    figures: figuresOf(places, [...heldOutRows, ...measuredOn(places, crossed, first)]),
    risks: risksOf(evenly(independent(heldOutRows), ({ gold }) => gold)),
  };
}

function fitHalf(
  places: PlaceIds,
  evidence: FittedRouter['evidence'],
  fitting: readonly PlacedQuestion[],
  heldOutQuestions: readonly PlacedQuestion[],
): FittedRouter {
  const ofDocuments = new Set(places.collections);
  const isOwn = ({ belongs }: PlacedQuestion): boolean => ofDocuments.has(belongs ?? '');
  const allForeign = fitting.filter((question) => !isOwn(question));
  const collections = places.collections.flatMap((id): FittedCollection[] => {
    const isHere = ({ nearest }: PlacedQuestion): boolean => nearest?.id === id;
    // Whose documents are read is no choice: questions about others' that come here count as its own.
    const ownSignals = signalsOf(fitting.filter((question) => isHere(question) && isOwn(question)));
    const foreignHere = signalsOf(allForeign.filter(isHere));
    // A collection that hardly a foreign question comes to is known by those that come to others.
    const foreign = foreignHere.length < LEAST_OWN ? signalsOf(allForeign) : foreignHere;
    const heldOut = signalsOf(heldOutQuestions.filter((question) => isHere(question) && isOwn(question)));
    if (Math.min(ownSignals.length, foreign.length, heldOut.length) < LEAST_OWN) return [];
    const calibration = calibrate(ownSignals, foreign);
    const scores = heldOut.map((signal) => logOdds(calibration, signal)).sort((a, b) => a - b);
    return [{ id, calibration, heldOut: { rows: scores.length, foreign: foreign.length, scores } }];
  });
  const placeIds = new Set([...collections.map(({ id }) => id), ...places.adapters]);
  const usable = ({ belongs }: PlacedQuestion): boolean => belongs === null || placeIds.has(belongs);
  const significance = significanceOf(places, fitting);
  const fitted = { collections, adapters: places.adapters, evidence, significance };
  return { collections, evidence, significance, ...fitWhole(fitted, fitting.filter(usable)) };
}

/** Share of messages of adapters that may count as foreign to all of them. */
const LOST = 0.025;

/**
 * The p-value that all but few messages of adapters reach at one of them. Each takes some of what is foreign to it by chance, so of several one does more
 * easily; a message that is its own to one is rarely foreign to all.
 */
function significanceOf({ adapters }: PlaceIds, questions: readonly PlacedQuestion[]): number {
  const ownQuestions = questions.filter(({ belongs }) => adapters.includes(belongs ?? ''));
  const highest = ownQuestions.map(({ memberships }) =>
    Math.max(...[...memberships.values()].map(({ pValue }) => pValue)),
  );
  const reached = highest.sort((a, b) => a - b)[Math.floor(LOST * (highest.length + 1)) - 1];
  return Math.max(SIGNIFICANCE, reached ?? 0);
}

const signalsOf = (questions: readonly PlacedQuestion[]): PlaceSignal[] =>
  questions.flatMap(({ nearest }) => nearest?.signal ?? []);

type Fitted = Pick<FittedRouter, 'collections' | 'evidence' | 'significance'> & Pick<PlaceIds, 'adapters'>;

const BASE = { strategy: 'BASE', adapter: null } as const;
const DOCUMENTS = { strategy: 'RAG', adapter: null } as const;
const UNKNOWN = { logOdds: null, pValue: null, own: null, expectedMs: null, yields: false };

const isUncalibrated = (place: Place): boolean => placeKey(place) === placeKey(DOCUMENTS) && place.pValue === null;

/** The places of one question, as the router weighs them. */
function placesOf(
  { collections, adapters, evidence, significance }: Fitted,
  { memberships, nearest, best }: PlacedQuestion,
): Place[] {
  const places: Place[] = [{ ...BASE, ...UNKNOWN }];
  for (const id of adapters) {
    const membership = memberships.get(id);
    if (!membership) continue;
    const isOwn = membership.pValue >= significance;
    const yields = isOwn && yieldsTo(evidence.get(id) ?? [], best);
    places.push({ ...UNKNOWN, ...membership, strategy: 'ADAPTER', adapter: id, own: isOwn, yields });
  }
  if (nearest === null) return places;
  return [...places, { ...UNKNOWN, ...heldByDocuments(collections, nearest), ...DOCUMENTS }];
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
  const loss = (point: Float64Array): number => {
    const weights = weightsAt(point);
    const likelihood = placed.reduce((sum, { right, places }) => {
      const place = weigh(places, weights).find((candidate) => placeKey(candidate) === right);
      return sum + Math.log(Math.max(place?.probability ?? 0, 1e-6));
    }, 0);
    const pull = point.reduce((sum, value) => sum + value ** 2, 0);
    return (PRIOR_ROWS * pull - likelihood) / Math.max(1, placed.length);
  };
  return weightsAt(minimize(byDifferences(loss, 1e-3), new Float64Array(3), { steps: 50 }));
}

/** A held-out question: where it belongs, and where it went. */
interface MeasuredQuestion extends ClassifiedRow {
  source: string | null;
}

function measuredOn(places: PlaceIds, router: FittedRouter, questions: readonly PlacedQuestion[]): MeasuredQuestion[] {
  const fitted = { ...router, adapters: places.adapters };
  return questions.map((question) => {
    const weighed = weigh(placesOf(fitted, question), router);
    const owner = ownerOf(weighed);
    // Documents that nobody calibrated are read whatever is asked, as without a router: that they refuse what isn't theirs, reading sees to.
    const isRead = question.belongs === null && weighed.some((place) => isUncalibrated(place));
    const gold = isRead ? placeKey(DOCUMENTS) : keyOf(fitted, question);
    return { gold, predicted: placeKey(owner), probability: owner.probability, source: question.source };
  });
}

/**
 * Of both sides, messages of adapters and all else, as many: how many questions were made of a place says nothing of how many will be asked. Without a router all else
 * would be read and refused as it is now.
 */
function figuresOf({ adapters }: PlaceIds, rows: readonly MeasuredQuestion[]): RouterParameters['figures'] {
  const isMessage = ({ gold }: ClassifiedRow): boolean => adapters.includes(gold);
  const even = evenly(independent(rows), rows.some(isMessage) ? isMessage : ({ gold }) => gold);
  const sure = rows.filter(({ probability }) => probability !== null);
  const commonest = commonestOf(even);
  const isCommonest = rows.some(isMessage)
    ? (row: ClassifiedRow): boolean => !isMessage(row)
    : ({ gold }: ClassifiedRow): boolean => gold === commonest;
  const lead = mcnemar(
    even.map(({ gold, predicted }) => gold === predicted),
    even.map(isCommonest),
  );
  return {
    questions: even.length,
    accuracy: even.length === 0 ? 0 : measure(accuracy, even),
    calibrationError: sure.length === 0 ? 0 : measure(calibrationError, sure),
    commonest: even.filter(isCommonest).length / Math.max(1, even.length),
    p: lead.onlyFirst > lead.onlySecond ? lead.p : 1,
  };
}

/** One question of each source: the others are right or wrong with it. */
function independent(rows: readonly MeasuredQuestion[]): MeasuredQuestion[] {
  const sources = new Set<string>();
  return rows.filter(({ source }) => {
    const isDuplicate = source !== null && sources.has(source);
    if (source !== null) sources.add(source);
    return !isDuplicate;
  });
}

function commonestOf(rows: readonly ClassifiedRow[]): ClassifiedRow['gold'] | undefined {
  const places = [...groupBy(rows, ({ gold }) => gold)];
  return places.sort(([, a], [, b]) => b.length - a.length)[0]?.[0];
}

/** Of each destination those that went there, as many of each place: else the place with most questions, where nearly all go right, would answer for one with few. */
function risksOf(even: readonly ClassifiedRow[]): RouterParameters['risks'] {
  const risks: RouterParameters['risks'] = {};
  const routedRows = even.filter(({ probability }) => probability !== null);
  for (const [key, routes] of groupBy(routedRows, ({ predicted }) => predicted ?? ''))
    risks[key] = riskCurveOf(
      routes.map(({ gold, predicted, probability }) => ({ confidence: probability ?? 0, right: gold === predicted })),
    );
  return risks;
}

/** As many of each group, drawn from all of its own: else the one with most of them, where nearly all go right, would answer for one with few. */
function evenly(rows: readonly MeasuredQuestion[], groupOf: (row: ClassifiedRow) => unknown): MeasuredQuestion[] {
  const groups = [...groupBy(rows, groupOf).values()];
  const groupSize = Math.min(...groups.map(({ length }) => length));
  return groups.flatMap((group) =>
    Array.from({ length: groupSize }, (_, i) => group[Math.floor((i * group.length) / groupSize)]!),
  );
}

/** Every second source of questions of each place: those that a router is fitted on, and those that it is measured on. */
function halves<Q extends Pick<PlacedQuestion, 'belongs' | 'source'>>(questions: readonly Q[]): [Q[], Q[]] {
  const places = [...groupBy(questions, ({ belongs }) => belongs).values()].map((group) => [
    ...groupBy(group, ({ source }) => source ?? Symbol()).values(),
  ]);
  const half = (rest: number) => places.flatMap((sources) => sources.filter((_, i) => i % 2 === rest).flat());
  return [half(0), half(1)];
}
