import { Arg, Ctx, FieldResolver, Float, Query, Resolver, Root } from 'type-graphql';
import {
  Needs,
  cost,
  recordType,
  runGraph,
  type GraphContext,
  idempotencyKey,
  inputType,
  enumType,
  toOne,
  type RunObject,
} from '../../../kit/graphql/index.js';
import { enumeration } from '../../../kernel/enumeration.js';
import { QUANTIZATION_TYPES } from '../../../worker-protocol/index.js';
import type { ModelRegistry } from '../model-registry.js';
import { loadVariant, ModelVariant } from '../variant-graphql.js';
import { recommendation, speedup, storedMeasurement, variantMeasurement, variantSpeed } from './quantization.js';
import { quantization } from './quantization-run.js';
import type { Quantizer } from './quantizer.js';
import { string, oneOf } from '../../../kernel/record.js';

const QuantizationType = enumeration(...QUANTIZATION_TYPES);
type QuantizationType = keyof typeof QuantizationType;
enumType(QuantizationType, 'QuantizationType', 'A type that the weights of a model can be stored in.', {
  Q8_0: 'About 8.5 bits a weight; nearly as the original.',
  Q5_K_M: 'About 5.7 bits; sensitive tensors in larger types.',
  Q4_K_M: 'About 4.9 bits; sensitive tensors in larger types.',
  Q4_0: 'About 4.5 bits in the plainest form, which processors read fastest.',
});

const VariantSpeed = recordType(variantSpeed);
type VariantSpeed = InstanceType<typeof VariantSpeed>;
const QuantizationReport = recordType(variantMeasurement);
type QuantizationReport = InstanceType<typeof QuantizationReport>;
const VariantRecommendation = recordType(recommendation);
type VariantRecommendation = InstanceType<typeof VariantRecommendation>;

export const quantizationRuns = runGraph(
  quantization.handledBy(({ quantizer }: { quantizer: Quantizer }, context) => quantizer.quantize(context)),
);
const QuantizationRun = quantizationRuns.Run;

const QuantizeModelInput = inputType('QuantizeModelInput', 'Which model, and what to store it as.', {
  model: string('The model, `name` or `name@quantization`; by default the configured one.').nullish(),
  type: oneOf(QuantizationType, 'It must take fewer bits than the weights are stored in already.'),
  idempotencyKey,
});

interface QuantizationResolverParts {
  registry: ModelRegistry;
  quantizer: Quantizer;
}

@Resolver(() => QuantizationRun)
export class QuantizationRunResolver extends quantizationRuns.startedBy('quantizeModel', {
  description:
    'Stores a variant of a model in a smaller type by llama.cpp’s own quantizer, and measures what that costs and gives: size, divergence, perplexity, speed. The run’s result is a variant like any other.',
  needs: 'OPERATE',
  input: QuantizeModelInput,
  argument: 'Which model, and as what.',
  payload: 'The run that quantizes.',
  run: (parts: QuantizationResolverParts, input, { workspaceId }) => parts.quantizer.start(workspaceId, input),
  fields: {
    source: toOne(
      () => ModelVariant,
      'What it quantizes; null when that was removed.',
      ({ row }, context, { registry }: QuantizationResolverParts) =>
        loadVariant(context, registry, quantization.inputOf(row).sourceId),
    ),
    variant: toOne(
      () => ModelVariant,
      'What it made; null until it succeeded.',
      ({ row }, context, { registry }: QuantizationResolverParts) => {
        const output = quantization.outputOf(row);
        return output && loadVariant(context, registry, output.variantId);
      },
    ),
  },
}) {
  @FieldResolver(() => QuantizationType, { description: 'What it stores the weights as.' })
  quantizationType(@Root() { row }: RunObject): QuantizationType {
    return quantization.inputOf(row).type;
  }
}

@Resolver(() => ModelVariant)
export class QuantizedVariantResolver {
  constructor(private readonly parts: QuantizationResolverParts) {}

  @FieldResolver(() => ModelVariant, {
    nullable: true,
    description: 'The variant that it was quantized from here; null for a file that came as it is.',
    complexity: cost(2),
  })
  async source(@Root() { sourceId }: ModelVariant, @Ctx() context: GraphContext): Promise<ModelVariant | null> {
    return sourceId === null ? null : loadVariant(context, this.parts.registry, sourceId);
  }

  @FieldResolver(() => Float, {
    nullable: true,
    description: 'How many times smaller its file is than its source’s; null without one.',
    complexity: cost(2),
  })
  async sizeRatio(@Root() { sourceId, bytes }: ModelVariant, @Ctx() context: GraphContext): Promise<number | null> {
    const source = sourceId === null ? null : await loadVariant(context, this.parts.registry, sourceId);
    return source && Number(source.bytes) / Number(bytes);
  }

  @FieldResolver(() => QuantizationReport, {
    nullable: true,
    description: 'What was measured when it was quantized; null for a file that came as it is.',
  })
  quantizationReport(@Root() { measurement }: ModelVariant): QuantizationReport | null {
    return measurement === null ? null : storedMeasurement.decode(measurement);
  }
}

@Resolver(() => QuantizationReport)
export class QuantizationReportResolver {
  constructor(private readonly parts: QuantizationResolverParts) {}

  @FieldResolver(() => VariantSpeed, { description: 'How fast it is.' })
  speed(@Root() { speed }: QuantizationReport): VariantSpeed {
    return speed.variant;
  }

  @FieldResolver(() => VariantSpeed, { description: 'How fast the reference is, measured beside it.' })
  referenceSpeed(@Root() { speed }: QuantizationReport): VariantSpeed {
    return speed.reference;
  }

  @FieldResolver(() => Float, {
    description:
      'How much faster it makes an answer of 250 tokens read and 30 written than the reference: 1 is as fast.',
  })
  speedup(@Root() report: QuantizationReport): number {
    return speedup(report);
  }

  @FieldResolver(() => ModelVariant, {
    nullable: true,
    description: 'What it is held against: the variant at the end of the chain of sources.',
    complexity: cost(2),
  })
  reference(@Root() report: QuantizationReport, @Ctx() context: GraphContext): Promise<ModelVariant | null> {
    return loadVariant(context, this.parts.registry, report.referenceVariantId);
  }
}

@Resolver(() => VariantRecommendation)
export class VariantRecommendationResolver {
  constructor(private readonly parts: QuantizationResolverParts) {}

  @Needs('ASK')
  @Query(() => VariantRecommendation, {
    description: 'The fastest variant of a model that stays within a divergence from its most precise one.',
    complexity: cost(5),
  })
  recommendVariant(
    @Arg('model', () => String, { description: 'Name of the model.' }) model: string,
    @Arg('maxKl', () => Float, { description: 'Largest divergence, in nats a token: 0.01 is hardly to be noticed.' })
    maxKl: number,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<VariantRecommendation> {
    return this.parts.quantizer.recommend(workspaceId, model, maxKl);
  }

  @FieldResolver(() => ModelVariant, {
    nullable: true,
    description: 'The variant; ask with `model: "name@quantization"`.',
    complexity: cost(2),
  })
  variant(@Root() { variantId }: VariantRecommendation, @Ctx() context: GraphContext): Promise<ModelVariant | null> {
    return loadVariant(context, this.parts.registry, variantId);
  }
}
