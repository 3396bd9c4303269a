import { type z } from 'zod';
import { powerOfRates } from '../../../prove/index.js';
import { record, float } from '../../../kernel/record.js';
import { percent } from '../../../kernel/text.js';
import { alphaOf, type RolloutPlan } from './plan.js';
import { storedPlan, storedState, type RolloutRow } from './rollout.js';
import { drawn, type Watch } from './watch.js';

/** Losses of which is said with which probability they would have been found: of 1. */
const LOSSES = [0.05, 0.1, 0.2] as const;
/** What of good answers is taken while there are no controls. */
const USUAL_RATE = 0.9;

export const lossSeen = record('LossSeen', 'Whether a loss would have been found, had there been one.', {
  loss: float('The loss: so much lower a share of good answers, 0 to 1.'),
  byNow: float('Probability that a candidate that is worse by it would have been found by now, 0 to 1.'),
  byTheEnd: float('The same once each step that is left has its least answers, as often judged as until now, 0 to 1.'),
});
type LossSeen = z.infer<typeof lossSeen>;

/** What the test of a figure could have seen by now, and will have by the end of the plan. */
export function couldSee(plan: RolloutPlan, watch: Watch, name: string): LossSeen[] {
  const measure = watch.measures[name];
  const guardrail = plan.guardrails.find((entry) => entry.name === name);
  if (!measure || !guardrail) return [];
  const { margin } = guardrail;
  const alpha = alphaOf(plan);
  const counts = { candidate: measure.candidate.n, control: measure.control.n };
  const remainder = answersLeft(plan, watch);
  const share = shareMeasured(plan, watch, name);
  const end = {
    candidate: counts.candidate + share * remainder.candidate,
    control: counts.control + share * remainder.control,
  };
  const control = counts.control > 0 ? measure.control.good / counts.control : USUAL_RATE;
  const powerWith = (loss: number, { candidate, control: controls }: typeof counts): number => {
    const answers = candidate + controls;
    return candidate === 0 || controls === 0
      ? 0
      : powerOfRates({ drawn: candidate / answers, margin }, { control, loss, answers, alpha });
  };
  return LOSSES.map((loss) => ({ loss, byNow: powerWith(loss, counts), byTheEnd: powerWith(loss, end) }));
}

/** What judgements say of quality: a proposal says, and a policy approves, no more than could be known. */
interface Quality {
  /** Whether a loss of 10 points would by now have been found rather than missed. */
  couldBeSeen: boolean;
  sentence: string;
}

export function quality(plan: RolloutPlan, watch: Watch): Quality {
  const unseen = (reason: string) => ({
    couldBeSeen: false,
    sentence: `${reason}: a loss of quality could not have been seen.`,
  });
  const detection = couldSee(plan, watch, 'FEEDBACK').find(({ loss }) => loss === 0.1);
  if (!detection) return unseen('Judgements were not compared');
  const { candidate, control } = watch.measures['FEEDBACK']!;
  if (candidate.n + control.n === 0) return unseen('Nobody judged an answer');
  const power = `of ${candidate.n} judged answers and ${control.n} judged controls a loss of 10 points would have been found with ${percent(detection.byNow)}`;
  const couldBeSeen = detection.byNow >= SELDOM;
  return { couldBeSeen, sentence: `Quality${couldBeSeen ? '' : ' could hardly have been seen'}: ${power}.` };
}

/** As a rollout's row has it. */
export const qualityOf = ({ plan, state }: Pick<RolloutRow, 'plan' | 'state'>): Quality =>
  quality(storedPlan.decode(plan), storedState.decode(state).watch);

/** Found more seldom than missed. */
const SELDOM = 0.5;

/** Answers that the plan wants still, of this step and those behind it. */
function answersLeft(plan: RolloutPlan, { step, answers }: Watch): { candidate: number; control: number } {
  const remainder = { candidate: 0, control: 0 };
  plan.steps.slice(step).forEach(({ leastAnswers }, i) => {
    const ratio = drawn(plan, step + i);
    if (ratio === null) return;
    const candidate = Math.max(0, leastAnswers - (i === 0 ? answers.candidate : 0));
    remainder.candidate += candidate;
    remainder.control += (candidate * (1 - ratio)) / ratio;
  });
  return remainder;
}

/** The share of answers that say something of a figure: as seen here, else as the plan knows it of production's. */
function shareMeasured({ judged = null }: RolloutPlan, { all, measures }: Watch, name: string): number {
  const measure = measures[name]!;
  if (all > 0) return (measure.candidate.n + measure.control.n) / all;
  return name === 'FEEDBACK' ? (judged ?? 0) : 1;
}
