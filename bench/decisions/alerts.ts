import { FRESH, stepRule, type Rule } from '../../src/operate/monitoring/index.js';
import { shareOf, type Line, type Topic } from './line.js';
import { questions, TRAFFIC, type Question, type Traffic } from './traffic.js';

const RULE: Rule = {
  metric: 'ERROR_RATE',
  side: 'ABOVE',
  threshold: 0.01,
  limit: null,
  where: {},
  answersPerFalseAlert: 20_000,
  quietMinutes: 15,
};
const WATCHED = 1_000;
const AGE = 3_000;
/** A stream takes some 10 ms. */
const MOST_STREAMS = 500;

/** Failures at a mean rate; those of hard questions, users and nights are up to half as many again. */
const fails = ({ ease, chance }: Question, rate: number): boolean => chance < rate * (1 - 2 * ease);

/** Whether a rule is raised among so many answers behind the first `age`. */
function raised(traffic: Traffic, seed: number, { age, rate }: { age: number; rate: number }): boolean {
  let state = FRESH;
  let number = 0;
  for (const question of questions(traffic, { seed })) {
    if (number >= age + WATCHED) break;
    const isEarly = number < age;
    const step = stepRule(RULE, state, Number(fails(question, isEarly ? 0.003 : rate)));
    state = step.state;
    number += 1;
    if (step.change === 'RAISED' && !isEarly) return true;
  }
  return false;
}

/** What a rule promises: one false alert in 20,000 answers, so in one of 20 stretches of 1,000. */
export const alerts: Topic = {
  name: 'alerts',
  *lines(most) {
    const streams = Math.min(most, MOST_STREAMS);
    for (const traffic of TRAFFIC) {
      const line = { streams, traffic, judged: null } satisfies Partial<Line>;
      // By night more fail, so that a day whose mean is on the threshold has fewer.
      const allowed = traffic === 'day and night' ? 0.01 / 1.1 : 0.01;
      yield {
        ...line,
        promise: 'failures of 1 % raise an alert at 1 % within 1,000 answers',
        promised: { atMost: WATCHED / RULE.answersPerFalseAlert },
        measured: shareOf(streams, 3, (seed) => raised(traffic, seed, { age: 0, rate: allowed })),
      };
      for (const age of [0, AGE])
        yield {
          ...line,
          promise: `failures of 3 % raise an alert at 1 % within 1,000 answers, after ${age} quiet ones`,
          promised: { atLeast: 0.9 },
          measured: shareOf(streams, 5, (seed) => raised(traffic, seed, { age, rate: 0.03 })),
        };
    }
  },
};
