import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import {
  connectionTypes,
  ConnectionArgs,
  cost,
  fromGlobalId,
  nodeOf,
  mapPage,
  Needs,
  NodeType,
  toConnection,
  type ConnectionOf,
  type GraphContext,
  objectType,
  inputType,
  ofType,
} from '../../../kit/graphql/index.js';
import { encodeCursor } from '../../../kernel/pagination.js';
import { string, date, id, oneOf, int } from '../../../kernel/record.js';
import { DeliveryStatus, type DeliveryRecord, type WebhookRecord } from './webhook.js';
import type { WebhookService } from './webhook-service.js';

const Webhook = objectType(
  'Webhook',
  'A URL that is told of alerts as they are raised and resolved.',
  {
    url: string('Where deliveries go, by POST.'),
    createdAt: date('When it was added.'),
    row: z.custom<WebhookRecord>(),
  },
  NodeType,
);
type Webhook = InstanceType<typeof Webhook>;

const WebhookDelivery = objectType('WebhookDelivery', 'Something that a webhook is told.', {
  id: id('The header `webhook-id`: the same at each try, so that a receiver knows what it has heard.'),
  type: string('`alert.raised` or `alert.resolved`.'),
  status: oneOf(DeliveryStatus, 'How far it is.'),
  attempts: int('Tries so far.'),
  outcome: string('How the last try ended, in words; empty before the first.'),
  nextAt: date('When it is tried next; null when it has ended.').nullable(),
  createdAt: date('When it was to be told.'),
});
type WebhookDelivery = InstanceType<typeof WebhookDelivery>;

const { Connection: WebhookConnection } = connectionTypes(Webhook);
const { Connection: WebhookDeliveryConnection } = connectionTypes(WebhookDelivery);

export const toWebhook = (row: WebhookRecord): Webhook => nodeOf(Webhook, row);

const toDelivery = ({
  id,
  payload,
  status,
  attempts,
  outcome,
  nextAt,
  createdAt,
}: DeliveryRecord): WebhookDelivery => ({
  id,
  type: payload.type,
  status,
  attempts,
  outcome,
  createdAt,
  nextAt: status === 'WAITING' ? nextAt : null,
});

const AddWebhookInput = inputType('AddWebhookInput', 'A URL to tell of alerts.', {
  url: string(
    'An https URL, at most 2,000 characters, without user name or password. Loopback, link-local and private addresses are refused unless the configuration allows their host (GRAFT_WEBHOOK_ALLOWED_HOSTS).',
  ),
});
type AddWebhookInput = InstanceType<typeof AddWebhookInput>;

const DeleteWebhookInput = inputType('DeleteWebhookInput', 'Which webhook to delete.', {
  webhook: id('The webhook.'),
});
type DeleteWebhookInput = InstanceType<typeof DeleteWebhookInput>;

const AddWebhookPayload = objectType('AddWebhookPayload', 'What `addWebhook` made.', {
  webhook: ofType(() => Webhook, 'The webhook.'),
  secret: string(
    'What deliveries are signed with (Standard Webhooks: HMAC-SHA256 of id, timestamp and body in `webhook-signature`). It is not shown again.',
  ),
});
type AddWebhookPayload = InstanceType<typeof AddWebhookPayload>;

const DeleteWebhookPayload = objectType('DeleteWebhookPayload', 'What `deleteWebhook` deleted.', {
  webhook: ofType(() => Webhook, 'The webhook as it was; what it was yet to be told went with it.'),
});
type DeleteWebhookPayload = InstanceType<typeof DeleteWebhookPayload>;

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
    return toConnection(webhooks, ({ row }) => encodeCursor([row.id]), page.after);
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
    @Root() { row }: Webhook,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<ConnectionOf<WebhookDelivery>> {
    const page = args.request();
    const deliveries = await this.parts.webhooks.store.deliveries(workspaceId, row.id, page);
    return toConnection(mapPage(deliveries, toDelivery), ({ id }) => encodeCursor([id]), page.after);
  }
}
