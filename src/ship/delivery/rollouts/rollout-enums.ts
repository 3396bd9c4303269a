import { registerEnumType } from 'type-graphql';
import { RolloutMetric } from './measures.js';
import { RolloutStatus } from './decide.js';
import { RolloutAction } from './rollout.js';
import { RolloutTemplate } from './settings.js';

// What a rollout’s states, decisions and figures are called in the API.

registerEnumType(RolloutStatus, {
  name: 'RolloutStatus',
  description: 'How far a rollout is.',
  valuesConfig: {
    RUNNING: { description: 'The candidate answers the share of its step.' },
    PAUSED: { description: 'A person holds it: the share stays, and guardrails still roll back.' },
    ROLLED_BACK: { description: 'A guardrail was crossed: production answers everything again.' },
    COMPLETED: { description: 'The candidate is production.' },
    ABORTED: {
      description: 'It was ended without the candidate: by a person, or because something that it needs is gone.',
    },
  },
});

registerEnumType(RolloutAction, {
  name: 'RolloutAction',
  description: 'What was decided of a rollout.',
  valuesConfig: {
    START: { description: 'It began.' },
    ROLL_BACK: { description: 'Back to production, because a guardrail was crossed.' },
    HOLD: { description: 'Stay at this step; the reasons say for what.' },
    AWAIT_APPROVAL: { description: 'The step has passed, and a person must approve before it is left.' },
    ADVANCE: { description: 'On to the next step.' },
    COMPLETE: { description: 'The candidate became production.' },
    PAUSE: { description: 'A person paused it.' },
    RESUME: { description: 'A person let it go on.' },
    APPROVE: { description: 'A person approved that the step is left.' },
    JUMP: { description: 'A person moved it to another step.' },
    ABORT: { description: 'It was ended without the candidate.' },
  },
});

registerEnumType(RolloutMetric, {
  name: 'RolloutMetric',
  description: 'What of an answer is compared between candidate and control.',
  valuesConfig: {
    FAILURE: { description: 'Whether there was an answer, not an error.' },
    ABSTENTION: { description: 'Whether one was given at all.' },
    LATENCY: { description: 'Whether it came in time: `slowMs`, or twice the median of the first 20 controls.' },
    CONFIDENCE: {
      description: 'Whether it was sure enough: `unsure`, or the fifth least sure of the first 20 controls.',
    },
    FEEDBACK: {
      description:
        'Whether the first who judged it, by `submitFeedback` or as a reviewer, found it right; counted when they say so, also of steps that were left. Answers of which nobody says anything count for nothing.',
    },
  },
});

registerEnumType(RolloutTemplate, {
  name: 'RolloutTemplate',
  description: 'A ready plan.',
  valuesConfig: {
    STANDARD: {
      description:
        '1, 5, 10, 25 and 50 %, each for at least ten minutes and 20 to 50 answers of the candidate; everybody after an approval.',
    },
    CAREFUL: {
      description: 'The same shares, each for at least an hour and four times the answers, with an approval at 10 %.',
    },
    QUICK: { description: '10 and 50 %, each for at least ten answers and no time: for trying it.' },
  },
});
