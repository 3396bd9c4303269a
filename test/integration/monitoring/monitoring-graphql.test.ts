import { graphql, parse, subscribe, type ExecutionResult } from 'graphql';
import { createGraphContext, makeResolvers, NodeRegistry } from '../../../src/kit/graphql/index.js';
import { buildGraphSchema } from '../../../src/server/graphql/schema.js';
import { localCaller } from '../../../src/kernel/caller.js';
import { systemClock } from '../../../src/kernel/clock.js';
import type { WorkspaceId } from '../../../src/kernel/ids.js';
import { AlertService } from '../../../src/operate/monitoring/alerts/alert-service.js';
import { AlertStore } from '../../../src/operate/monitoring/alerts/alert-store.js';
import { DriftService } from '../../../src/operate/monitoring/drift/drift-service.js';
import { DriftStore } from '../../../src/operate/monitoring/drift/drift-store.js';
import { monitoringDomain, Roller, SeriesService, SeriesStore } from '../../../src/operate/monitoring/index.js';
import { WebhookService } from '../../../src/operate/monitoring/webhooks/webhook-service.js';
import { WebhookStore } from '../../../src/operate/monitoring/webhooks/webhook-store.js';
import { EventLog } from '../../../src/platform/events/index.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { freshWorkspace } from '../../support/chroma.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { plantAnswer } from './monitoring-kit.js';

