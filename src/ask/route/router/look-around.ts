/*
 * A question is held against places once and may be decided on several times. Places: the base model, which needs no look; collections, by what is retrieved
 * from them; adapters, by the rows nearest to the question of those that they learned. An adapter whose version left production in between
 * is taken out, with a reason, and the rest is decided on again. Chance has a say only in the first round, only of a router that
 * applies what it finds, and for nobody who wants an error rate kept.
 */

import { isGraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { QueryVector, SearchScope } from '../../../knowledge/index.js';
import type { RouteReason } from '../../answer.js';
import { chunksOf, retrievePassages, type RetrievalResult } from '../../read/retrieve.js';
import type { AskParts } from '../../parts.js';
import { strategyThat } from '../../strategies.js';
import type { ExpectedTimes } from '../expected-times.js';
import {
  contributions,
  knownOf,
  logOdds,
  type SimilarityCalibration,
  type Feature,
  type PlaceSignal,
} from './calibration.js';
import { routeBound } from '../risk.js';
import { choose, SURE_OF_ADAPTER, SURE_OF_BASE, weigh, type Choice, type Place, type ScoredPlace } from './choose.js';
import { drawOf, explore } from './explore.js';
import type { RouterMode } from './router.js';
import type { Current } from './router-store.js';
import { nearestCollection, signalOfSample } from './signals.js';

/** What a router made of a question. */
export interface RouterVerdict {
  version: number;
  mode: RouterMode;
  choice: Choice;
  /** What spoke for the choice, and what an adapter that is gone had to do with it. */
  reasons: RouteReason[];
  /** The passages that were looked at: whoever reads needs not look for them again. */
  found: RetrievalResult | null;
  /** See `explore`. */
  propensity: number | null;
  explored: boolean;
}

/** A question as it is held against the places. */
export interface RouterQuery {
  workspaceId: WorkspaceId;
  text: string;
  scope: SearchScope;
  vector: Promise<QueryVector>;
  expectedMs: ReturnType<ExpectedTimes['medians']>;
  /** The error rate that routes shall keep on held-out questions; null: any. */
  maxErrorRate: number | null;
  /** What its chance is drawn from; null or missing where nothing may be tried on it. */
  requestKey?: string | null;
}

/** What a place of each sort is answered by. */
const ALONE = strategyThat({ reads: false, adapts: false });
const READING = strategyThat({ reads: true, adapts: false });
const ADAPTING = strategyThat({ reads: false, adapts: true });
const BOTH = strategyThat({ reads: true, adapts: true });

/** A place with what is known of the question there. */
type CandidatePlace = Place & { label: string; signal: PlaceSignal | null; calibration: SimilarityCalibration | null };

/**
 * Holds a question against every place that a router knows, and chooses. An adapter that is no longer in production is passed over.
 * @throws what retrieval and the worker throw
 */
export async function lookAround(
  parts: Pick<AskParts, 'retriever' | 'adapters' | 'labelIndexes'>,
  { record, samples }: Current,
  { workspaceId, text, scope, vector, expectedMs, maxErrorRate, requestKey = null }: RouterQuery,
  signal: AbortSignal,
): Promise<RouterVerdict> {
  const [found, asked] = await Promise.all([
    chunksOf(scope) > 0 ? retrievePassages(parts, scope, { text, vector }, signal) : null,
    vector,
  ]);
  const places: CandidatePlace[] = [
    { ...NOWHERE, strategy: ALONE, label: 'The base model', expectedMs: expectedMs[ALONE] ?? null },
    ...readable(record.learned.collections, found).map((known) => ({
      ...known,
      expectedMs: expectedMs[READING] ?? null,
    })),
  ];
  for (const { versionId, name, version, calibration } of record.learned.adapters) {
    const sample = samples.get(versionId);
    if (!sample) continue;
    const near = signalOfSample(sample, asked.vector, text);
    const score = logOdds(calibration, near);
    places.push({
      strategy: ADAPTING,
      adapter: `${name}@${version}`,
      label: name,
      signal: near,
      calibration,
      logOdds: score,
      expectedMs: expectedMs[ADAPTING] ?? null,
    });
  }
  const bound = maxErrorRate === null ? null : routeBound(record.learned.risk ?? null, maxErrorRate);
  // Who wants an error rate kept is no one to try things on, and a version that observes changes nothing.
  const share = requestKey === null || bound || record.mode !== 'APPLY' ? 0 : record.exploration;
  const draw = share > 0 ? drawOf(record.id, requestKey ?? '') : 1;
  const gone: RouteReason[] = [];
  for (let open = places; ;) {
    const decided = choose(weigh(open, record.learned), bound?.least ?? 0);
    // Once an adapter is gone, chances are others than were drawn.
    const { choice, propensity, explored } = explore(decided, gone.length > 0 ? 0 : share, draw);
    const { chosen } = choice;
    const served = chosen.adapter === null ? null : await inProduction(parts, workspaceId, chosen.adapter);
    if (served === 'GONE') {
      gone.push({
        feature: 'router.adapter.gone',
        value: 1,
        contribution: 0,
        sentence: `${chosen.adapter} is not in production any more: fit the router again.`,
      });
      open = open.filter(({ adapter }) => adapter !== chosen.adapter);
      continue;
    }
    const reasons = [...gone, ...(bound ? [bound.reason] : []), ...reasonsOf(choice)];
    const chance = { propensity, explored };
    return { version: record.version, mode: record.mode, choice: applied(choice, served), reasons, found, ...chance };
  }
}

/** An adapter whose rows are indexed answers by both, and so it stands among the candidates. */
function applied(choice: Choice<CandidatePlace & ScoredPlace>, served: 'ALONE' | 'INDEXED' | null): Choice {
  if (served !== 'INDEXED') return choice;
  const chosen = { ...choice.chosen, strategy: BOTH };
  return { ...choice, chosen, places: choice.places.map((each) => (each === choice.chosen ? chosen : each)) };
}

const NOWHERE = { adapter: null, logOdds: null, signal: null, calibration: null };

/** What is to be read, if there is anything. */
function readable(
  calibrated: readonly { id: string; calibration: SimilarityCalibration }[],
  found: RetrievalResult | null,
): Omit<CandidatePlace, 'expectedMs'>[] {
  const nearest = nearestCollection(found?.retrieval.passages ?? []);
  if (!nearest) return [];
  const { id, name, signal } = nearest;
  const calibration = calibrated.find((each) => each.id === id)?.calibration ?? null;
  return [{ strategy: READING, adapter: null, label: name, signal, calibration, ...knownOf(calibration, signal) }];
}

/** How a version of an adapter can answer now. */
async function inProduction(
  { adapters, labelIndexes }: Pick<AskParts, 'adapters' | 'labelIndexes'>,
  workspaceId: WorkspaceId,
  reference: string,
): Promise<'ALONE' | 'INDEXED' | 'GONE'> {
  const [name = ''] = reference.split('@');
  try {
    const served = await adapters.resolve(workspaceId, name);
    if (`${served.adapter}@${served.version}` !== reference) return 'GONE';
    const { datasetVersionId } = served;
    const byToken = served.usage.answer.form === 'label-token' && datasetVersionId !== null;
    return byToken && (await labelIndexes.find(workspaceId, { datasetVersionId })) ? 'INDEXED' : 'ALONE';
  } catch (error) {
    if (isGraftError(error, 'NOT_FOUND')) return 'GONE';
    throw error;
  }
}

const EXCEPTIONS = {
  TIE: 'It is as good as tied with another, and the quicker of them.',
  UNSURE: 'No place is probable enough: then the documents are read, which can refuse.',
  INVENTS: `The base model is chosen at a probability of ${SURE_OF_BASE} and above, because what it invents costs more than a refusal: the documents are read.`,
  RISK: 'It is less probable than keeps the error rate that was asked for: the documents are read, which can refuse.',
  EXPLORED: 'It is tried on a small share of questions, to learn what people say of it.',
  UNKNOWN: `The router can’t tell how well these documents suit, and no adapter is at least ${SURE_OF_ADAPTER} probable without them: they are read. fitRouter makes it know new documents, unless they are so few that its version lists them as left out.`,
} as const;

const MEANINGS: Record<Feature, string> = {
  top: 'similarity to the nearest there',
  mean: 'mean similarity to the three nearest there',
  coverage: 'share of its words in the best passage there',
  kind: 'lead of the similarity to the mean there over that to general text',
  words: 'length (logarithm of the number of words)',
  asks: 'question mark at the end (1: there is one)',
  capitals: 'share of words with a capital',
  digits: 'share of digits',
};

function reasonsOf({ chosen, likeliest, margin, exception }: Choice<CandidatePlace & ScoredPlace>): RouteReason[] {
  const { label, signal, calibration } = chosen;
  const points = (100 * Math.abs(margin)).toFixed(0);
  const place = margin < 0 ? `${points} points behind: ${likeliest.label}` : `${points} points before the next`;
  const reasons: RouteReason[] = [
    {
      feature: 'router.probability',
      value: chosen.probability ?? 0,
      contribution: margin,
      sentence: `${label}: ${said(chosen)}, ${place}.`,
    },
  ];
  if (signal && calibration)
    for (const { feature, value, contribution } of contributions(calibration, signal))
      if (contribution !== 0)
        reasons.push({
          feature: `router.${feature}`,
          value,
          contribution,
          sentence: `The question’s ${MEANINGS[feature]} is ${value.toFixed(2)}; that of questions from elsewhere is ${(calibration.elsewhere[feature] ?? 0).toFixed(2)}.`,
        });
  if (exception)
    reasons.push({ feature: 'router.exception', value: 1, contribution: 0, sentence: EXCEPTIONS[exception] });
  return reasons;
}

const said = ({ probability }: ScoredPlace): string =>
  probability === null ? 'probability unknown' : `probability ${probability.toFixed(2)}`;
