import { Ctx, Query, Resolver } from 'type-graphql';
import { z } from 'zod';
import { cost, make, Needs, type GraphContext, objectType, ofType } from '../../kit/graphql/index.js';
import { DEFAULT_WORKSPACE_ID, type WorkspaceId } from '../../kernel/ids.js';
import { DialectName } from './dialects/dialect.js';
import { LabelScoring } from './engine.js';
import type { Fleet } from './fleet.js';
import { EngineState, ResidentState, type Replica, type Resident } from './replicas/replica.js';
import { string, oneOf, float, date, boolean } from '../../kernel/record.js';

const EngineAdapterReport = objectType('EngineAdapterReport', 'An adapter version on one engine.', {
  name: string('Its name there: the adapter’s, and a digest of what is loaded.'),
  adapter: string('Name of the adapter.'),
  version: z.int().describe('Number of the version, from 1.'),
  state: oneOf(ResidentState, 'Whether it answers there.'),
  reason: string('Why it doesn’t; null when it does.').nullable(),
  cosine: float(
    'Cosine between its change of the log-probabilities there and beside the gateway, -1 to 1, at least 0.9; null before it is measured.',
  ).nullable(),
  provenAt: date('When that was measured last; null before.').nullable(),
  answered: z.int().describe('Requests that it answered there since it was loaded.'),
});
type EngineAdapterReport = InstanceType<typeof EngineAdapterReport>;

const EngineReport = objectType(
  'EngineReport',
  'An engine that answers before the worker does, as this gateway sees it.',
  {
    url: string('Where it is; to callers of other workspaces than the first only its place in this list: `engine 1`.'),
    state: oneOf(EngineState, 'Whether it answers questions.'),
    reason: string('Why it doesn’t; null when it does.').nullable(),
    paused: boolean('Whether it is left alone for some seconds because it failed several times in a row.'),
    dialect: oneOf(DialectName, 'Which server it is; null before that is known.').nullable(),
    version: string('Version of the server, as it tells; null before that is known.').nullable(),
    base: string('Its name for the base model; null before that is known.').nullable(),
    contextTokens: z
      .int()
      .nullable()
      .describe(
        'Tokens of a prompt and its answer together; null before that is known. What is longer the worker answers.',
      ),
    labelScoring: oneOf(
      LabelScoring,
      'How it tells the probabilities of labels; null before that is known.',
    ).nullable(),
    inFlight: z.int().describe('Requests of this gateway under way there.'),
    answered: z.int().describe('Requests that it answered since the gateway started.'),
    failed: z.int().describe('How often it failed since then.'),
    adapters: z
      .array(ofType(() => EngineAdapterReport))
      .describe('The adapters of your workspace that this gateway knows to be there, by name.'),
  },
);
type EngineReport = InstanceType<typeof EngineReport>;

@Resolver()
export class EngineResolver {
  constructor(private readonly parts: { fleet: Fleet }) {}

  @Needs('ASK')
  @Query(() => [EngineReport], {
    complexity: cost(10),
    description: 'The engines of `GRAFT_ENGINES`, by address; none where the worker answers alone.',
  })
  engines(@Ctx() { workspaceId }: GraphContext): EngineReport[] {
    return this.parts.fleet.replicas.map((replica, i) => reportOf(replica, i + 1, workspaceId));
  }
}

function reportOf(replica: Replica, place: number, workspaceId: WorkspaceId): EngineReport {
  const { url, state, reason, breaker, dialect, capabilities, inFlight, answered, failed, residents } = replica;
  // An address in the network of whoever runs the gateway is nothing that its tenants need.
  const address = workspaceId === DEFAULT_WORKSPACE_ID ? url : `engine ${place}`;
  const ownResidents = residents.filter(({ adapter }) => adapter.workspaceId === workspaceId);
  return make(EngineReport, {
    url: address,
    state,
    reason,
    inFlight,
    answered,
    failed,
    paused: !breaker.allows,
    dialect: dialect?.name ?? null,
    version: capabilities?.version ?? null,
    base: capabilities?.base ?? null,
    contextTokens: capabilities?.contextTokens ?? null,
    labelScoring: capabilities?.scoring ?? null,
    adapters: ownResidents.map(adapterOf).sort((a, b) => a.name.localeCompare(b.name)),
  });
}

const adapterOf = ({ adapter, state, reason, cosine, provenAt, answered }: Resident): EngineAdapterReport =>
  make(EngineAdapterReport, {
    name: adapter.name,
    adapter: adapter.served.adapter,
    version: adapter.served.version,
    state,
    reason,
    cosine,
    provenAt,
    answered,
  });
