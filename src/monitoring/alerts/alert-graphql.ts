import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  Float,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  registerEnumType,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import {
  afterEvent,
  connectionTypes,
  ConnectionArgs,
  cost,
  DateTime,
  fromGlobalId,
  make,
  mapPage,
  Needs,
  NodeType,
  subscribeWith,
  toConnection,
  toGlobalId,
  type ConnectionOf,
  type GraphContext,
  type StoredEventLike,
  type SubscriptionRequest,
} from '../../graphql-kit/index.js';
import { encodeCursor } from '../../kernel/pagination.js';
import { AlertKind, AlertStatus, type AlertRecord } from './alert.js';
import type { AlertService } from './alert-service.js';
import type { RuleRecord } from './alert-store.js';
import { AlertRule, toRule } from './rule-graphql.js';

registerEnumType(AlertKind, {
  name: 'AlertKind',
  description: 'What raises an alert.',
  valuesConfig: {
    RULE: { description: 'A rule: see `alertRules`.' },
    QUESTIONS: { description: 'Questions are about other things than before, or than an adapter was trained on.' },
    LABELS: { description: 'The labels that are predicted are others than before.' },
  },
});

registerEnumType(AlertStatus, {
  name: 'AlertStatus',
  description: 'How far an alert is.',
  valuesConfig: {
    OPEN: { description: 'Nobody has looked at it.' },
    ACKNOWLEDGED: { description: 'Somebody knows of it; its cause is there.' },
    RESOLVED: { description: 'Its cause was gone for its quiet time, or somebody resolved it.' },
  },
});

@ObjectType({ implements: NodeType, description: 'Something that was shown to be otherwise than it should be.' })
export class Alert extends NodeType {
  @Field(() => AlertKind, { description: 'What raised it.' })
  kind!: AlertKind;

  @Field(() => AlertStatus, { description: 'How far it is.' })
  status!: AlertStatus;

  @Field(() => String, { description: 'What is the matter, as of when it was raised last.' })
  sentence!: string;

  @Field(() => Float, {
    description:
      'How strongly: without a cause it would be this much or more with a probability of 1 divided by it at most.',
  })
  evidence!: number;

  @Field(() => Int, { description: 'Answers that the evidence is from.' })
  observations!: number;

  @Field(() => Int, {
    description: 'How often it was raised: more than once where it came back before it was resolved.',
  })
  times!: number;

  @Field(() => DateTime, { description: 'When it was raised.' })
  raisedAt!: Date;

  @Field(() => DateTime, { description: 'When it was raised last.' })
  lastRaisedAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'Since when its cause is gone; null while it is there.' })
  recoveredAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When it was acknowledged; null where nobody did.' })
  acknowledgedAt!: Date | null;

  @Field(() => String, { nullable: true, description: 'By whom; null where nobody did.' })
  acknowledgedBy!: string | null;

  @Field(() => DateTime, { nullable: true, description: 'When it was resolved; null until then.' })
  resolvedAt!: Date | null;

  @Field(() => String, { nullable: true, description: 'By whom; `graft` where it resolved itself, null until then.' })
  resolvedBy!: string | null;

  record!: AlertRecord;
}

export const toAlert = (record: AlertRecord): Alert => {
  const { kind, status, sentence, evidence, observations, times, raisedAt, lastRaisedAt } = record;
  const { recoveredAt, acknowledgedAt, acknowledgedBy, resolvedAt, resolvedBy } = record;
  return make(Alert, {
    id: toGlobalId('Alert', record.id),
    record,
    kind,
    status,
    sentence,
    evidence,
    observations,
    times,
    raisedAt,
    lastRaisedAt,
    recoveredAt,
    acknowledgedAt,
    acknowledgedBy,
    resolvedAt,
    resolvedBy,
  });
};

const { Connection: AlertConnection } = connectionTypes(Alert);

@ArgsType()
class AlertsArgs extends ConnectionArgs {
  @Field(() => Boolean, {
    nullable: true,
    description: 'Only those that are not resolved (true) or are (false); all by default.',
  })
  open?: boolean | null;
}

@InputType({ description: 'An alert, and who does something about it.' })
export class AlertInput {
  @Field(() => ID, { description: 'The alert.' })
  alert!: string;

  @Field(() => String, { description: 'Who does it, 1 to 200 characters.' })
  by!: string;
}

@ObjectType({ description: 'What became of an alert.' })
export class AlertPayload {
  @Field(() => Alert, { description: 'The alert as it is now.' })
  alert!: Alert;
}

@ObjectType({ description: 'An alert was raised.' })
export class AlertRaised {
  @Field(() => ID, { description: 'Place in the stream: pass the last one seen as `after` to miss none.' })
  id!: string;

  @Field(() => DateTime, { description: 'When.' })
  at!: Date;

  alertId!: string;
}

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
    return toConnection(alerts, ({ record }) => encodeCursor([record.id]), page.after);
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
  async rule(@Root() { record }: Alert, @Ctx() context: GraphContext): Promise<AlertRule | null> {
    if (record.ruleId === null) return null;
    const { store } = this.parts.alerts;
    const rules = context.loader<string, RuleRecord>('monitoring.rules', async (ids) => {
      const found = await store.rulesByIds(context.workspaceId, ids);
      return ids.map((id) => found.get(id) ?? null);
    });
    const rule = await rules.load(record.ruleId);
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
    return make(AlertRaised, { id: sequence.toString(), at: createdAt, alertId });
  }

  @FieldResolver(() => Alert, { description: 'The alert as it is now.' })
  async alert(@Root() { alertId }: AlertRaised, @Ctx() { workspaceId }: GraphContext): Promise<Alert> {
    return toAlert((await this.parts.alerts.store.byIds(workspaceId, [alertId])).get(alertId)!);
  }
}