describe('monitoring over GraphQL', () => {
  let database: TestDatabase;
  let events: EventLog;
  let roller: Roller;
  let webhooks: WebhookService;
  let schema: ReturnType<typeof buildGraphSchema>;
  const nodes = new NodeRegistry();

  beforeAll(async () => {
    database = await testDatabase();
    events = new EventLog({ database, log: silentLogger() });
    const [store, webhookStore] = [new SeriesStore(database), new WebhookStore(database)];
    const alerts = new AlertService({ database, alerts: new AlertStore(database), webhooks: webhookStore, events });
    const drift = new DriftService({
      database,
      drift: new DriftStore(database),
      alerts,
      embedderDigest: () => 'one',
      embed: (_workspaceId, texts) => Promise.resolve(texts.map(() => Float32Array.of(1, 0))),
      trainingInputs: () => Promise.resolve([]),
    });
    roller = new Roller({ database, store, clock: systemClock, log: silentLogger() });
    roller.watch((tx, answers) => alerts.watch(tx, answers));
    roller.watch((tx, answers) => drift.watch(tx, answers));
    webhooks = new WebhookService({ webhooks: webhookStore, allowedHosts: [] });
    const services = { series: new SeriesService({ store, clock: systemClock }), alerts, webhooks, drift };
    schema = buildGraphSchema(makeResolvers(monitoringDomain, services, nodes));
  });
  afterAll(async () => {
    await webhooks.stop();
    await events.close();
    await database.dispose();
  });

  const context = (workspaceId: WorkspaceId, signal = new AbortController().signal) =>
    createGraphContext(localCaller(workspaceId), 'test', { signal });
  async function send<Data>(workspaceId: WorkspaceId, source: string, variableValues = {}): Promise<Data> {
    const result = await graphql({ schema, source, variableValues, contextValue: context(workspaceId) });
    if (result.errors) throw result.errors[0]!.originalError ?? result.errors[0]!;
    return JSON.parse(JSON.stringify(result.data)) as Data;
  }
  const failures = async (workspaceId: WorkspaceId, count: number) => {
    for (let i = 0; i < count; i++)
      await plantAnswer(database, workspaceId, { status: 'FAILED', errorCode: 'WORKER_CRASHED' });
    await roller.rollAll();
  };
  const RULE = `mutation ($input: SetAlertRuleInput!) { setAlertRule(input: $input) { rule { id name answersPerFalseAlert quietMinutes raised evidence observations } } }`;
  const rule = { name: 'failures', metric: 'ERROR_RATE', side: 'ABOVE', threshold: 0.1 };

  it('reads series, split and narrowed', async () => {
    const workspaceId = freshWorkspace();
    for (const strategy of ['RAG', 'RAG', 'BASE']) await plantAnswer(database, workspaceId, { strategy });
    await roller.rollAll();
    const { monitoring } = await send<{ monitoring: object[] }>(
      workspaceId,
      `query ($input: MonitoringInput!) { monitoring(input: $input) { metric resolution count by { dimension value } points { at count value p50 } } }`,
      { input: { metric: 'LATENCY', by: ['STRATEGY'], resolution: 'DAY', where: { model: 'tiny@Q8_0' } } },
    );
    expect(monitoring).toMatchObject([
      {
        metric: 'LATENCY',
        resolution: 'DAY',
        count: 2,
        by: [{ dimension: 'STRATEGY', value: 'RAG' }],
        points: [{ count: 2 }],
      },
      { count: 1, by: [{ value: 'BASE' }], points: [{ p50: expect.any(Number) }] },
    ]);
  });

  it('sets a rule, raises its alert, tells who subscribes, acknowledges and resolves it', async () => {
    const workspaceId = freshWorkspace();
    const stop = new AbortController();
    const document = parse(
      'subscription { alertRaised(after: "0") { id at alert { kind status sentence rule { name } } } }',
    );
    const contextValue = context(workspaceId, stop.signal);
    const raised = (await subscribe({ schema, document, contextValue })) as AsyncGenerator<ExecutionResult>;
    const set = await send<{ setAlertRule: { rule: object } }>(workspaceId, RULE, { input: rule });
    expect(set.setAlertRule.rule).toMatchObject({
      name: 'failures',
      answersPerFalseAlert: 20_000,
      quietMinutes: 15,
      raised: false,
      evidence: 0,
    });
    await failures(workspaceId, 40);
    const told = JSON.parse(JSON.stringify((await raised.next()).value)) as {
      data: { alertRaised: { alert: object } };
    };
    expect(told.data.alertRaised.alert).toMatchObject({ kind: 'RULE', status: 'OPEN', rule: { name: 'failures' } });
    stop.abort();
    await raised.return(undefined);

    const about = async (metric: string, where: object = {}) => {
      const query = `query ($input: MonitoringInput!) { monitoring(input: $input) { alerts { kind rule { name } } } }`;
      return (await send<{ monitoring: { alerts: object[] }[] }>(workspaceId, query, { input: { metric, where } }))
        .monitoring;
    };
    expect(await about('ERROR_RATE')).toEqual([{ alerts: [{ kind: 'RULE', rule: { name: 'failures' } }] }]);
    expect(await about('VOLUME')).toEqual([{ alerts: [] }]);

    const list =
      'query ($open: Boolean) { alerts(open: $open) { edges { node { id status acknowledgedBy resolvedBy } } } }';
    type Listed = { alerts: { edges: { node: { id: string } }[] } };
    const [{ node }] = (await send<Listed>(workspaceId, list, { open: true })).alerts.edges as [
      { node: { id: string } },
    ];
    const input = { alert: node.id, by: 'ada' };
    const change = (name: string) =>
      send(workspaceId, `mutation ($input: AlertInput!) { ${name}(input: $input) { alert { status } } }`, { input });
    expect(await change('acknowledgeAlert')).toEqual({ acknowledgeAlert: { alert: { status: 'ACKNOWLEDGED' } } });
    expect(await change('resolveAlert')).toEqual({ resolveAlert: { alert: { status: 'RESOLVED' } } });
    expect((await send<Listed>(workspaceId, list, { open: true })).alerts.edges).toEqual([]);
    expect(await nodes.fetch(context(workspaceId), node.id)).toMatchObject({ status: 'RESOLVED', resolvedBy: 'ada' });
    expect(await nodes.fetch(context(freshWorkspace()), node.id)).toBeNull();
  });

  it('shows the rule of each of many alerts', async () => {
    const workspaceId = freshWorkspace();
    for (let i = 0; i < 3; i++) await send(workspaceId, RULE, { input: { ...rule, name: `rule ${i}` } });
    await failures(workspaceId, 40);
    const { alerts } = await send<{ alerts: { edges: { node: { rule: { name: string } } }[] } }>(
      workspaceId,
      '{ alerts { edges { node { rule { name } } } } }',
    );
    expect(alerts.edges.map(({ node }) => node.rule.name).sort()).toEqual(['rule 0', 'rule 1', 'rule 2']);
  });

  it.each([
    ['setAlertRule', 'SetAlertRuleInput', { ...rule, threshold: 2 }, 'rule { id }', 'input.threshold'],
    ['setAlertRule', 'SetAlertRuleInput', { ...rule, metric: 'LATENCY' }, 'rule { id }', 'input.beyond'],
    ['setAlertRule', 'SetAlertRuleInput', { ...rule, name: '' }, 'rule { id }', 'input.name'],
    ['addWebhook', 'AddWebhookInput', { url: 'https://127.0.0.1/hook' }, 'secret', 'input.url'],
    ['acknowledgeAlert', 'AlertInput', { alert: 'nonsense', by: 'ada' }, 'alert { id }', 'input.alert'],
  ])('%s refuses %s %j', async (mutation, type, input, selection, field) => {
    const source = `mutation ($input: ${type}!) { ${mutation}(input: $input) { ${selection} } }`;
    await expect(send(freshWorkspace(), source, { input })).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field });
  });

  it('adds a webhook, shows its secret once, lists and deletes it', async () => {
    const workspaceId = freshWorkspace();
    const { addWebhook } = await send<{ addWebhook: { webhook: { id: string }; secret: string } }>(
      workspaceId,
      'mutation { addWebhook(input: { url: "https://example.com/hook" }) { webhook { id } secret } }',
    );
    expect(addWebhook.secret).toMatch(/^whsec_/);
    const listed = await send<object>(
      workspaceId,
      '{ webhooks { edges { node { id url deliveries { edges { node { id } } } } } } }',
    );
    expect(listed).toEqual({
      webhooks: {
        edges: [{ node: { id: addWebhook.webhook.id, url: 'https://example.com/hook', deliveries: { edges: [] } } }],
      },
    });
    const remove = 'mutation ($input: DeleteWebhookInput!) { deleteWebhook(input: $input) { webhook { url } } }';
    await send(workspaceId, remove, { input: { webhook: addWebhook.webhook.id } });
    await expect(send(workspaceId, remove, { input: { webhook: addWebhook.webhook.id } })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('shows what is watched for change, and nothing of another workspace', async () => {
    const workspaceId = freshWorkspace();
    await plantAnswer(database, workspaceId, {
      adapter: { versionId: workspaceId, name: 'routing', version: 1 },
      label: { label: 'billing', probability: 0.9 },
    });
    await roller.rollAll();
    const query = '{ drift { kind adapter against phase observations needed evidence alarmAt shares { name } } }';
    expect(await send(workspaceId, query)).toEqual({
      drift: [
        {
          kind: 'LABELS',
          adapter: 'routing@1',
          against: 'LAST_PERIOD',
          phase: 'LEARNING',
          observations: 1,
          needed: 200,
          evidence: null,
          alarmAt: 100,
          shares: [],
        },
      ],
    });
    expect(await send(freshWorkspace(), query)).toEqual({ drift: [] });
  });
});
