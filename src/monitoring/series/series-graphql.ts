import { Arg, Ctx, Field, Float, InputType, ObjectType, Query, registerEnumType, Resolver } from 'type-graphql';
import { DateTime, make, MaxItems, Needs, recordType, type GraphContext } from '../../graphql-kit/index.js';
import { COLUMNS, Dimension, Metric, Resolution, RESOLUTIONS, type SeriesKey } from './metric.js';
import { MOST_DIMENSIONS, MOST_POINTS, MOST_SERIES, seriesPoint, type Series as SeriesRecord } from './series.js';
import type { SeriesService } from './series-service.js';

registerEnumType(Metric, {
  name: 'Metric',
  description: 'What a series tells of answers.',
  valuesConfig: {
    VOLUME: { description: 'Answers and failures; those that callers withdrew are CANCELLED.' },
    ERROR_RATE: { description: 'Share that failed, 0 to 1.' },
    ERRORS: { description: 'How many failed; split by ERROR_CODE it says why.' },
    CANCELLED: { description: 'How many were withdrawn by their callers.' },
    ABSTENTION_RATE: { description: 'Share of answers that abstained, 0 to 1.' },
    LATENCY: { description: 'From the question to the end of its answer, in ms: mean and percentiles.' },
    PROMPT_TOKENS: { description: 'Tokens of the prompt: mean of an answer.' },
    GENERATED_TOKENS: { description: 'Tokens that the model wrote: mean of an answer.' },
    COST: { description: 'How long model and embedder worked, in ms: mean of an answer and percentiles.' },
    CONFIDENCE: {
      description: 'Probability of the label, else that the answer was found, 0 to 1: mean and percentiles.',
    },
    RETRIEVAL_SCORE: { description: 'Fused score of the best passage that was read, 0 to 1: mean and percentiles.' },
    ROUTE_MIX: { description: 'Share of answers by strategy, 0 to 1; a series for each.' },
    LABEL_MIX: { description: 'Share of predicted labels, 0 to 1; a series for each.' },
    FEEDBACK: {
      description: 'What people and programs said, -1 to 1: mean. It stands in the bucket in which it was said.',
    },
    ACCURACY: { description: 'Share of right answers, 0 to 1, among those of which feedback says whether they are.' },
    CALIBRATION_ERROR: {
      description:
        'How far confidence is from the share of right answers, 0 to 1 (expected calibration error), among those of which feedback says whether they are.',
    },
  },
});

registerEnumType(Dimension, {
  name: 'Dimension',
  description: 'What series are split by.',
  valuesConfig: {
    MODEL: { description: 'The model, as `name@quantization`.' },
    ADAPTER: { description: 'The adapter version, as `name@3`; empty where none answered.' },
    STRATEGY: { description: 'The strategy.' },
    COLLECTION: {
      description:
        'The collection of the first citation, else of the best evidence; empty where none was read, and of failures.',
    },
    SUBJECT: { description: 'The rollout or experiment; empty outside of one.' },
    ARM: { description: 'The arm of the rollout or experiment; empty outside of one.' },
    ERROR_CODE: { description: 'Why it failed: with ERRORS.' },
    LABEL: { description: 'The predicted label: with LABEL_MIX.' },
  },
});

registerEnumType(Resolution, {
  name: 'Resolution',
  description: 'How long a bucket of a series is, in UTC.',
  valuesConfig: {
    MINUTE: { description: `A minute; kept for ${RESOLUTIONS.MINUTE.keptDays} days.` },
    HOUR: { description: `An hour; kept for ${RESOLUTIONS.HOUR.keptDays} days.` },
    DAY: { description: `A day; kept for ${RESOLUTIONS.DAY.keptDays} days.` },
  },
});

const NAMED = 'at most 200 characters; an empty text for none';

@InputType({ description: 'Which answers series are about; conditions add up.' })
export class SeriesFilter {
  @Field(() => String, { nullable: true, description: `The model, as \`name@quantization\`; ${NAMED}.` })
  model?: string | null;

  @Field(() => String, {
    nullable: true,
    description: `The adapter version, as \`name@3\`, for a rule also \`name\` for all of them; ${NAMED}.`,
  })
  adapter?: string | null;

