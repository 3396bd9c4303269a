import { Arg, Args, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import {
  connectionTypes,
  ConnectionArgs,
  cost,
  nodeOf,
  plainValues,
  mapPage,
  Needs,
  NodeType,
  recordType,
  toConnection,
  type ConnectionOf,
  type GraphContext,
  ofType,
  inputType,
  objectType,
} from '../../../kit/graphql/index.js';
import { encodeCursor } from '../../../kernel/pagination.js';
import { string, oneOf, float, int, boolean } from '../../../kernel/record.js';
import { evidenceOf } from '../../../kernel/sequential/mean.js';
import { SeriesFilter } from '../series/series-graphql.js';
import type { SeriesKey } from '../series/metric.js';
import type { AlertService } from './alert-service.js';
import type { RuleRecord } from './alert-store.js';
import { DEFAULT_ANSWERS_PER_FALSE_ALERT, RuleMetric, shownRule, Side } from './rule.js';

export const AlertRule = recordType(shownRule, NodeType);
export type AlertRule = InstanceType<typeof AlertRule>;

export const toRule = (row: RuleRecord): AlertRule =>
  nodeOf(AlertRule, row, {
    ...row.rule,
    ...row.state,
    evidence: evidenceOf(row.state.shown),
    observations: row.state.shown.seen,
  });

const { Connection: AlertRuleConnection } = connectionTypes(AlertRule);

const SetAlertRuleInput = inputType(
  'SetAlertRuleInput',
  'A rule; one of this name is replaced, and its test begins anew.',
  {
    name: string('1 to 63 letters, digits, spaces, `.`, `_` or `-`.'),
    metric: oneOf(RuleMetric, 'What it looks at.'),
    side: oneOf(Side, 'On which side of the threshold the mean should not be.'),
    threshold: float('Of the mean, or of the share of answers beyond `beyond`: above 0 and below 1.'),
    beyond: float(
      'With LATENCY, COST, PROMPT_TOKENS and GENERATED_TOKENS: what an answer counts beyond, above 0, in ms or tokens. With 2000 and a threshold of 0.05, more than 5 % of answers over 2 seconds raise an alert.',
    ).nullish(),
    where: ofType(() => SeriesFilter, 'Only answers made with these; all by default.').nullish(),
    answersPerFalseAlert: int(
      'An alert without a cause is raised once in so many answers on average, at most, however old the rule is: 100 to 1000000000. Ten times as many find a cause a few answers in ten later.',
    ).default(DEFAULT_ANSWERS_PER_FALSE_ALERT),
    quietMinutes: float('How long its cause must be gone before an alert is resolved, in minutes, 0 to 10080.').default(
      15,
    ),
    enabled: boolean('Whether it looks at answers.').default(true),
  },
);
type SetAlertRuleInput = InstanceType<typeof SetAlertRuleInput>;

const DeleteAlertRuleInput = inputType('DeleteAlertRuleInput', 'Which rule to delete.', {
  name: string('Its name.'),
});
type DeleteAlertRuleInput = InstanceType<typeof DeleteAlertRuleInput>;

const AlertRulePayload = objectType('AlertRulePayload', 'What `setAlertRule` or `deleteAlertRule` did.', {
  rule: ofType(() => AlertRule, 'The rule as it is, or as it was before it was deleted.'),
});
type AlertRulePayload = InstanceType<typeof AlertRulePayload>;

/** Conditions as they are stored: without those that are left out. */
const keyOf = (where: SeriesFilter | null | undefined): Partial<SeriesKey> =>
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
    return toConnection(rules, ({ row }) => encodeCursor([row.id]), page.after);
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
    const previousRule = await this.parts.alerts.rule(workspaceId, input.name);
    if (previousRule) change.before = { enabled: previousRule.enabled, ...plainValues(previousRule.rule) };
    const { name, beyond, where, enabled, ...rest } = input;
    const rule = { ...rest, limit: beyond ?? null, where: keyOf(where) };
    return { rule: toRule(await this.parts.alerts.setRule(workspaceId, name, rule, enabled)) };
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
