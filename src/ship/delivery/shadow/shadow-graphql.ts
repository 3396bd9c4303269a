import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { AnswerType, loadAnswer, type AskService } from '../../../answer/ask/index.js';
import {
  ConnectionArgs,
  cost,
  fieldsOf,
  loadRow,
  loadRun,
  make,
  mapPage,
  Needs,
  queriesOf,
  runGraph,
  SpendsBudget,
  toConnection,
  toItsOwn,
  toOne,
  type ConnectionOf,
  type GraphContext,
} from '../../../kit/graphql/index.js';
import { deciderOf } from '../../../kernel/caller.js';
import { encodeCursor } from '../../../kernel/pagination.js';
import type { RunQueue } from '../../../platform/runs/index.js';
import type { AdapterRegistry } from '../../../sources/registry/index.js';
import { toVersion } from '../../../learn/training/index.js';
import { commandsOf, eventsOf } from '../live-test-graphql.js';
import { Proposal } from '../proposals/proposal-graphql.js';
import { Rollout } from '../rollouts/rollout-types.js';
import type { PairStore } from './pair-store.js';
import type { ShadowRow } from './shadow.js';
import { reportOf, type ShadowFigures } from './shadow-report.js';
import { shadowKind, watchShadow, type ShadowRunParts } from './shadow-run.js';
import type { ShadowService } from './shadow-service.js';
import type { ShadowEventKind, ShadowStore } from './shadow-store.js';
import {
  Shadow,
  ShadowConnection,
  ShadowEvent,
  ShadowPair,
  ShadowPairConnection,
  ShadowPayload,
  ShadowReport,
  StartShadowInput,
  StartShadowPayload,
  StopShadowInput,
  toPair,
  toShadow,
} from './shadow-types.js';

export const shadowRuns = runGraph(
  shadowKind.handledBy(({ shadowing }: { shadowing: ShadowRunParts }, context) => watchShadow(shadowing, context)),
);
const ShadowWatchRun = shadowRuns.Run;

interface ShadowParts {
  shadowService: ShadowService;
  shadows: ShadowStore;
  pairs: PairStore;
  adapters: AdapterRegistry;
  runs: RunQueue;
  asking: AskService;
}

/** A shadow by row id, batched over the request. */
export async function loadShadow(context: GraphContext, shadows: ShadowStore, id: string): Promise<Shadow | null> {
  const row = await loadRow(context, 'delivery.shadowsById', id, (ids) => shadows.byIds(context.workspaceId, ids));
  return row && toShadow(row);
}

/** The last complete shadow of a version beside another one, batched over the request. */
async function loadLast(
  context: GraphContext,
  shadows: ShadowStore,
  candidateId: string,
  againstId: string | null,
): Promise<Shadow | null> {
  if (againstId === null) return null;
  const rows = context.loader<string, ShadowRow>('delivery.lastShadows', async (keys) => {
    const pairs = keys.map((key) => key.split(' ') as [string, string]);
    const shadowRows = await shadows.lastOf(context.workspaceId, pairs);
    return pairs.map(
      ([candidate, baseline]) =>
        shadowRows.find((row) => row.candidateId === candidate && row.againstId === baseline) ?? null,
    );
  });
  const row = await rows.load(`${candidateId} ${againstId}`);
  return row && toShadow(row);
}

@Resolver(() => Shadow)
class ShadowResolver {
  constructor(readonly parts: ShadowParts) {}

  @Needs('OPERATE')
  @SpendsBudget('RUN')
  @Mutation(() => StartShadowPayload, {
    description:
      'Lets a version answer a sample of the questions that production answers, behind everybody’s and unseen, and compares both in pairs. Nothing of what it says is kept but how it differs. CONFLICT says that the adapter has a live shadow, or no production; ADAPTER_UNPROVEN that the version isn’t attested.',
    complexity: cost(10),
  })
  async startShadow(
    @Arg('input', () => StartShadowInput, { description: 'Which version, and what it may cost.' })
    input: StartShadowInput,
    @Ctx() { workspaceId, caller }: GraphContext,
  ): Promise<StartShadowPayload> {
    const actor = deciderOf(caller, input.by);
    return { shadow: toShadow(await this.parts.shadowService.start(workspaceId, { ...input, by: actor })) };
  }

