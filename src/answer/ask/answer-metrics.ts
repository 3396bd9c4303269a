/**
 * What is measured of answers: one table, from which experiments, rollouts, alert rules and series choose. A use that a metric lacks doesn't offer it.
 * Its reading names the fields that it needs, so that a use that hasn't got them doesn't compile. The console reads the titles: nothing is imported here.
 */

/** What an answer came to, in numbers. */
export interface AnswerOutcome {
  status: 'COMPLETE' | 'FAILED' | 'CANCELLED';
  abstained: boolean;
  /** From the question to the end of its answer, in ms. */
  latencyMs: number | null;
  /** 0 to 1: the probability of the label, else that the answer was found. */
  confidence: number | null;
  /** Computed for prompt and answer. */
  tokens: number | null;
  promptTokens: number | null;
  generatedTokens: number | null;
  /** How long model and embedder worked, in ms. */
  computeMs: number | null;
  /** Fused score of the best passage, 0 to 1. */
  retrievalScore: number | null;
}

/** @typeParam Outcome what a use knows of an answer */
export interface AnswerMetric<Outcome> {
  /** A share of answers, a mean of values from 0 to 1, or a geometric mean: what is skewed to the right, such as a time, is compared by its logarithms. */
  kind: 'RATE' | 'MEAN' | 'GEOMETRIC';
  better: 'HIGHER' | 'LOWER';
  unit?: 'ms' | 'tokens';
  /** What an answer says of it, of a rate 1 or 0; null where it says nothing. Feedback says later what is `late`. */
  read: (outcome: Outcome) => number | null;
  late?: true;
}

interface Use<Name extends string = string> {
  /** What GraphQL calls the metric in this use. */
  name: Name;
  /** What its value of the enum means. */
  meaning: string;
}

/** What each use adds. */
export interface MetricUses {
  /** `margin`: the largest difference that is none where a plan names none. `sql`: the value as SQL reads it of a row of `answer`; null of what is `late`. */
  experiment: Use & { title: string; margin: number; sql: string | null };
  /**
   * `margin`: by how much a candidate may be worse. `least`: the least share of good answers beside which no controls answer any more.
   * `bound`: what an answer is held against; null of a rate.
   */
  rollout: Use & { title: string; margin: number; least?: number; bound: 'latencyMs' | 'confidence' | null };
  /** `title`: what a rule looks at, in a list; `subject`: what the sentence of an alert is about. */
  rule: Use & { title: string; subject: string };
  /** Of answers of which a series has mean and quantiles; `counted` is its name in the buckets, `failures` whether failures have it, too. */
  series: Use & { counted: string; scale?: 'DURATION' | 'UNIT'; failures?: true };
}

type Reads<Field extends keyof AnswerOutcome> = Pick<AnswerOutcome, Field>;

/** The answer says nothing of it. */
const unknown = (): null => null;

