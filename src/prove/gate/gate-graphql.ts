import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import {
  Needs,
  cost,
  type GraphContext,
  recordInput,
  ofType,
  inputType,
  objectType,
  fieldsOf,
  toOne,
} from '../../kit/graphql/index.js';
import { deciderOf } from '../../kernel/caller.js';
import { record, string, int, oneOf, boolean, list } from '../../kernel/record.js';
import type { AdapterRegistry } from '../../sources/registry/index.js';
import {
  AdapterAlias,
  AdapterVersion,
  AliasChange,
  aliasMove,
  AliasMovedPayload,
  toVersion,
  toAliasMoved,
} from '../../learn/training/index.js';
import { toEvaluation, Evaluation } from '../evaluations/evaluation-types.js';
import type { EvaluationStore } from '../evaluations/evaluation-store.js';
import { evidence, type GateEvidence, type Gate } from './gate.js';
import { bounds, check, type GateBounds } from './judge.js';
import { simplerMethod } from './simpler.js';

const GateBoundsInput = recordInput(
  record(
    'GateBoundsInput',
    'What a version must keep to become candidate; what is left out has its default.',
    bounds.partial().shape,
  ),
);
type GateBoundsInput = InstanceType<typeof GateBoundsInput>;

const PromoteAdapterInput = inputType('PromoteAdapterInput', 'Which version an alias shall name, and why.', {
  adapter: string('Name of the adapter.'),
  version: int('Number of the version.'),
  alias: oneOf(AdapterAlias, 'Which alias is moved. Only what was CANDIDATE becomes PRODUCTION.').default(
    AdapterAlias.PRODUCTION,
  ),
  reason: string('Why, for the record; 1 to 1,000 characters.'),
  by: string('Who decides, for the record; 1 to 200 characters; by default the caller.').nullish(),
  bounds: ofType(() => GateBoundsInput, 'Bounds of the gate for CANDIDATE.').nullish(),
  force: boolean(
    'Moves the alias whatever the gate says, and writes down that it was forced. Never without an attestation.',
  ).default(false),
  confirmNotBetter: boolean(
    'Lets a first version become PRODUCTION although it isn’t shown to be better than a regression on the embedder’s vectors or the nearest labelled rows, and writes down that somebody said so.',
  ).default(false),
});
type PromoteAdapterInput = InstanceType<typeof PromoteAdapterInput>;

export const GateVerdict = objectType(
  'GateVerdict',
  'What the gate says of a version, or said when an alias was moved to it.',
  {
    passed: boolean('Whether every check lets it through.'),
    measured: boolean('Whether all was measured that it looks at; where not, nothing is said against the version.'),
    forced: boolean('Whether the alias was moved all the same.'),
    checks: list(check, 'Each check.'),
    simpler: list(
      simplerMethod,
      'Methods without a language model beside a first version, on the same test rows; empty where it replaces another version, or they weren’t measured.',
    ),
    wantsConfirmation: boolean(
      'Whether PRODUCTION wants `confirmNotBetter`: the version is not shown to be better than one of the simpler methods.',
    ),
    confirmed: boolean('Whether somebody confirmed that when the alias was moved.'),
    found: z.custom<Pick<GateEvidence, 'replacedVersionId' | 'evaluationId'>>(),
  },
);
export type GateVerdict = InstanceType<typeof GateVerdict>;

interface GateResolverParts {
  gate: Gate;
  adapters: AdapterRegistry;
  evaluations: EvaluationStore;
}

export const GateVerdictResolver = fieldsOf<GateVerdict, GateResolverParts>(() => GateVerdict, {
  against: toVersion(
    'What it was held against: the production version; null for the base model.',
    ({ found }) => found.replacedVersionId,
  ),
  evaluation: toOne(
    () => Evaluation,
    'The evaluation that it rests on; null when there was none.',
    async ({ found }, { workspaceId }, { evaluations }) => {
      if (found.evaluationId === null) return null;
      const [row] = await evaluations.byIds(workspaceId, [found.evaluationId]);
      return row ? toEvaluation(row) : null;
    },
  ),
});

@Resolver(() => AdapterVersion)
export class GatedVersionResolver {
  constructor(private readonly parts: GateResolverParts) {}

  @FieldResolver(() => GateVerdict, {
    description: 'What the gate would say if the version were promoted to CANDIDATE now.',
    complexity: cost(5),
  })
  async gate(
    @Root() { row }: AdapterVersion,
    @Ctx() { workspaceId }: GraphContext,
    @Arg('bounds', () => GateBoundsInput, { nullable: true, description: 'Other bounds than the default ones.' })
    bounds?: GateBoundsInput | null,
  ): Promise<GateVerdict> {
    const { passed: _, ...outcome } = await this.parts.gate.verdict(workspaceId, row, given(bounds));
    return toVerdict({ v: 1, forced: false, confirmed: false, ...outcome });
  }

  @Needs('OPERATE')
  @Mutation(() => AliasMovedPayload, {
    description:
      'Lets an alias name another version. A version becomes CANDIDATE only through the gate: attested, better at its task than what it would replace and general text kept within a bound, both by the worse end of the interval, and no class shown to be told worse (McNemar, Holm). A version becomes PRODUCTION only from CANDIDATE; a first one that isn’t better than a regression or the nearest labelled rows wants a word (`confirmNotBetter`). GATE_REFUSED names the numbers that failed. Of two who move it at once, one is refused with CONFLICT.',
    complexity: cost(10),
  })
  async promoteAdapter(
    @Arg('input', () => PromoteAdapterInput, { description: 'Which version.' }) input: PromoteAdapterInput,
    @Ctx() { workspaceId, caller, change: auditChange }: GraphContext,
  ): Promise<AliasMovedPayload> {
    const { adapter, version, alias, reason, force, confirmNotBetter } = input;
    const change = await this.parts.gate.promote(workspaceId, {
      adapter,
      version,
      alias,
      reason,
      force,
      confirmNotBetter,
      by: deciderOf(caller, input.by),
      bounds: given(input.bounds),
    });
    Object.assign(auditChange, await aliasMove(this.parts.adapters.store, change));
    return toAliasMoved(await this.parts.adapters.require(workspaceId, adapter), change);
  }
}

@Resolver(() => AliasChange)
export class GatedChangeResolver {
  @FieldResolver(() => GateVerdict, {
    nullable: true,
    description: 'What the gate said then; null for a rollback.',
  })
  gate(@Root() { row }: AliasChange): GateVerdict | null {
    return gateVerdictOf(row.evidence);
  }
}

/** What the gate said, from what was kept of it; null where nothing was. */
export function gateVerdictOf(value: unknown): GateVerdict | null {
  const result = evidence.safeParse(value);
  return result.success ? toVerdict(result.data) : null;
}

function toVerdict(gateEvidence: GateEvidence): GateVerdict {
  const { forced, checks, simpler, confirmed } = gateEvidence;
  const passed = checks.every((gateCheck) => gateCheck.passed);
  const wantsConfirmation = simpler.some(({ better }) => !better);
  const isMeasured = checks.every((gateCheck) => gateCheck.measured);
  return { passed, measured: isMeasured, forced, checks, simpler, wantsConfirmation, confirmed, found: gateEvidence };
}

const given = (input: GateBoundsInput | null | undefined): Partial<GateBounds> =>
  Object.fromEntries(Object.entries(input ?? {}).filter(([, value]) => value !== null && value !== undefined));
