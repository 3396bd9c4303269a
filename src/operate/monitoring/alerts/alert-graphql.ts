import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  Mutation,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import { z } from 'zod';
import {
  afterEvent,
  connectionTypes,
  ConnectionArgs,
  cost,
  fromGlobalId,
  nodeOf,
  mapPage,
  Needs,
  NodeType,
  subscribeWith,
  toConnection,
  type ConnectionOf,
  type GraphContext,
  type StoredEventLike,
  type SubscriptionRequest,
  objectType,
  inputType,
  ofType,
} from '../../../kit/graphql/index.js';
import { encodeCursor } from '../../../kernel/pagination.js';
import { oneOf, string, float, int, date, id } from '../../../kernel/record.js';
import { AlertKind, AlertStatus, type AlertRecord } from './alert.js';
import type { AlertService } from './alert-service.js';
import type { RuleRecord } from './alert-store.js';
import { AlertRule, toRule } from './rule-graphql.js';

export const Alert = objectType(
  'Alert',
  'Something that was shown to be otherwise than it should be.',
  {
    kind: oneOf(AlertKind, 'What raised it.'),
    status: oneOf(AlertStatus, 'How far it is.'),
    sentence: string('What is the matter, as of when it was raised last.'),
    evidence: float(
      'How strongly: without a cause it would be this much or more with a probability of 1 divided by it at most.',
    ),
    observations: int('Answers that the evidence is from.'),
    times: int('How often it was raised: more than once where it came back before it was resolved.'),
    raisedAt: date('When it was raised.'),
    lastRaisedAt: date('When it was raised last.'),
    recoveredAt: date('Since when its cause is gone; null while it is there.').nullable(),
    acknowledgedAt: date('When it was acknowledged; null where nobody did.').nullable(),
    acknowledgedBy: string('By whom; null where nobody did.').nullable(),
    resolvedAt: date('When it was resolved; null until then.').nullable(),
    resolvedBy: string('By whom; `graft` where it resolved itself, null until then.').nullable(),
    row: z.custom<AlertRecord>(),
  },
  NodeType,
);
export type Alert = InstanceType<typeof Alert>;

export const toAlert = (row: AlertRecord): Alert => nodeOf(Alert, row);

const { Connection: AlertConnection } = connectionTypes(Alert);

@ArgsType()
class AlertsArgs extends ConnectionArgs {
  @Field(() => Boolean, {
    nullable: true,
    description: 'Only those that are not resolved (true) or are (false); all by default.',
  })
  open?: boolean | null;
}

const AlertInput = inputType('AlertInput', 'An alert, and who does something about it.', {
  alert: id('The alert.'),
  by: string('Who does it, 1 to 200 characters.'),
});
type AlertInput = InstanceType<typeof AlertInput>;

const AlertPayload = objectType('AlertPayload', 'What became of an alert.', {
  alert: ofType(() => Alert, 'The alert as it is now.'),
});
type AlertPayload = InstanceType<typeof AlertPayload>;

const AlertRaised = objectType('AlertRaised', 'An alert was raised.', {
  id: id('Place in the stream: pass the last one seen as `after` to miss none.'),
  at: date('When.'),
  alertId: z.string(),
});
type AlertRaised = InstanceType<typeof AlertRaised>;

interface RaisedArgs {
  after?: string | null;
}

@Resolver(() => Alert)
export class AlertResolver {
  constructor(private readonly parts: { alerts: AlertService }) {}

  @Needs('EDIT')
  @Query(() => AlertConnection, { description: 'Alerts, newest first.', complexity: cost(5) })
  async alerts(
    @Ctx() { workspaceId }: GraphContext,
    @Args(() => AlertsArgs) args: AlertsArgs,
  ): Promise<ConnectionOf<Alert>> {
    const page = args.request();
    const alerts = mapPage(await this.parts.alerts.store.alerts(workspaceId, args.open ?? null, page), toAlert);
    return toConnection(alerts, ({ row }) => encodeCursor([row.id]), page.after);
  }

  @Needs('OPERATE')
  @Mutation(() => AlertPayload, { description: 'Says that somebody knows of an alert.', complexity: cost(5) })
  async acknowledgeAlert(
    @Arg('input', () => AlertInput, { description: 'Which, and who.' }) { alert, by }: AlertInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<AlertPayload> {
    const id = fromGlobalId(alert, 'Alert', 'input.alert');
    return { alert: toAlert(await this.parts.alerts.acknowledge(workspaceId, id, by)) };
  }

  @Needs('OPERATE')
  @Mutation(() => AlertPayload, {
    description: 'Resolves an alert; the test that raised it begins anew. Of one that is resolved nothing changes.',
    complexity: cost(5),
  })
  async resolveAlert(
    @Arg('input', () => AlertInput, { description: 'Which, and who.' }) { alert, by }: AlertInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<AlertPayload> {
    const id = fromGlobalId(alert, 'Alert', 'input.alert');
    return { alert: toAlert(await this.parts.alerts.resolve(workspaceId, id, by)) };
  }

  @FieldResolver(() => AlertRule, {
    nullable: true,
    description: 'The rule that raised it; null where none did, or it was deleted.',
  })
  async rule(@Root() { row }: Alert, @Ctx() context: GraphContext): Promise<AlertRule | null> {
    if (row.ruleId === null) return null;
    const { store } = this.parts.alerts;
    const rules = context.loader<string, RuleRecord>('monitoring.rules', async (ids) => {
      const rulesById = await store.rulesByIds(context.workspaceId, ids);
      return ids.map((id) => rulesById.get(id) ?? null);
    });
    const rule = await rules.load(row.ruleId);
    return rule && toRule(rule);
  }
}

@Resolver(() => AlertRaised)
export class AlertRaisedResolver {
  constructor(readonly parts: { alerts: AlertService }) {}

  @Needs('EDIT')
  @Subscription(() => AlertRaised, {
    description:
      'Alerts as they are raised, from now on or behind `after`; one that is raised again before it is resolved is not told again.',
    complexity: cost(5),
    subscribe: subscribeWith(
      () => AlertRaisedResolver,
      ({ parts }, { args, context }: SubscriptionRequest<RaisedArgs>) =>
        parts.alerts.follow(context.workspaceId, afterEvent(args.after), context.signal),
    ),
  })
  alertRaised(
    @Root() { sequence, payload, createdAt }: StoredEventLike & { createdAt: Date },
    @Arg('after', () => String, { nullable: true, description: 'Id of the last one seen; by default new ones only.' })
    _after?: string | null,
  ): AlertRaised {
    const { alertId } = payload as { alertId: string };
    return { id: sequence.toString(), at: createdAt, alertId };
  }

  @FieldResolver(() => Alert, { description: 'The alert as it is now.' })
  async alert(@Root() { alertId }: AlertRaised, @Ctx() { workspaceId }: GraphContext): Promise<Alert> {
    return toAlert((await this.parts.alerts.store.byIds(workspaceId, [alertId])).get(alertId)!);
  }
}
