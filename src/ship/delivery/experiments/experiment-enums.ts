import { registerEnumType } from 'type-graphql';
import { Better, Finding, Verdict } from './conclude.js';
import { ExperimentAction, ExperimentStatus } from './experiment.js';
import { Adjustment, ExperimentMetricName } from './metrics.js';

// What an experiment’s states, metrics and findings are called in the API.

registerEnumType(ExperimentStatus, {
  name: 'ExperimentStatus',
  description: 'How far an experiment is.',
  valuesConfig: {
    DRAFT: { description: 'It is planned; nobody is drawn.' },
    RUNNING: { description: 'Questions are drawn into its arms.' },
    PAUSED: { description: 'Production answers everything; what is said late of its answers still counts.' },
    ENDED: { description: 'It came to a conclusion. It ships nothing.' },
    STOPPED: { description: 'It was given up: by a person, or because something that it needs is gone.' },
  },
});

registerEnumType(ExperimentAction, {
  name: 'ExperimentAction',
  description: 'What happened to an experiment.',
  valuesConfig: {
    CREATE: { description: 'It was planned.' },
    START: { description: 'Questions are drawn from then on.' },
    PAUSE: { description: 'A person paused it.' },
    RESUME: { description: 'A person let it go on.' },
    BEGIN_TEST: { description: 'Enough was known of units as they are; the arms differ from then on.' },
    WIDEN: { description: 'More of the questions take part.' },
    STOP_ARM: { description: 'An arm can’t answer any more; its units are answered as production.' },
    WARN: { description: 'Its figures can’t be trusted, or going on is futile.' },
    FIND: { description: 'Its figures say something that they didn’t before.' },
    END: { description: 'It came to a conclusion.' },
    STOP: { description: 'It was given up.' },
  },
});

registerEnumType(ExperimentMetricName, {
  name: 'ExperimentMetric',
  description: 'What of answers is compared between arms.',
  valuesConfig: {
    FEEDBACK: { description: 'Share that most opinions on it find right, of the answers on which there are any.' },
    AGREEMENT: {
      description:
        'Share that is as those expected who showed the right answer, of the answers for which somebody did.',
    },
    FAILURE: { description: 'Share of the answers that were errors.' },
    ABSTENTION: { description: 'Share of the answers that gave none.' },
    LATENCY: { description: 'Typical time until the answer: the geometric mean, in ms.' },
    COST: { description: 'Tokens that were typically computed for an answer: the geometric mean.' },
    CONFIDENCE: { description: 'Mean estimated probability that the answer is right, 0 to 1, where there is one.' },
  },
});

registerEnumType(Better, {
  name: 'ExperimentBetter',
  description: 'Which way a metric is better.',
  valuesConfig: { HIGHER: { description: 'More is better.' }, LOWER: { description: 'Less is better.' } },
});

registerEnumType(Verdict, {
  name: 'ExperimentVerdict',
  description: 'What an experiment says.',
  valuesConfig: {
    WINNER: { description: 'An arm is better than the control by the primary metric, or the control than every arm.' },
    NO_DIFFERENCE: { description: 'Every arm differs from the control by less than the margin.' },
    INCONCLUSIVE: { description: 'Neither was shown, or its figures can’t be trusted.' },
  },
});

registerEnumType(Finding, {
  name: 'ExperimentFinding',
  description: 'What the interval of an arm’s difference says.',
  valuesConfig: {
    BETTER: { description: 'The arm is better than the control.' },
    WORSE: { description: 'It is worse.' },
    WITHIN_MARGIN: { description: 'It differs by less than the margin.' },
    OPEN: { description: 'None of these is shown.' },
  },
});

registerEnumType(Adjustment, {
  name: 'ExperimentAdjustment',
  description: 'How a mean is made to vary less, by what was known before the arms differed.',
  valuesConfig: {
    NONE: { description: 'Not at all.' },
    CUPED: { description: 'By how each unit was before (Deng, Xu, Kohavi and Walker, 2013).' },
  },
});