  @FieldResolver(() => ShadowPairConnection, {
    description: 'The pairs that were compared, or that the candidate failed on, newest first.',
    complexity: cost(5),
  })
  async pairs(
    @Root() { row }: Shadow,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Ctx() { workspaceId }: GraphContext,
    @Arg('differing', () => Boolean, {
      nullable: true,
      description: 'Only compared ones: those that differ (true), or are the same (false).',
    })
    differing?: boolean | null,
  ): Promise<ConnectionOf<ShadowPair>> {
    const page = args.request();
    const rows = await this.parts.pairs.list(workspaceId, row.id, differing ?? null, page);
    return toConnection(mapPage(rows, toPair), (pair) => encodeCursor([pair.answerId]), page.after);
  }
}

export const shadowResolvers = [
  ShadowResolver,
  queriesOf({
    type: Shadow,
    Connection: ShadowConnection,
    descriptions: { list: 'Shadows, newest first.', one: 'The shadow of this id; null when there is none.' },
    filters: { adapter: [String, 'Only those of this adapter.'] },
    list: ({ shadows }: ShadowParts, { workspaceId }, filter, page) => shadows.list(workspaceId, filter, page),
    toNode: toShadow,
    load: ({ shadows }, context, id) => loadShadow(context, shadows, id),
  }),
  commandsOf({
    type: Shadow,
    Payload: ShadowPayload,
    input: StopShadowInput,
    mutations: {
      stopShadow: {
        kind: 'STOP',
        description: 'Ends a shadow before it is complete; what it found stays. CONFLICT when it has ended.',
      },
    },
    apply: async ({ shadowService }: ShadowParts, workspaceId, id, { by, reason }) =>
      toShadow(await shadowService.stop(workspaceId, id, { by, reason })),
  }),
  fieldsOf<Shadow, ShadowParts>(() => Shadow, {
    candidate: toVersion('The version that answers unseen; null when it was deleted.', ({ row }) => row.candidateId),
    against: toVersion('The version whose answers are sampled; null when it was deleted.', ({ row }) => row.againstId),
    run: toOne(
      () => ShadowWatchRun,
      'The run that asks.',
      ({ row }, context, { runs }) => loadRun(context, runs, row.runId),
    ),
    report: toItsOwn(
      () => ShadowReport,
      'What it found so far.',
      async ({ row }, context, { shadowService }) => {
        const figures = context.loader<ShadowRow, ShadowFigures>('delivery.shadowFigures', (rows) =>
          shadowService.figures(context.workspaceId, rows),
        );
        const referenceOf = (version: number): string => `${row.adapter}@${version}`;
        return reportOf(referenceOf(row.candidateVersion), referenceOf(row.againstVersion), (await figures.load(row))!);
      },
    ),
  }),
  eventsOf({
    type: Shadow,
    Event: ShadowEvent,
    description:
      'What happens in a shadow, from its start or behind `after`, as it comes; completes when it has ended. Events are stored: who comes back misses none.',
    storeOf: ({ shadows }: ShadowParts) => shadows,
    read: ({ sequence, type, payload }) => {
      const { answerId } = payload as { answerId: string | null };
      return make(ShadowEvent, { id: sequence.toString(), kind: type as ShadowEventKind, answerId });
    },
    isLast: ({ kind }) => kind === 'ENDED',
  }),
  fieldsOf<InstanceType<typeof ShadowWatchRun>, ShadowParts>(() => ShadowWatchRun, {
    shadow: toOne(
      () => Shadow,
      'The shadow that it asks for.',
      ({ row }, context, { shadows }) => loadShadow(context, shadows, shadowKind.inputOf(row).shadowId),
    ),
  }),
  fieldsOf<ShadowPair, ShadowParts>(() => ShadowPair, {
    served: toOne(
      () => AnswerType,
      'What was served, with the question; null when it was deleted.',
      ({ answerId }, context, { asking }) => loadAnswer(context, asking, answerId),
      { needs: 'EDIT' },
    ),
  }),
  fieldsOf<Rollout, ShadowParts>(() => Rollout, {
    shadow: toOne(
      () => Shadow,
      'The shadow that it was started upon, else the last complete one of its candidate beside the same version; null without one.',
      ({ row }, context, { shadows }) =>
        row.shadowId === null
          ? loadLast(context, shadows, row.candidateId, row.againstId)
          : loadShadow(context, shadows, row.shadowId),
    ),
  }),
  fieldsOf<Proposal, ShadowParts>(() => Proposal, {
    shadow: toOne(
      () => Shadow,
      'The last complete shadow of its candidate beside what it would replace; null without one.',
      ({ row }, context, { shadows }) => loadLast(context, shadows, row.candidateId, row.replacesId),
    ),
  }),
] as const;