export const ANSWER_METRICS = {
  FAILURE: {
    kind: 'RATE',
    better: 'LOWER',
    read: ({ status }: Reads<'status'>) => (status === 'CANCELLED' ? null : Number(status === 'FAILED')),
    experiment: {
      name: 'FAILURE',
      title: 'Errors',
      meaning: 'Share of the answers that were errors.',
      margin: 0.02,
      sql: `(status = 'FAILED')::int`,
    },
    rollout: {
      name: 'FAILURE',
      title: 'Answers without an error',
      meaning: 'Whether there was an answer, not an error.',
      margin: 0.01,
      least: 0.8,
      bound: null,
    },
    rule: {
      name: 'ERROR_RATE',
      title: 'failures',
      meaning: 'Whether it failed: a failure is of what was to answer, and of no collection, so that it takes none.',
      subject: 'the share of failures',
    },
  },
  ABSTENTION: {
    kind: 'RATE',
    better: 'LOWER',
    read: ({ status, abstained }: Reads<'status' | 'abstained'>) => (status === 'COMPLETE' ? Number(abstained) : null),
    experiment: {
      name: 'ABSTENTION',
      title: 'Questions without an answer',
      meaning: 'Share of the answers that gave none.',
      margin: 0.05,
      sql: `CASE status WHEN 'COMPLETE' THEN abstained::int END`,
    },
    rollout: {
      name: 'ABSTENTION',
      title: 'Questions that are answered',
      meaning: 'Whether one was given at all.',
      margin: 0.02,
      bound: null,
    },
    rule: {
      name: 'ABSTENTION_RATE',
      title: 'abstentions',
      meaning: 'Whether it abstained.',
      subject: 'the share of abstentions',
    },
  },
  LATENCY: {
    kind: 'GEOMETRIC',
    better: 'LOWER',
    unit: 'ms',
    read: ({ latencyMs }: Reads<'latencyMs'>) => latencyMs,
    experiment: {
      name: 'LATENCY',
      title: 'Time to the answer',
      meaning: 'Typical time until the answer: the geometric mean, in ms.',
      margin: 0,
      sql: 'latency_ms',
    },
    rollout: {
      name: 'LATENCY',
      title: 'Answers that are quick enough',
      meaning:
        'Whether it came in time: `slowMs`, or twice the median of the first 20 controls, and at least 500 ms above it.',
      margin: 0.05,
      least: 0.5,
      bound: 'latencyMs',
    },
    rule: {
      name: 'LATENCY',
      title: 'slow answers',
      meaning: 'Whether it took longer than `beyond` ms.',
      subject: 'the share of answers that take longer than',
    },
    series: {
      name: 'LATENCY',
      meaning: 'From the question to the end of its answer, in ms: mean and percentiles.',
      counted: 'LATENCY',
      scale: 'DURATION',
      failures: true,
    },
  },
  TOKENS: {
    kind: 'GEOMETRIC',
    better: 'LOWER',
    unit: 'tokens',
    read: ({ tokens }: Reads<'tokens'>) => tokens,
    experiment: {
      name: 'COST',
      title: 'Tokens computed',
      meaning: 'Tokens that were typically computed for an answer: the geometric mean.',
      margin: 0,
      sql: `(body->'cost'->>'computedTokens')::float8`,
    },
  },
  PROMPT_TOKENS: {
    kind: 'GEOMETRIC',
    better: 'LOWER',
    unit: 'tokens',
    read: ({ promptTokens }: Reads<'promptTokens'>) => promptTokens,
    rule: {
      name: 'PROMPT_TOKENS',
      title: 'long prompts',
      meaning: 'Whether its prompt had more than `beyond` tokens.',
      subject: 'the share of answers with more prompt tokens than',
    },
    series: { name: 'PROMPT_TOKENS', meaning: 'Tokens of the prompt: mean of an answer.', counted: 'PROMPT_TOKENS' },
  },
  GENERATED_TOKENS: {
    kind: 'GEOMETRIC',
    better: 'LOWER',
    unit: 'tokens',
    read: ({ generatedTokens }: Reads<'generatedTokens'>) => generatedTokens,
    rule: {
      name: 'GENERATED_TOKENS',
      title: 'long answers',
      meaning: 'Whether the model wrote more than `beyond` tokens.',
      subject: 'the share of answers with more generated tokens than',
    },
    series: {
      name: 'GENERATED_TOKENS',
      meaning: 'Tokens that the model wrote: mean of an answer.',
      counted: 'GENERATED_TOKENS',
    },
  },
  COMPUTE: {
    kind: 'GEOMETRIC',
    better: 'LOWER',
    unit: 'ms',
    read: ({ computeMs }: Reads<'computeMs'>) => computeMs,
    rule: {
      name: 'COST',
      title: 'answers that cost much',
      meaning: 'Whether model and embedder worked longer than `beyond` ms.',
      subject: 'the share of answers that cost more compute than',
    },
    series: {
      name: 'COST',
      meaning: 'How long model and embedder worked, in ms: mean of an answer and percentiles.',
      counted: 'COMPUTE',
      scale: 'DURATION',
    },
  },
  CONFIDENCE: {
    kind: 'MEAN',
    better: 'HIGHER',
    read: ({ confidence }: Reads<'confidence'>) => confidence,
    experiment: {
      name: 'CONFIDENCE',
      title: 'Confidence',
      meaning: 'Mean estimated probability that the answer is right, 0 to 1, where there is one.',
      margin: 0,
      sql: 'confidence',
    },
    rollout: {
      name: 'CONFIDENCE',
      title: 'Answers that are sure enough',
      meaning: 'Whether it was sure enough: `unsure`, or the fifth least sure of the first 20 controls.',
      margin: 0.05,
      bound: 'confidence',
    },
    rule: { name: 'CONFIDENCE', title: 'confidence', meaning: 'How sure it is, 0 to 1.', subject: 'mean confidence' },
    series: {
      name: 'CONFIDENCE',
      meaning: 'Probability of the label, else that the answer was found, 0 to 1: mean and percentiles.',
      counted: 'CONFIDENCE',
      scale: 'UNIT',
    },
  },
  RETRIEVAL: {
    kind: 'MEAN',
    better: 'HIGHER',
    read: ({ retrievalScore }: Reads<'retrievalScore'>) => retrievalScore,
    rule: {
      name: 'RETRIEVAL_SCORE',
      title: 'retrieval score',
      meaning: 'The fused score of the best passage, 0 to 1.',
      subject: 'the mean retrieval score',
    },
    series: {
      name: 'RETRIEVAL_SCORE',
      meaning: 'Fused score of the best passage that was read, 0 to 1: mean and percentiles.',
      counted: 'RETRIEVAL',
      scale: 'UNIT',
    },
  },
  FEEDBACK: {
    kind: 'RATE',
    better: 'HIGHER',
    read: unknown,
    late: true,
    experiment: {
      name: 'FEEDBACK',
      title: 'Answers found right by readers',
      meaning: 'Share that most opinions on it find right, of the answers on which there are any.',
      margin: 0.05,
      sql: null,
    },
    rollout: {
      name: 'FEEDBACK',
      title: 'Answers that people found right',
      meaning:
        'Whether the first who judged it, by `submitFeedback` or as a reviewer, found it right; counted when they say so, also of steps that were left. Answers of which nobody says anything count for nothing.',
      margin: 0.05,
      bound: null,
    },
  },
  AGREEMENT: {
    kind: 'RATE',
    better: 'HIGHER',
    read: unknown,
    late: true,
    experiment: {
      name: 'AGREEMENT',
      title: 'Answers as they were shown to be right',
      meaning: 'Share that is as those expected who showed the right answer, of the answers for which somebody did.',
      margin: 0.05,
      sql: null,
    },
  },
  ACCURACY: {
    kind: 'RATE',
    better: 'HIGHER',
    read: unknown,
    late: true,
    rule: {
      name: 'ACCURACY',
      title: 'right answers',
      meaning: 'Whether feedback says that it is right, as feedback comes.',
      subject: 'the share of right answers',
    },
  },
} as const satisfies Record<string, AnswerMetric<never> & Partial<MetricUses>>;