  @Field(() => String, { nullable: true, description: `The strategy; ${NAMED}.` })
  strategy?: string | null;

  @Field(() => String, { nullable: true, description: `The collection; ${NAMED}.` })
  collection?: string | null;

  @Field(() => String, { nullable: true, description: `The rollout or experiment; ${NAMED}.` })
  subject?: string | null;

  @Field(() => String, { nullable: true, description: `Its arm; ${NAMED}.` })
  arm?: string | null;
}

@InputType({ description: 'Which series to read.' })
export class MonitoringInput {
  @Field(() => Metric, { description: 'What they tell.' })
  metric!: Metric;

  @MaxItems(MOST_DIMENSIONS)
  @Field(() => [Dimension], {
    nullable: true,
    description: `What they are split by: at most ${MOST_DIMENSIONS} dimensions; by default one series of all answers.`,
  })
  by?: Dimension[] | null;

  @Field(() => SeriesFilter, { nullable: true, description: 'Only answers made with these; all by default.' })
  where?: SeriesFilter | null;

  @Field(() => DateTime, { nullable: true, description: 'From when on; by default a day before `to`.' })
  from?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Up to when, exclusive; now by default.' })
  to?: Date | null;

  @Field(() => Resolution, {
    nullable: true,
    description: `How long a bucket is, at most ${MOST_POINTS} of them; by default MINUTE for up to 6 hours, HOUR for up to 14 days, DAY beyond.`,
  })
  resolution?: Resolution | null;
}

const SeriesPoint = recordType(seriesPoint);
type SeriesPoint = InstanceType<typeof SeriesPoint>;

@ObjectType({ description: 'A value by which a series is told from the others.' })
export class SeriesValue {
  @Field(() => Dimension, { description: 'Of what.' })
  dimension!: Dimension;

  @Field(() => String, { description: 'The value; empty where answers have none.' })
  value!: string;
}

@ObjectType({ description: 'A metric over time, of the answers that have the same values in what it is split by.' })
export class Series {
  @Field(() => Metric, { description: 'What it tells.' })
  metric!: Metric;

  @Field(() => [SeriesValue], { description: 'What tells it from the others; empty for all answers.' })
  by!: SeriesValue[];

  @Field(() => Resolution, { description: 'How long its buckets are.' })
  resolution!: Resolution;

  @Field(() => Float, { description: 'How many answers (or pieces of feedback) all of it is about.' })
  count!: number;

  @Field(() => [SeriesPoint], { description: 'Its buckets, oldest first; one in which nothing happened is left out.' })
  points!: SeriesPoint[];

  readonly about!: SeriesAbout;
}

/** Which answers a series is about, and when: what leads to its alerts. */
export interface SeriesAbout {
  where: Partial<SeriesKey>;
  from: Date;
  to: Date;
}

const toSeries = ({ metric, by, values, resolution, points }: SeriesRecord, asked: SeriesAbout): Series => {
  const own: Partial<SeriesKey> = {};
  by.forEach((dimension, i) => {
    const column = COLUMNS[dimension];
    if (column) own[column] = values[i]!;
  });
  return make(Series, {
    metric,
    resolution,
    points,
    about: { ...asked, where: { ...asked.where, ...own } },
    by: by.map((dimension, i) => ({ dimension, value: values[i]! })),
    count: points.reduce((sum, { count }) => sum + count, 0),
  });
};

@Resolver()
export class SeriesResolver {
  constructor(private readonly parts: { series: SeriesService }) {}

  @Needs('EDIT')
  @Query(() => [Series], {
    description: `A metric over time, from counts that are kept as answers come: at most ${MOST_SERIES} series, those with the most answers first. What is deleted later changes no series.`,
    complexity: ({ childComplexity }) => 50 + 10 * childComplexity,
  })
  async monitoring(
    @Arg('input', () => MonitoringInput, { description: 'Which.' }) input: MonitoringInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<Series[]> {
    const where = Object.fromEntries(
      Object.entries(input.where ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    );
    const span = this.parts.series.spanOf(input);
    const found = await this.parts.series.read(workspaceId, { ...input, ...span, where });
    return found.map((series) => toSeries(series, { ...span, where }));
  }
}
