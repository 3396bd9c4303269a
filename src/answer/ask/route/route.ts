import type { Abstention, RouteCandidate, RouteDecision, RoutePreview, RouteReason } from '../answer.js';
import type { Plan } from '../plan.js';
import type { Question } from '../question.js';
import type { Destination, RouterVerdict } from './router/look-around.js';
import { STRATEGIES, Strategy, strategyThat } from '../strategies.js';

/** What the decision is made from. */
export interface RouteFeatures {
  /** How the caller chose. */
  choice: Question['strategy'];
  /** Whether the caller named what to answer from. */
  named: boolean;
  /** The adapter that the caller named; null when none. */
  adapter: string | null;
  /** Collections that may be read, and chunks in them; null when the caller's choice made it needless to look. */
  readable: { collections: number; chunks: number } | null;
  /** Labelled rows that the caller wants to be read; null when none. */
  labelledRows: number | null;
  /** Median time of recent answers, in ms, by strategy. */
  expectedMs: Readonly<Partial<Record<Strategy, number>>>;
}

/** What AUTO is where no router decides: whoever reads refuses what isn't there, also where nothing is; the base model would invent it. */
const UNROUTED = strategyThat({ reads: true, adapts: false });

/** Which strategy answers where no router decides, and why. */
export function decideRoute(features: RouteFeatures): RouteDecision {
  const { choice, named, readable, labelledRows } = features;
  const { collections, chunks } = readable ?? { collections: 0, chunks: 0 };
  const strategy = choice === 'AUTO' ? UNROUTED : choice;
  const forReading = STRATEGIES[strategy].reads ? 1 : -1;
  const reasons: RouteReason[] = [];
  if (choice !== 'AUTO')
    reasons.push({
      feature: 'strategy.requested',
      value: 1,
      contribution: 1,
      sentence: `The caller asked for ${choice}.`,
    });
  if (labelledRows !== null)
    reasons.push({
      feature: 'dataset.rows',
      value: labelledRows,
      contribution: choice === 'AUTO' ? forReading : 0,
      sentence: `The caller named a dataset: ${count(labelledRows, 'labelled row')} can be read.`,
    });
  else if (named && choice === 'AUTO')
    reasons.push({
      feature: 'collections.named',
      value: collections,
      contribution: forReading,
      sentence: 'The caller named the collections to answer from.',
    });
  if (readable !== null)
    reasons.push({
      feature: 'collections.chunks',
      value: chunks,
      contribution: choice === 'AUTO' ? (chunks > 0 ? forReading : -forReading) : 0,
      sentence:
        chunks > 0
          ? `${count(collections, 'collection')} with ${count(chunks, 'passage')} can be read.`
          : 'There is no passage to read.',
    });
  return { strategy, chosenBy: choice === 'AUTO' ? 'ROUTER' : 'CALLER', candidates: candidatesOf(features), reasons };
}

/**
 * The decision that a router makes, or what it would have made of the question where it only observes.
 * @param refusals of those who were asked before, in their order
 */
export function routed(
  observed: RouteDecision,
  verdict: RouterVerdict,
  refusals: readonly Abstention[],
): RouteDecision {
  const { version, mode, order, owner, reasons } = verdict;
  const destination = order[refusals.length];
  if (mode === 'APPLY' && destination) {
    const refusalReasons = order.slice(0, refusals.length).map(({ label }, i) => refusedReason(label, refusals[i]!));
    return {
      strategy: destination.strategy,
      chosenBy: 'ROUTER',
      reasons: [...reasons, ...refusalReasons],
      ...considered(verdict, refusals),
    };
  }
  const [first = owner] = order;
  const description = first.adapter === null ? first.strategy : `${first.strategy} with ${first.adapter}`;
  const sentence = `Router ${version}, which only observes, would have chosen ${description}.`;
  const observedReason = { feature: 'router.observed', value: first.probability ?? 0, contribution: 0, sentence };
  return { ...observed, reasons: [...observed.reasons, observedReason], ...considered(verdict, refusals) };
}

/** The decision where nobody is left to be asked: the base model, in its own words or, where an abstention is given, as what stands for nobody. */
export function nobodyRoute(
  observed: RouteDecision,
  verdict: RouterVerdict | null,
  refusals: readonly Abstention[],
  abstention: Abstention | null,
): RouteDecision {
  const strategy = strategyThat({ reads: false, adapts: false });
  const destinations = verdict?.mode === 'APPLY' ? verdict.order : [];
  const refusalReasons = refusals.map((refusal, i) =>
    refusedReason(destinations[i]?.label ?? 'What was asked first', refusal),
  );
  const nobodys = {
    feature: 'route.nobody',
    value: verdict?.owner.probability ?? 1,
    contribution: 1,
    sentence:
      'No document and no adapter has an answer: what the base model says here are its own words, without evidence.',
  };
  const reasons = [...(verdict?.reasons ?? observed.reasons), ...refusalReasons, ...(abstention ? [] : [nobodys])];
  if (verdict?.mode !== 'APPLY') return { ...observed, strategy, reasons };
  return { strategy, chosenBy: 'ROUTER', reasons, ...considered(verdict, refusals) };
}

