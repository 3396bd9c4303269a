import {
  assign,
  decide,
  enterStep,
  evidenceOf,
  hasEnded,
  planOf,
  quality,
  record,
  recordLate,
  rolloutTest,
  startRollout,
  startWatch,
  type PlanRequest,
  type RolloutPlan,
  type RolloutState,
  type Watch,
} from '../../src/ship/delivery/index.js';
import { fewer, shareOf, type Line, type Topic } from './line.js';
import { isRight, JUDGED, questions, TRAFFIC, type Question, type Traffic } from './traffic.js';

/** What becomes of one answer of an arm. */
export interface Outcome {
  failed?: boolean;
  abstained?: boolean;
  slow?: boolean;
  unsure?: boolean;
  /** What somebody says of it, where somebody does. */
  right: boolean;
}

/** How a version answers. @param number of the question, from 0 */
export type Version = (question: Question, number: number) => Outcome;

/** Right at this rate, and else as good as any. */
export const rightAt =
  (rate: number): Version =>
  (question) => ({ right: isRight(question, rate) });

export interface Ride {
  status: RolloutState['status'];
  awaitsApproval: boolean;
  step: number;
  /** Of the candidate, all steps together. */
  answers: number;
  reasons: string[];
  watch: Watch;
}

export interface RideOptions {
  traffic: Traffic;
  seed: number;
  judged?: number;
  users?: number;
  spread?: number;
  /** Answers of both arms together at which it is left. */
  most: number;
  /** Whether a person approves whatever awaits it; true by default. */
  approves?: boolean;
}

/** Questions for each answer that is compared, at most: of few users it may be that no arm has one, however often they ask. */
const MOST_QUESTIONS = 20;

/** Takes a stream of questions through a rollout until it ends, awaits what nobody approves, or enough were answered. */
export function ride(
  plan: RolloutPlan,
  candidate: Version,
  production: Version,
  { traffic, seed, most, approves = true, ...rest }: RideOptions,
): Ride {
  const watch = startWatch(plan);
  let state = startRollout(0);
  let [answers, compared, number] = [0, 0, 0];
  let reasons: string[] = [];
  let awaitsApproval = false;
  const seen = new Set<string>();
  for (const question of questions(traffic, { seed, ...rest })) {
    if (compared >= most || number >= MOST_QUESTIONS * most) break;
    if (hasEnded(state) || (awaitsApproval && !approves)) break;
    const { share, controls } = plan.steps[state.step]!;
    const drawn = assign(rolloutTest(`rollout-${seed}`, share, controls), question.unit);
    number += 1;
    if (drawn === null) continue;
    compared += 1;
    const isCandidate = drawn.arm === 'CANDIDATE';
    answers += Number(isCandidate);
    const {
      failed = false,
      abstained = false,
      slow = false,
      unsure = false,
      right,
    } = (isCandidate ? candidate : production)(question, number - 1);
    const arm = drawn.arm as 'CANDIDATE' | 'CONTROL';
    const unit = `${state.step} ${arm} ${question.unit}`;
    const measures = { FAILURE: !failed, ABSTENTION: !abstained, LATENCY: !slow, CONFIDENCE: !unsure };
    const newUnit = !seen.has(unit);
    record(watch, plan, { step: state.step, arm, at: question.at, newUnit, measures });
    seen.add(unit);
    if (question.judged) {
      const verdict = `${unit} judged`;
      recordLate(watch, plan, { step: state.step, arm, newUnit: !seen.has(verdict), measures: { FEEDBACK: right } });
      seen.add(verdict);
    }
    for (;;) {
      const decision = decide(plan, state, evidenceOf(watch, plan), question.at);
      if (decision.state.step !== state.step) enterStep(watch, plan, decision.state.step);
      ({ state, reasons } = decision);
      awaitsApproval = decision.action === 'AWAIT_APPROVAL';
      if (!awaitsApproval || !approves) break;
      state = decide(plan, state, evidenceOf(watch, plan), question.at, { kind: 'APPROVE' }).state;
    }
  }
  return { status: state.status, awaitsApproval, step: state.step, answers, reasons, watch };
}

/** A plan as callers get it, of one step that nobody leaves: what guardrails do is seen without the steps. */
export function heldAt(share: number, wish: PlanRequest = {}): RolloutPlan {
  const [step] = planOf(wish).steps;
  return { ...planOf(wish), steps: [{ ...step!, share, controls: 9, leastAnswers: Infinity, approval: false }] };
}

const wentBack = (...given: Parameters<typeof ride>): boolean => ride(...given).status === 'ROLLED_BACK';

