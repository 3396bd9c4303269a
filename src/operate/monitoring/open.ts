import type { OpenAsking } from '../../answer/ask/index.js';
import { defineDomain, offer, type Offer } from '../../kit/domain/index.js';
import type { OpenData } from '../../sources/data/index.js';
import type { NodeRegistry } from '../../kit/graphql/index.js';
import { HOUR_MS, MINUTE_MS } from '../../kernel/duration.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { embedderDigest } from '../../sources/knowledge/index.js';
import type { Chore } from '../../platform/chores.js';
import type { Platform } from '../../platform/platform.js';
import type { GaugeSource } from '../../platform/telemetry/index.js';
import type { Registry } from '../../sources/registry/index.js';
import type { OpenSync } from '../../sources/sync/index.js';
import { AlertRaisedResolver, AlertResolver, toAlert } from './alerts/alert-graphql.js';
import { AlertService } from './alerts/alert-service.js';
import { AlertStore } from './alerts/alert-store.js';
import { AlertRuleResolver, toRule } from './alerts/rule-graphql.js';
import { SeriesAlertsResolver } from './alerts/series-alerts-graphql.js';
import { staleSources } from './alerts/stale-sources.js';
import { DriftResolver } from './drift/drift-graphql.js';
import { DriftService } from './drift/drift-service.js';
import { DriftStore } from './drift/drift-store.js';
import { trainingInputs } from './drift/training-inputs.js';
import { countAnswers, gaugesOf } from './metrics.js';
import { Roller } from './series/roller.js';
import { SeriesResolver } from './series/series-graphql.js';
import { SeriesService } from './series/series-service.js';
import { SeriesStore } from './series/series-store.js';
import { WebhookResolver, toWebhook } from './webhooks/webhook-graphql.js';
import { WebhookService } from './webhooks/webhook-service.js';
import { WebhookStore } from './webhooks/webhook-store.js';

interface Services {
  series: SeriesService;
  alerts: AlertService;
  webhooks: WebhookService;
  drift: DriftService;
}

export const monitoringDomain = defineDomain({
  classes: [
    SeriesResolver,
    SeriesAlertsResolver,
    AlertResolver,
    AlertRaisedResolver,
    AlertRuleResolver,
    WebhookResolver,
    DriftResolver,
  ],
  runs: [],
  registerNodes(nodes: NodeRegistry, { alerts, webhooks }: Pick<Services, 'alerts' | 'webhooks'>) {
    nodes.register('Alert', async ({ workspaceId }, id) => {
      const record = (await alerts.store.byIds(workspaceId, [id])).get(id);
      return record ? toAlert(record) : null;
    });
    nodes.register('AlertRule', async ({ workspaceId }, id) => {
      const record = (await alerts.store.rulesByIds(workspaceId, [id])).get(id);
      return record ? toRule(record) : null;
    });
    nodes.register('Webhook', async ({ workspaceId }, id) => {
      const record = (await webhooks.store.byIds(workspaceId, [id])).get(id);
      return record ? toWebhook(record) : null;
    });
  },
});

/** How answers are over time, and who is told when they are otherwise than they should be. */
export interface Monitoring extends Services {
  readonly roller: Roller;
  /** For `/metrics`. */
  readonly gauges: readonly GaugeSource[];
  readonly offer: Offer;
}

const SECOND = 1_000;
/** Of age that one sweep may delete, in hours: sweeps are an hour apart. */
const EXPIRED_AT_ONCE = 6;

export function openMonitoring(
  platform: Platform,
  lower: { registry: Registry; sync: OpenSync; data: OpenData; ask: OpenAsking },
): Monitoring {
  const { config, database, events, clock, worker, runs, log, erasure } = platform;
  const { adapters, embedder } = lower.registry;
  const { data } = lower.data;
  const store = new SeriesStore(database);
  const alertStore = new AlertStore(database);
  const webhookStore = new WebhookStore(database);
  const driftStore = new DriftStore(database);
  const alerts = new AlertService({ database, alerts: alertStore, webhooks: webhookStore, events });
  const webhooks = new WebhookService({ webhooks: webhookStore, allowedHosts: config.GRAFT_WEBHOOK_ALLOWED_HOSTS });
  const drift = new DriftService({
    database,
    drift: driftStore,
    alerts,
    embedderDigest: () => embedderDigest(embedder()),
    embed: async (workspaceId, texts, signal) => {
      const request = { workspaceId: workspaceId as WorkspaceId, embedder: embedder(), texts: [...texts] };
      return (await worker.embed(request, { priority: 'bulk', signal })).vectors;
    },
    trainingInputs: (workspaceId, adapterVersionId, limit) =>
      trainingInputs({ adapters, data }, workspaceId as WorkspaceId, adapterVersionId, limit),
  });
  const ownLog = log.child({ part: 'monitoring' });
  const roller = new Roller({ database, store, clock, log: ownLog });
  roller.watch((tx, answers) => alerts.watch(tx, answers));
  roller.watch((tx, answers) => drift.watch(tx, answers));
  // Last, as no transaction takes it back when another fails.
  roller.watch((_tx, answers) => Promise.resolve(countAnswers(answers)));
  roller.listen((tx, feedback) => alerts.listen(tx, feedback));
  erasure.addHolder({
    name: 'drift of questions',
    erase: ({ adapterVersions = [] }) => driftStore.forget(adapterVersions),
  });

  lower.ask.answers.onErasure((tx, { workspaceId, ids, kept }) =>
    kept ? Promise.resolve() : drift.forget(tx, workspaceId, ids),
  );

  const chores: Chore[] = [
    { name: 'count answers', everyMs: SECOND, work: (signal) => roller.rollAll(signal) },
    { name: 'look for drift', everyMs: 2 * SECOND, work: (signal) => drift.pass(signal) },
    {
      name: 'look for stale sources',
      everyMs: MINUTE_MS,
      work: async () => alerts.hold('SOURCE', await staleSources(lower.sync, clock.now())),
    },
    { name: 'settle alerts', everyMs: 10 * SECOND, work: () => alerts.settle() },
    { name: 'deliver webhooks', everyMs: SECOND, work: () => webhooks.deliver() },
    { name: 'expire series', everyMs: HOUR_MS, work: () => store.expire(clock.now(), EXPIRED_AT_ONCE) },
    { name: 'forget webhooks', everyMs: HOUR_MS, work: () => webhooks.forgetOld() },
  ];
  const services = { series: new SeriesService({ store, clock }), alerts, webhooks, drift };
  return {
    ...services,
    roller,
    gauges: gaugesOf({ database, alerts: alertStore, webhooks: webhookStore }),
    offer: offer(monitoringDomain, runs, services, { chores, stop: () => webhooks.stop() }),
  };
}