/** Where a question would go: to whom the router holds it to belong, or, without one, to documents where any can be read. */
export function previewOf(observed: RouteDecision, verdict: RouterVerdict | null): RoutePreview {
  const isReadable = observed.candidates.some(({ strategy, available }) => strategy === UNROUTED && available);
  const unrouted = isReadable ? UNROUTED : strategyThat({ reads: false, adapts: false });
  const owner = verdict?.owner ?? { strategy: unrouted, adapter: null, probability: null, pValue: null };
  const { strategy, adapter, probability, pValue } = owner;
  return {
    destination: adapter?.split('@')[0] ?? (STRATEGIES[strategy].reads ? 'DOCUMENTS' : 'NOBODY'),
    probability,
    pValue,
    candidates:
      verdict?.places.map((place) => {
        const order = verdict.order.indexOf(place) + 1;
        return { ...candidateOf(place, -1, []), ...(order > 0 && { order }) };
      }) ?? observed.candidates,
  };
}

/** The destinations that a router considered, and which router it was. */
function considered(
  { places, order, version, mode, owner }: RouterVerdict,
  refusals: readonly Abstention[],
): Pick<RouteDecision, 'candidates' | 'router'> {
  const otherProbabilities = places.filter((place) => place !== owner).map(({ probability }) => probability ?? 0);
  const placeOf = (place: Destination): number => (mode === 'APPLY' ? order.indexOf(place) : -1);
  return {
    candidates: places.map((place) => candidateOf(place, placeOf(place), refusals)),
    router: { version, mode, margin: (owner.probability ?? 0) - Math.max(0, ...otherProbabilities) },
  };
}

/** @param rank its place among those who are asked, -1 where it isn't */
function candidateOf(place: Destination, rank: number, refusals: readonly Abstention[]): RouteCandidate {
  const { strategy, adapter, probability, expectedMs, pValue, nearest, passage } = place;
  const refusal = rank >= 0 ? refusals[rank] : undefined;
  return {
    strategy,
    available: true,
    probability,
    expectedMs,
    ...(adapter !== null && { adapter }),
    ...(pValue !== null && { pValue }),
    ...(nearest && { nearest }),
    ...(passage && { passage }),
    ...(rank >= 0 && rank <= refusals.length && { order: rank + 1 }),
    ...(refusal && { refused: refusal.sentence }),
  };
}

const refusedReason = (label: string, { sentence, probability }: Abstention): RouteReason => ({
  feature: 'route.refused',
  value: probability ?? 0,
  contribution: 0,
  sentence: `${label} was asked before and refused: ${sentence}`,
});

/** The decision with something that was only seen later, such as a vector store that does not answer. */
export const withReason = (route: RouteDecision, reason: RouteReason | null): RouteDecision =>
  reason === null ? route : { ...route, reasons: [...route.reasons, reason] };

/** What should be known of an adapter that is shown passages and never learned to read any; null when it did, or is shown none. */
export function unreadReason({ scope, adaptation }: Plan): RouteReason | null {
  if (scope === null || adaptation === null || adaptation.adapter.usage.reads) return null;
  const { adapter, version } = adaptation.adapter;
  return {
    feature: 'adapter.reads',
    value: 0,
    contribution: -1,
    sentence: `${adapter}@${version} was trained without passages: it may take no notice of those that it is shown.`,
  };
}

/** A strategy can answer where there is what it reads and what it applies; one whose passages nobody looked for is left out. */
function candidatesOf({ readable, labelledRows, adapter, expectedMs }: RouteFeatures): RouteCandidate[] {
  // Those that need no adapter first, and of them the one with sources.
  const baseStrategies = [true, false].map((reads) => strategyThat({ reads, adapts: false }));
  const order = new Set([...baseStrategies, ...Object.values(Strategy)]);
  return [...order]
    .filter((strategy) => readable !== null || labelledRows !== null || !STRATEGIES[strategy].reads)
    .map((strategy) => {
      const { reads, adapts } = STRATEGIES[strategy];
      return {
        strategy,
        available: (!reads || (labelledRows ?? readable?.chunks ?? 0) > 0) && (!adapts || adapter !== null),
        probability: null,
        expectedMs: expectedMs[strategy] ?? null,
      };
    });
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
