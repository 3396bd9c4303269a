import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import { z } from 'zod';
import { Needs, type GraphContext, inputType, ofType, objectType, listOf } from '../../../kit/graphql/index.js';
import { string, oneOf, list, date, float } from '../../../kernel/record.js';
import { COLUMNS, Dimension, Metric, Resolution, type SeriesKey } from './metric.js';
import { MOST_DIMENSIONS, MOST_POINTS, MOST_SERIES, seriesPoint, type Series as SeriesRecord } from './series.js';
import type { SeriesService } from './series-service.js';

const NAMED = 'at most 200 characters; an empty text for none';

export const SeriesFilter = inputType('SeriesFilter', 'Which answers series are about; conditions add up.', {
  model: string(`The model, as \`name@quantization\`; ${NAMED}.`).nullish(),
  adapter: string(`The adapter version, as \`name@3\`, for a rule also \`name\` for all of them; ${NAMED}.`).nullish(),
  strategy: string(`The strategy; ${NAMED}.`).nullish(),
  collection: string(`The collection; ${NAMED}.`).nullish(),
  subject: string(`The rollout or experiment; ${NAMED}.`).nullish(),
  arm: string(`Its arm; ${NAMED}.`).nullish(),
});
export type SeriesFilter = InstanceType<typeof SeriesFilter>;

const MonitoringInput = inputType('MonitoringInput', 'Which series to read.', {
  metric: oneOf(Metric, 'What they tell.'),
  by: list(
    z.enum(Dimension),
    `What they are split by: at most ${MOST_DIMENSIONS} dimensions; by default one series of all answers.`,
  )
    .max(MOST_DIMENSIONS)
    .nullish(),
  where: ofType(() => SeriesFilter, 'Only answers made with these; all by default.').nullish(),
  from: date('From when on; by default a day before `to`.').nullish(),
  to: date('Up to when, exclusive; now by default.').nullish(),
  resolution: oneOf(
    Resolution,
    `How long a bucket is, at most ${MOST_POINTS} of them; by default MINUTE for up to 6 hours, HOUR for up to 14 days, DAY beyond.`,
  ).nullish(),
});
type MonitoringInput = InstanceType<typeof MonitoringInput>;

const SeriesValue = objectType('SeriesValue', 'A value by which a series is told from the others.', {
  dimension: oneOf(Dimension, 'Of what.'),
  value: string('The value; empty where answers have none.'),
});

export const Series = objectType(
  'Series',
  'A metric over time, of the answers that have the same values in what it is split by.',
  {
    metric: oneOf(Metric, 'What it tells.'),
    by: listOf(() => SeriesValue, 'What tells it from the others; empty for all answers.'),
    resolution: oneOf(Resolution, 'How long its buckets are.'),
    count: float('How many answers (or pieces of feedback) all of it is about.'),
    points: list(seriesPoint, 'Its buckets, oldest first; one in which nothing happened is left out.'),
    about: z.custom<SeriesAbout>(),
  },
);
export type Series = InstanceType<typeof Series>;

/** Which answers a series is about, and when: what leads to its alerts. */
interface SeriesAbout {
  where: Partial<SeriesKey>;
  from: Date;
  to: Date;
}

const toSeries = ({ metric, by, values, resolution, points }: SeriesRecord, about: SeriesAbout): Series => {
  const ownKey: Partial<SeriesKey> = {};
  by.forEach((dimension, i) => {
    const column = COLUMNS[dimension];
    if (column) ownKey[column] = values[i]!;
  });
  return {
    metric,
    resolution,
    points,
    about: { ...about, where: { ...about.where, ...ownKey } },
    by: by.map((dimension, i) => ({ dimension, value: values[i]! })),
    count: points.reduce((sum, { count }) => sum + count, 0),
  };
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
    const seriesList = await this.parts.series.read(workspaceId, { ...input, ...span, where });
    return seriesList.map((series) => toSeries(series, { ...span, where }));
  }
}
