import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  registerEnumType,
  Resolver,
  Root,
} from 'type-graphql';
import {
  connectionTypes,
  ConnectionArgs,
  cost,
  DateTime,
  fromGlobalId,
  make,
  mapPage,
  Needs,
  NodeType,
  toConnection,
  toGlobalId,
  type ConnectionOf,
  type GraphContext,
} from '../../graphql-kit/index.js';
import { encodeCursor } from '../../kernel/pagination.js';
import { DeliveryStatus, MOST_ATTEMPTS, type DeliveryRecord, type WebhookRecord } from './webhook.js';
import type { WebhookService } from './webhook-service.js';

registerEnumType(DeliveryStatus, {
  name: 'DeliveryStatus',
  description: 'How far a delivery is.',
  valuesConfig: {
    WAITING: { description: 'Waits for its first or next try.' },
    DELIVERED: { description: 'The receiver answered 2xx.' },
    GIVEN_UP: { description: `${MOST_ATTEMPTS} tries failed.` },
  },
});

@ObjectType({ implements: NodeType, description: 'A URL that is told of alerts as they are raised and resolved.' })
export class Webhook extends NodeType {
  @Field(() => String, { description: 'Where deliveries go, by POST.' })
  url!: string;

  @Field(() => DateTime, { description: 'When it was added.' })
  createdAt!: Date;

  record!: WebhookRecord;
}

@ObjectType({ description: 'Something that a webhook is told.' })
export class WebhookDelivery {
  @Field(() => ID, {
    description: 'The header `webhook-id`: the same at each try, so that a receiver knows what it has heard.',
  })
  id!: string;

  @Field(() => String, { description: '`alert.raised` or `alert.resolved`.' })
  type!: string;

  @Field(() => DeliveryStatus, { description: 'How far it is.' })
  status!: DeliveryStatus;

  @Field(() => Int, { description: 'Tries so far.' })
  attempts!: number;

  @Field(() => String, { description: 'How the last try ended, in words; empty before the first.' })
  outcome!: string;

  @Field(() => DateTime, { nullable: true, description: 'When it is tried next; null when it has ended.' })
  nextAt!: Date | null;

  @Field(() => DateTime, { description: 'When it was to be told.' })
  createdAt!: Date;
}

const { Connection: WebhookConnection } = connectionTypes(Webhook);
const { Connection: WebhookDeliveryConnection } = connectionTypes(WebhookDelivery);

export const toWebhook = (record: WebhookRecord): Webhook =>
  make(Webhook, { id: toGlobalId('Webhook', record.id), url: record.url, createdAt: record.createdAt, record });

const toDelivery = ({ id, payload, status, attempts, outcome, nextAt, createdAt }: DeliveryRecord): WebhookDelivery =>
  make(WebhookDelivery, {
    id,
    type: payload.type,
    status,
    attempts,
    outcome,
    createdAt,
    nextAt: status === 'WAITING' ? nextAt : null,
  });

@InputType({ description: 'A URL to tell of alerts.' })
export class AddWebhookInput {
  @Field(() => String, {
    description:
      'An https URL, at most 2,000 characters, without user name or password. Loopback, link-local and private addresses are refused unless the configuration allows their host (GRAFT_WEBHOOK_ALLOWED_HOSTS).',
  })
  url!: string;
}

@InputType({ description: 'Which webhook to delete.' })
export class DeleteWebhookInput {
  @Field(() => ID, { description: 'The webhook.' })
  webhook!: string;
}

@ObjectType({ description: 'What `addWebhook` made.' })
export class AddWebhookPayload {
  @Field(() => Webhook, { description: 'The webhook.' })
  webhook!: Webhook;

  @Field(() => String, {
    description:
      'What deliveries are signed with (Standard Webhooks: HMAC-SHA256 of id, timestamp and body in `webhook-signature`). It is not shown again.',
  })
  secret!: string;
}

@ObjectType({ description: 'What `deleteWebhook` deleted.' })
export class DeleteWebhookPayload {
  @Field(() => Webhook, { description: 'The webhook as it was; what it was yet to be told went with it.' })
  webhook!: Webhook;
}

@Resolver(() => Webhook)
export class WebhookResolver {
  constructor(private readonly parts: { webhooks: WebhookService }) {}

  @Needs('OPERATE')
  @Query(() => WebhookConnection, { description: 'The webhooks of the workspace, oldest first.', complexity: cost(5) })
  async webhooks(
    @Ctx() { workspaceId }: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<Webhook>> {
    const page = args.request();
    const webhooks = mapPage(await this.parts.webhooks.store.list(workspaceId, page), toWebhook);
    return toConnection(webhooks, ({ record }) => encodeCursor([record.id]), page.after);
  }

  @Needs('OPERATE')
  @Mutation(() => AddWebhookPayload, {
    description:
      'Has a URL told of alerts, at least once each, signed; what it does not answer with 2xx within 10 seconds is tried again for a day and a half.',
    complexity: cost(5),
  })
  async addWebhook(
    @Arg('input', () => AddWebhookInput, { description: 'The URL.' }) { url }: AddWebhookInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<AddWebhookPayload> {
    const { webhook, secret } = await this.parts.webhooks.add(workspaceId, url);
    return { webhook: toWebhook(webhook), secret };
  }

  @Needs('OPERATE')
  @Mutation(() => DeleteWebhookPayload, { description: 'Tells a URL no more.', complexity: cost(5) })
  async deleteWebhook(
    @Arg('input', () => DeleteWebhookInput, { description: 'Which.' }) { webhook }: DeleteWebhookInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<DeleteWebhookPayload> {
    const id = fromGlobalId(webhook, 'Webhook', 'input.webhook');
    return { webhook: toWebhook(await this.parts.webhooks.remove(workspaceId, id)) };
  }

  @FieldResolver(() => WebhookDeliveryConnection, {
    description: 'What it was told or is yet to be, newest first; kept for 30 days.',
    complexity: cost(5),
  })
  async deliveries(
    @Root() { record }: Webhook,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<ConnectionOf<WebhookDelivery>> {
    const page = args.request();
    const deliveries = await this.parts.webhooks.store.deliveries(workspaceId, record.id, page);
    return toConnection(mapPage(deliveries, toDelivery), ({ id }) => encodeCursor([id]), page.after);
  }
}
