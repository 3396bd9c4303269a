import {
  Arg,
  Args,
  Ctx,
  Field,
  Float,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  registerEnumType,
  Resolver,
} from 'type-graphql';
import {
  connectionTypes,
  ConnectionArgs,
  cost,
  make,
  plainValues,
  mapPage,
  Needs,
  NodeType,
  recordType,
  toConnection,
  toGlobalId,
  type ConnectionOf,
  type GraphContext,
} from '../../graphql-kit/index.js';
import { encodeCursor } from '../../kernel/pagination.js';
import { evidenceOf } from '../sequential/mean.js';
import { SeriesFilter } from '../series/series-graphql.js';
import type { SeriesKey } from '../series/metric.js';
import type { AlertService } from './alert-service.js';
import type { RuleRecord } from './alert-store.js';
import { DEFAULT_ANSWERS_PER_FALSE_ALERT, RuleMetric, shownRule, Side } from './rule.js';

registerEnumType(RuleMetric, {
  name: 'RuleMetric',
  description: 'What a rule looks at in each answer.',
  valuesConfig: {
    ERROR_RATE: {
      description:
        'Whether it failed: a failure is of what was to answer, and of no collection, so that it takes none.',
    },
    ABSTENTION_RATE: { description: 'Whether it abstained.' },
    LATENCY: { description: 'Whether it took longer than `beyond` ms.' },
    COST: { description: 'Whether model and embedder worked longer than `beyond` ms.' },
    PROMPT_TOKENS: { description: 'Whether its prompt had more than `beyond` tokens.' },
    GENERATED_TOKENS: { description: 'Whether the model wrote more than `beyond` tokens.' },
    CONFIDENCE: { description: 'How sure it is, 0 to 1.' },
    RETRIEVAL_SCORE: { description: 'The fused score of the best passage, 0 to 1.' },
    ACCURACY: { description: 'Whether feedback says that it is right, as feedback comes.' },
  },
});

registerEnumType(Side, {
  name: 'Side',
  description: 'On which side of a threshold something is not as it should be.',
  valuesConfig: { ABOVE: { description: 'Above it.' }, BELOW: { description: 'Below it.' } },
});

export const AlertRule = recordType(shownRule, NodeType);
export type AlertRule = InstanceType<typeof AlertRule>;

export const toRule = ({ id, name, enabled, updatedAt, rule, state }: RuleRecord): AlertRule =>
  make(AlertRule, {
    id: toGlobalId('AlertRule', id),
    rowId: id,
    name,
    enabled,
    updatedAt,
    ...rule,
    ...state,
    evidence: evidenceOf(state.shown),
    observations: state.shown.seen,
  });

const { Connection: AlertRuleConnection } = connectionTypes(AlertRule);

@InputType({ description: 'A rule; one of this name is replaced, and its test begins anew.' })
export class SetAlertRuleInput {
  @Field(() => String, { description: '1 to 63 letters, digits, spaces, `.`, `_` or `-`.' })
  name!: string;

  @Field(() => RuleMetric, { description: 'What it looks at.' })
  metric!: RuleMetric;

  @Field(() => Side, { description: 'On which side of the threshold the mean should not be.' })
  side!: Side;

  @Field(() => Float, {
    description: 'Of the mean, or of the share of answers beyond `beyond`: above 0 and below 1.',
  })
  threshold!: number;

  @Field(() => Float, {
    nullable: true,
    description:
      'With LATENCY, COST, PROMPT_TOKENS and GENERATED_TOKENS: what an answer counts beyond, above 0, in ms or tokens. With 2000 and a threshold of 0.05, more than 5 % of answers over 2 seconds raise an alert.',
  })
  beyond?: number | null;

  @Field(() => SeriesFilter, { nullable: true, description: 'Only answers made with these; all by default.' })
  where?: SeriesFilter | null;

  @Field(() => Int, {
    nullable: true,
    defaultValue: DEFAULT_ANSWERS_PER_FALSE_ALERT,
    description:
      'An alert without a cause is raised once in so many answers on average, at most, however old the rule is: 100 to 1000000000. Ten times as many find a cause a few answers in ten later.',
  })
  answersPerFalseAlert?: number | null;

  @Field(() => Float, {
    nullable: true,
    defaultValue: 15,
    description: 'How long its cause must be gone before an alert is resolved, in minutes, 0 to 10080.',
  })
  quietMinutes?: number | null;

  @Field(() => Boolean, { nullable: true, defaultValue: true, description: 'Whether it looks at answers.' })
  enabled?: boolean | null;
}

@InputType({ description: 'Which rule to delete.' })
export class DeleteAlertRuleInput {
  @Field(() => String, { description: 'Its name.' })
  name!: string;
}

@ObjectType({ description: 'What `setAlertRule` or `deleteAlertRule` did.' })
export class AlertRulePayload {
  @Field(() => AlertRule, { description: 'The rule as it is, or as it was before it was deleted.' })
  rule!: AlertRule;
}

/** Conditions as they are stored: without those that are left out. */
export const keyOf = (where: SeriesFilter | null | undefined): Partial<SeriesKey> =>
  Object.fromEntries(
    Object.entries(where ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );

@Resolver(() => AlertRule)
export class AlertRuleResolver {
  constructor(private readonly parts: { alerts: AlertService }) {}

  @Needs('EDIT')
  @Query(() => AlertRuleConnection, { description: 'The rules of the workspace, oldest first.', complexity: cost(5) })
  async alertRules(
    @Ctx() { workspaceId }: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<AlertRule>> {
    const page = args.request();
    const rules = mapPage(await this.parts.alerts.store.rules(workspaceId, page), toRule);
    return toConnection(rules, ({ rowId }) => encodeCursor([rowId]), page.after);
  }

  @Needs('OPERATE')
  @Mutation(() => AlertRulePayload, {
    description:
      'Makes or replaces a rule. It tests answers one after the other as they come, so that looking often makes no false alarm, and finds a late change as soon as an early one. Answers needed for an alert depend on how far the mean is from the threshold: 3 % of failures where 1 % is allowed take about 400, 2 % about 1,000.',
    complexity: cost(5),
  })
  async setAlertRule(
    @Arg('input', () => SetAlertRuleInput, { description: 'The rule.' }) input: SetAlertRuleInput,
    @Ctx() { workspaceId, change }: GraphContext,
  ): Promise<AlertRulePayload> {
    const before = await this.parts.alerts.rule(workspaceId, input.name);
    if (before) change.before = { enabled: before.enabled, ...plainValues(before.rule) };
    const { name, metric, side, threshold, beyond, where, answersPerFalseAlert, quietMinutes, enabled } = input;
    const rule = {
      metric,
      side,
      threshold,
      limit: beyond ?? null,
      where: keyOf(where),
      answersPerFalseAlert: answersPerFalseAlert ?? DEFAULT_ANSWERS_PER_FALSE_ALERT,
      quietMinutes: quietMinutes ?? 15,
    };
    return { rule: toRule(await this.parts.alerts.setRule(workspaceId, name, rule, enabled ?? true)) };
  }

  @Needs('OPERATE')
  @Mutation(() => AlertRulePayload, {
    description: 'Deletes a rule. Its alerts stay; an open one is resolved after the rule’s quiet time.',
    complexity: cost(5),
  })
  async deleteAlertRule(
    @Arg('input', () => DeleteAlertRuleInput, { description: 'Which.' }) { name }: DeleteAlertRuleInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<AlertRulePayload> {
    return { rule: toRule(await this.parts.alerts.deleteRule(workspaceId, name)) };
  }
}
