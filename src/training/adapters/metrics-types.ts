import { Field, Float, Int, ObjectType } from 'type-graphql';
import { BigIntScalar, make } from '../../graphql-kit/index.js';
import { storedMetrics, type AdapterVersionRow } from '../../registry/index.js';

@ObjectType({ description: 'Memory of a training: what was estimated before it, and what it took.' })
export class TrainingMemory {
  @Field(() => BigIntScalar, {
    nullable: true,
    description: 'What the train worker was estimated to take at most, in bytes; null where it wasn’t estimated.',
  })
  estimatedBytes!: bigint | null;

  @Field(() => BigIntScalar, { description: 'The most that it was seen to take, in bytes.' })
  peakBytes!: bigint;
}

@ObjectType({
  description: 'Time of a training’s steps; that of a run that was interrupted is of its last stretch.',
})
export class TrainingTime {
  @Field(() => Float, {
    nullable: true,
    description: 'What they were estimated to take, in seconds; null where no pace was known before.',
  })
  estimatedSeconds!: number | null;

  @Field(() => Float, { description: 'What they took, in seconds, without measurements on validation rows.' })
  seconds!: number;

  @Field(() => Float, { description: 'Tokens learned a second, without padding.' })
  tokensPerSecond!: number;
}

@ObjectType({ description: 'A scale that was tried on validation rows.' })
export class MeasuredScale {
  @Field(() => Float, { description: 'What the adapter’s effect was multiplied by.' })
  scale!: number;

  @Field(() => Float, { description: 'The metric that it reached.' })
  value!: number;
}

@ObjectType({ description: 'How often held-out answers of at least one confidence were wrong.' })
export class RiskPoint {
  @Field(() => Float, { description: 'The least confidence of these answers, 0 to 1.' })
  confidence!: number;

  @Field(() => Int, { description: 'Answers of at least that confidence.' })
  decisions!: number;

  @Field(() => Int, { description: 'How many of them were wrong.' })
  wrong!: number;
}

@ObjectType({ description: 'What was measured of a version when it was trained, and since.' })
export class AdapterMetrics {
  @Field(() => Int, { nullable: true, description: 'Steps of its training; null for an imported version.' })
  steps!: number | null;

  @Field(() => Int, { nullable: true, description: 'The step whose weights were kept; null for an imported version.' })
  adapterStep!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Loss of these weights on validation rows, in nats a token; null without such rows.',
  })
  validationLoss!: number | null;

  @Field(() => TrainingMemory, {
    nullable: true,
    description: 'Memory that its training took; null for versions that were imported or trained before it was kept.',
  })
  memory!: TrainingMemory | null;

  @Field(() => TrainingTime, { nullable: true, description: 'Time that its training took; null as `memory` is.' })
  time!: TrainingTime | null;

  @Field(() => [MeasuredScale], { description: 'Scales that `chooseScale` tried; empty before it did.' })
  scales!: MeasuredScale[];

  @Field(() => String, { nullable: true, description: 'The metric of these scales; null before any was tried.' })
  scaleMetric!: string | null;

  @Field(() => [RiskPoint], {
    nullable: true,
    description:
      'How often its answers to held-out rows were wrong above each confidence, most confident first: what `ask(maxErrorRate)` goes by. Null until `evaluate` measured it at its scale of now.',
  })
  risk!: RiskPoint[] | null;
}

export function toAdapterMetrics(row: Pick<AdapterVersionRow, 'metrics'>): AdapterMetrics {
  const { memory, time, scales = [], risk = null, ...found } = storedMetrics.decode(row.metrics);
  const whole = (bytes: number): bigint => BigInt(Math.round(bytes));
  return make(AdapterMetrics, {
    steps: found.steps ?? null,
    adapterStep: found.adapterStep ?? null,
    validationLoss: found.validationLoss ?? null,
    memory: memory
      ? make(TrainingMemory, {
          estimatedBytes: memory.estimatedBytes === null ? null : whole(memory.estimatedBytes),
          peakBytes: whole(memory.peakBytes),
        })
      : null,
    time: time ? make(TrainingTime, time) : null,
    scales: scales.map((each) => make(MeasuredScale, each)),
    scaleMetric: found.scaleMetric ?? null,
    risk: risk && risk.map((each) => make(RiskPoint, each)),
  });
}
