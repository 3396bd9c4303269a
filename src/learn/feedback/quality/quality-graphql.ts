import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import { cost, DateTime, Needs, recordType, type GraphContext } from '../../../kit/graphql/index.js';
import type { AdapterRegistry } from '../../../sources/registry/index.js';
import {
  productionQuality,
  QUALITY_DAYS,
  qualityOf,
  scopeOf,
  type ProductionQuality,
  type QualityScope,
} from './quality.js';
import type { QualityStore } from './quality-store.js';

const ProductionQualityType = recordType(productionQuality);

export const ADAPTER =
  'Only answers of this adapter version: `name` (its production version), `name@candidate` or `name@3`; any by default.';
export const SINCE = `Only answers that were asked then or later; by default ${QUALITY_DAYS} days before \`to\`.`;

/** Which answers are meant. @throws BAD_USER_INPUT, NOT_FOUND */
export async function toScope(
  adapters: Pick<AdapterRegistry, 'resolve'>,
  { workspaceId }: Pick<GraphContext, 'workspaceId'>,
  { adapter, ...span }: { adapter?: string | null; from?: Date | null; to?: Date | null },
  field = '',
): Promise<QualityScope> {
  const version = adapter ? await adapters.resolve(workspaceId, adapter, `${field}adapter`) : null;
  return scopeOf({ ...span, adapterVersionId: version?.versionId ?? null }, `${field}to`);
}

@Resolver()
export class ProductionQualityResolver {
  constructor(private readonly parts: { quality: QualityStore; adapters: Pick<AdapterRegistry, 'resolve'> }) {}

  @Needs('EDIT')
  @Query(() => ProductionQualityType, {
    description:
      'The share of right answers of production, from few reviews. `queueReviews` with `draw` queues what to review. The interval holds at any time, so reviews may stop when it is narrow enough.',
    complexity: cost(50),
  })
  async productionQuality(
    @Arg('adapter', () => String, { nullable: true, description: ADAPTER }) adapter: string | null,
    @Arg('from', () => DateTime, { nullable: true, description: SINCE }) from: Date | null,
    @Arg('to', () => DateTime, { nullable: true, description: 'Only answers that were asked before; now by default.' })
    to: Date | null,
    @Ctx() context: GraphContext,
  ): Promise<ProductionQuality> {
    const { adapters, quality } = this.parts;
    const scope = await toScope(adapters, context, { adapter, from, to });
    return qualityOf(await quality.classes(context.workspaceId, scope));
  }
}