const JUDGEMENTS: PlanRequest = { guardrails: [{ metric: 'FEEDBACK', margin: 0 }] };
/** Fails in one of a hundred answers, as what is shared does. */
const usual: Version = (question) => ({ failed: question.chance < 0.01, right: true });
const failsAt =
  (rate: number): Version =>
  ({ chance }) => ({ failed: chance < rate, right: true });

function* equalCandidates(streams: number): Iterable<Line> {
  const goesBack = { promise: 'an equally good candidate goes back', promised: { atMost: 0.05 }, streams };
  const plan = planOf(JUDGEMENTS);
  for (const traffic of TRAFFIC)
    for (const judged of JUDGED)
      yield {
        ...goesBack,
        measured: shareOf(streams, 11, (seed) =>
          wentBack(plan, rightAt(0.8), rightAt(0.8), { traffic, seed, judged, most: 3_000 }),
        ),
        traffic,
        judged,
      };
  for (const users of [20, 500])
    yield {
      ...goesBack,
      promise: `the same, ${users} users`,
      measured: shareOf(streams, 13, (seed) =>
        wentBack(plan, rightAt(0.8), rightAt(0.8), { traffic: 'repeating users', users, seed, most: 3_000 }),
      ),
      traffic: 'repeating users',
      judged: 1,
    };
  for (const share of [0.3, 0.4, 0.6])
    yield {
      ...goesBack,
      promise: `the same, held at a share of ${share}`,
      measured: shareOf(streams, 17, (seed) =>
        wentBack(heldAt(share, JUDGEMENTS), rightAt(0.9), rightAt(0.9), {
          traffic: 'day and night',
          seed,
          most: 5_000,
        }),
      ),
      traffic: 'day and night',
      judged: 1,
    };
  const outage: Version = (question, number) =>
    number >= 3_000 && number < 3_090 ? { failed: true, right: true } : usual(question, number);
  yield {
    ...goesBack,
    promise: 'the same, both arms down for 90 questions',
    measured: shareOf(streams, 19, (seed) =>
      wentBack(heldAt(0.1), outage, outage, { traffic: 'independent', seed, judged: 0, most: 5_000 }),
    ),
    traffic: 'independent',
    judged: 0,
  };
}

function* worseCandidates(streams: number): Iterable<Line> {
  for (const traffic of TRAFFIC)
    yield {
      promise: 'a candidate that always fails goes back, where anybody is answered by it',
      promised: { atLeast: 1 },
      measured: shareOf(streams, 23, (seed) => {
        const options = { traffic, seed, judged: 0, most: 6_000, approves: false };
        const { status, answers } = ride(planOf({}), failsAt(1), usual, options);
        return status === 'ROLLED_BACK' || answers === 0;
      }),
      streams,
      traffic,
      judged: 0,
    };
  for (const traffic of TRAFFIC)
    for (const judged of JUDGED)
      yield {
        promise: 'one 20 points worse is proposed as if that would have been seen',
        promised: { atMost: 0.1 },
        measured: shareOf(streams, 29, (seed) => {
          const plan = planOf({});
          const options = { traffic, seed, judged, most: 6_000, approves: false };
          const { awaitsApproval, watch } = ride(plan, rightAt(0.7), rightAt(0.9), options);
          return awaitsApproval && quality(plan, watch).couldBeSeen;
        }),
        streams,
        traffic,
        judged,
      };
  const late: Version = (question, number) => failsAt(number < 10_000 ? 0.01 : 0.3)(question, number);
  yield {
    promise: 'failures of 30 % after 1,000 good answers are found within 60',
    promised: { atLeast: 0.9 },
    measured: shareOf(streams, 31, (seed) =>
      wentBack(heldAt(0.1), late, usual, { traffic: 'independent', seed, judged: 0, most: 10_600 }),
    ),
    streams,
    traffic: 'independent',
    judged: 0,
  };
  yield {
    promise: 'failures of 3 % beside .5 % are found within 2,500 answers',
    promised: { atLeast: 0.9 },
    measured: shareOf(streams, 37, (seed) =>
      wentBack(heldAt(0.1), failsAt(0.03), failsAt(0.005), {
        traffic: 'independent',
        seed,
        judged: 0,
        most: 25_000,
      }),
    ),
    streams,
    traffic: 'independent',
    judged: 0,
  };
}

export const rollouts: Topic = {
  name: 'rollouts',
  *lines(streams) {
    yield* equalCandidates(streams);
    yield* worseCandidates(fewer(streams));
  },
};