type Entries = (typeof ANSWER_METRICS)[keyof typeof ANSWER_METRICS];
type Used<U extends keyof MetricUses> = Extract<Entries, Record<U, unknown>>;
/** Names of the metrics that a use has. */
export type MetricName<U extends keyof MetricUses> = Used<U>[U] extends Use<infer Name> ? Name : never;

/** Names of those that feedback tells. */
export type LateMetricName<U extends keyof MetricUses> =
  Extract<Used<U>, { late: true }>[U] extends Use<infer Name> ? Name : never;

/** A metric with what a use adds, in whichever words the table has that. */
type MetricOf<U extends keyof MetricUses> = Omit<Used<U>, keyof MetricUses> &
  Pick<AnswerMetric<never>, 'unit' | 'late'> &
  MetricUses[U] &
  Pick<Used<U>[U], keyof Used<U>[U]>;

/** The metrics of a use by their names there. Whoever reads them all needs every field that one of them reads. */
export function metricsFor<U extends keyof MetricUses>(
  use: U,
): { readonly [Name in MetricName<U>]: MetricOf<U> & { name: Name } } {
  const table: readonly (AnswerMetric<never> & Partial<MetricUses>)[] = Object.values(ANSWER_METRICS);
  return Object.fromEntries(
    table.flatMap((metric) => (metric[use] ? [[metric[use].name, { ...metric, ...metric[use] }]] : [])),
  ) as never;
}

/** What each of them means, for a `choice`. */
export const meaningsOf = <Name extends string>(metrics: Readonly<Record<Name, Use>>): Record<Name, string> =>
  Object.fromEntries(Object.entries<Use>(metrics).map(([name, { meaning }]) => [name, meaning])) as Record<
    Name,
    string
  >;
