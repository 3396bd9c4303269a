import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { cost, type GraphContext } from '../../../kit/graphql/index.js';
import { Proposal } from '../proposals/proposal-graphql.js';
import { Rollout } from '../rollouts/rollout-types.js';
import type { ShadowRow } from './shadow.js';
import { loadShadow } from './shadow-graphql.js';
import type { ShadowStore } from './shadow-store.js';
import { Shadow, toShadow } from './shadow-types.js';

/** The last complete shadow of a version beside another one, batched over the request. */
async function loadLast(
  context: GraphContext,
  shadows: ShadowStore,
  candidateId: string,
  againstId: string | null,
): Promise<Shadow | null> {
  if (againstId === null) return null;
  const rows = context.loader<string, ShadowRow>('delivery.lastShadows', async (keys) => {
    const wanted = keys.map((key) => key.split(' ') as [string, string]);
    const found = await shadows.lastOf(context.workspaceId, wanted);
    return wanted.map(
      ([candidate, against]) => found.find((row) => row.candidateId === candidate && row.againstId === against) ?? null,
    );
  });
  const row = await rows.load(`${candidateId} ${againstId}`);
  return row && toShadow(row);
}

interface EdgeParts {
  shadows: ShadowStore;
}

/** The way from a rollout to what was found before users met its candidate. */
@Resolver(() => Rollout)
export class RolloutShadowResolver {
  constructor(private readonly parts: EdgeParts) {}

  @FieldResolver(() => Shadow, {
    nullable: true,
    description:
      'The shadow that it was started upon, else the last complete one of its candidate beside the same version; null without one.',
    complexity: cost(2),
  })
  shadow(@Root() { row }: Rollout, @Ctx() context: GraphContext): Promise<Shadow | null> {
    const { shadows } = this.parts;
    if (row.shadowId !== null) return loadShadow(context, shadows, row.shadowId);
    return loadLast(context, shadows, row.candidateId, row.againstId);
  }
}

/** The way from a proposal to it. */
@Resolver(() => Proposal)
export class ProposalShadowResolver {
  constructor(private readonly parts: EdgeParts) {}

  @FieldResolver(() => Shadow, {
    nullable: true,
    description: 'The last complete shadow of its candidate beside what it would replace; null without one.',
    complexity: cost(2),
  })
  shadow(@Root() { row }: Proposal, @Ctx() context: GraphContext): Promise<Shadow | null> {
    return loadLast(context, this.parts.shadows, row.candidateId, row.replacesId);
  }
}
