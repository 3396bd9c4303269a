import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../../src/kernel/clock.js';
import { newId, type WorkspaceId } from '../../../src/kernel/ids.js';
import { AlertService } from '../../../src/operate/monitoring/alerts/alert-service.js';
import { AlertStore } from '../../../src/operate/monitoring/alerts/alert-store.js';
import type { Rule } from '../../../src/operate/monitoring/alerts/rule.js';
import { Roller, SeriesStore } from '../../../src/operate/monitoring/index.js';
import { signatureOf } from '../../../src/operate/monitoring/webhooks/signature.js';
import { MOST_ATTEMPTS } from '../../../src/operate/monitoring/webhooks/webhook.js';
import { WebhookService } from '../../../src/operate/monitoring/webhooks/webhook-service.js';
import { WebhookStore } from '../../../src/operate/monitoring/webhooks/webhook-store.js';
import { EventLog } from '../../../src/platform/events/index.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { freshWorkspace } from '../../support/chroma.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { waitingForLocks } from '../../support/lock-waits.js';
import { plantAnswer } from './monitoring-kit.js';

const PAGE = { first: 100, after: null };
const FAILURES: Rule = {
  metric: 'ERROR_RATE',
  side: 'ABOVE',
  threshold: 0.1,
  limit: null,
  where: {},
  answersPerFalseAlert: 20_000,
  quietMinutes: 15,
};

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/** A receiver of webhooks that answers as the test says. */
async function startReceiver(answer: (response: ServerResponse, received: Received[]) => void) {
  const received: Received[] = [];
  const server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      answer(response, received);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received, close };
}

/** Rules that are changed at the moment at which the roller has read them: the change is made at once, or waits for the roller. */
class Interrupted extends AlertStore {
  change: Promise<unknown> | null = null;

  constructor(
    private readonly own: TestDatabase,
    private readonly meanwhile: () => Promise<unknown>,
  ) {
    super(own);
  }

  override async enabledRules(...args: Parameters<AlertStore['enabledRules']>) {
    const rules = await super.enabledRules(...args);
    if (this.change !== null) return rules;
    let made = false;
    this.change = this.meanwhile().finally(() => (made = true));
    await eventually('the change', async () => made || (await waitingForLocks(this.own.pool)).length > 0);
    return rules;
  }
}

describe('alerts', () => {
  let database: TestDatabase;
  let events: EventLog;
  let alerts: AlertService;
  let store: AlertStore;
  let webhookStore: WebhookStore;
  let roller: Roller;
  let webhooks: WebhookService;

  beforeAll(async () => {
    database = await testDatabase();
    events = new EventLog({ database, log: silentLogger() });
    store = new AlertStore(database);
    webhookStore = new WebhookStore(database);
    alerts = new AlertService({ database, alerts: store, webhooks: webhookStore, events });
    roller = new Roller({ database, store: new SeriesStore(database), clock: systemClock, log: silentLogger() });
    roller.watch((tx, answers) => alerts.watch(tx, answers));
    roller.listen((tx, feedback) => alerts.listen(tx, feedback));
    webhooks = new WebhookService({
      webhooks: webhookStore,
      allowedHosts: ['127.0.0.1'],
      timeoutMs: 400,
    });
  });
  afterAll(async () => {
    await webhooks.stop();
    await events.close();
    await database.dispose();
  });

  async function answers(workspaceId: WorkspaceId, count: number, failed: boolean) {
    for (let i = 0; i < count; i++)
      await plantAnswer(database, workspaceId, failed ? { status: 'FAILED', errorCode: 'WORKER_CRASHED' } : {});
    await roller.rollAll();
  }
  const all = async (workspaceId: WorkspaceId, open: boolean | null = null) =>
    (await store.alerts(workspaceId, open, PAGE)).items;

  /** A workspace with a rule that was raised. */
  async function raised(rule: Partial<Rule> = {}) {
    const workspaceId = freshWorkspace();
    await alerts.setRule(workspaceId, 'failures', { ...FAILURES, ...rule }, true);
    await answers(workspaceId, 40, true);
    return workspaceId;
  }
  const waitOf = async (ms: number, workspaceId: WorkspaceId) =>
    void (await database.pool.query(
      `UPDATE alert SET recovered_at = recovered_at - make_interval(secs => $1) WHERE workspace_id = $2`,
      [ms / 1000, workspaceId],
    ));

  it('are raised once by a rule that failures break, and tell why in words', async () => {
    const workspaceId = await raised();
    const [alert, ...others] = await all(workspaceId, true);
    expect(others).toEqual([]);
    expect(alert).toMatchObject({ kind: 'RULE', status: 'OPEN', times: 1 });
    expect(alert!.evidence).toBeGreaterThanOrEqual(20_000);
    expect(alert!.sentence).toMatch(
      /^failures: the share of failures has been above 0\.1 \(shown by a test of \d+ answers, with one false alert in 20000 at most\)\. The mean of about the last 50 was then 1\.00\.$/,
    );
  });

  it('are not raised by answers that a rule is not about, by rules that are switched off, or elsewhere', async () => {
    const [workspaceId, other] = [freshWorkspace(), freshWorkspace()];
    await alerts.setRule(workspaceId, 'elsewhere', { ...FAILURES, where: { strategy: 'BASE' } }, true);
    await alerts.setRule(workspaceId, 'off', FAILURES, false);
    await answers(workspaceId, 40, true);
    await answers(other, 40, true);
    expect(await all(workspaceId)).toEqual([]);
    expect(await all(other)).toEqual([]);
  });

  it('are raised by a rule on the failures of one adapter, among answers of others', async () => {
    const workspaceId = freshWorkspace();
    const adapter = { versionId: newId(), name: 'routing', version: 3 };
    await alerts.setRule(workspaceId, 'routing', { ...FAILURES, where: { adapter: 'routing' } }, true);
    await alerts.setRule(workspaceId, 'base', { ...FAILURES, where: { strategy: 'BASE' } }, true);
    for (let i = 0; i < 40; i++) {
      const failed = i % 2 === 0 ? { status: 'FAILED' as const, errorCode: 'WORKER_CRASHED' } : {};
      await plantAnswer(database, workspaceId, { ...failed, strategy: 'ADAPTER', adapter });
      await plantAnswer(database, workspaceId, { strategy: 'BASE' });
    }
    await roller.rollAll();
    expect((await all(workspaceId)).map(({ sentence }) => sentence.split(':')[0])).toEqual(['routing']);
  });

  it('are raised by a rule on accuracy as feedback says that answers are wrong', async () => {
    const workspaceId = freshWorkspace();
    await alerts.setRule(
      workspaceId,
      'wrong',
      { ...FAILURES, metric: 'ACCURACY', side: 'BELOW', threshold: 0.8 },
      true,
    );
    for (let i = 0; i < 100; i++) {
      const answerId = await plantAnswer(database, workspaceId);
      await database.pool.query(
        `INSERT INTO feedback (id, workspace_id, answer_id, kind, source_kind, source_name, digest, score, agrees)
         VALUES ($1, $2, $3, 'FEEDBACK', 'HUMAN', 'ada', '', $4, $5)`,
        [newId(), workspaceId, answerId, i % 2 ? 1 : -1, i % 2 === 1],
      );
    }
    await roller.rollAll();
    expect(await all(workspaceId, true)).toMatchObject([
      { kind: 'RULE', sentence: expect.stringContaining('wrong: the share of right answers has been below 0.8') },
    ]);
  });

  it('resolve themselves when their cause has been gone for the quiet time', async () => {
    const workspaceId = await raised();
    await answers(workspaceId, 150, false);
    expect((await all(workspaceId))[0]).toMatchObject({ status: 'OPEN', recoveredAt: expect.any(Date) });
    await alerts.settle();
    expect((await all(workspaceId))[0]!.status).toBe('OPEN');
    await waitOf(16 * 60_000, workspaceId);
    await alerts.settle();
    expect((await all(workspaceId))[0]).toMatchObject({ status: 'RESOLVED', resolvedBy: 'graft' });
    expect(await all(workspaceId, true)).toEqual([]);
  });

  it('that flap are one alert, told once', async () => {
    const workspaceId = freshWorkspace();
    const { webhook } = await webhooks.add(workspaceId, 'http://127.0.0.1:1/hook');
    await alerts.setRule(workspaceId, 'failures', FAILURES, true);
    for (let i = 0; i < 4; i++) {
      await answers(workspaceId, 40, true);
      await answers(workspaceId, 150, false);
      await alerts.settle();
    }
    const found = await all(workspaceId);
    expect(found).toMatchObject([{ status: 'OPEN', times: 4 }]);
    expect((await webhookStore.deliveries(workspaceId, webhook.id, PAGE)).items).toHaveLength(1);
    await webhooks.remove(workspaceId, webhook.id);
  });

  it('are acknowledged and resolved by people, and come back as new ones', async () => {
    const workspaceId = await raised();
    const { id } = (await all(workspaceId))[0]!;
    expect(await alerts.acknowledge(workspaceId, id, 'ada')).toMatchObject({
      status: 'ACKNOWLEDGED',
      acknowledgedBy: 'ada',
    });
    expect(await alerts.resolve(workspaceId, id, 'ada')).toMatchObject({ status: 'RESOLVED', resolvedBy: 'ada' });
    expect(await alerts.resolve(workspaceId, id, 'bob')).toMatchObject({ resolvedBy: 'ada' });
    await expect(alerts.acknowledge(workspaceId, id, 'bob')).rejects.toMatchObject({ code: 'CONFLICT' });
    await answers(workspaceId, 40, true);
    expect((await all(workspaceId, true)).map((alert) => alert.id)).not.toContain(id);
    expect(await all(workspaceId, true)).toHaveLength(1);
  });

  it.each(['a rule that is replaced', 'a rule whose alert is resolved'])(
    'are raised again by %s while answers are counted',
    async (which) => {
      const workspaceId = await raised();
      const { id } = (await all(workspaceId))[0]!;
      const change = () =>
        which === 'a rule that is replaced'
          ? alerts.setRule(workspaceId, 'failures', FAILURES, true)
          : alerts.resolve(workspaceId, id, 'ada');
      const interrupted = new Interrupted(database, change);
      const counting = new AlertService({ database, alerts: interrupted, webhooks: webhookStore, events });
      const interruptedRoller = new Roller({
        database,
        store: new SeriesStore(database),
        clock: systemClock,
        log: silentLogger(),
      });
      interruptedRoller.watch((tx, counted) => counting.watch(tx, counted));
      await plantAnswer(database, workspaceId, { status: 'FAILED', errorCode: 'WORKER_CRASHED' });
      await interruptedRoller.rollAll();
      await interrupted.change;
      expect((await alerts.rule(workspaceId, 'failures'))!.state.raised).toBe(false);
      await answers(workspaceId, 40, true);
      expect((await alerts.rule(workspaceId, 'failures'))!.state.raised).toBe(true);
      expect(await all(workspaceId, true)).toMatchObject([{ recoveredAt: null }]);
    },
  );

  it('of another workspace are not found', async () => {
    const workspaceId = await raised();
    const { id } = (await all(workspaceId))[0]!;
    await expect(alerts.acknowledge(freshWorkspace(), id, 'ada')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('stay after their rule is deleted, and are resolved', async () => {
    const workspaceId = await raised();
    await alerts.deleteRule(workspaceId, 'failures');
    await waitOf(16 * 60_000, workspaceId);
    await alerts.settle();
    expect(await all(workspaceId)).toMatchObject([{ status: 'RESOLVED', ruleId: null }]);
    await expect(alerts.deleteRule(workspaceId, 'failures')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('stay as they are through a week without a question', async () => {
    const workspaceId = await raised();
    await database.pool.query(
      `UPDATE alert SET raised_at = raised_at - interval '7 days', last_raised_at = last_raised_at - interval '7 days' WHERE workspace_id = $1`,
      [workspaceId],
    );
    await roller.rollAll();
    await alerts.settle();
    expect(await all(workspaceId)).toMatchObject([{ status: 'OPEN', times: 1 }]);
    await answers(workspaceId, 150, false);
    expect((await all(workspaceId))[0]!.recoveredAt).not.toBeNull();
  });

  it('go by answers, not by a clock that jumps', async () => {
    const workspaceId = freshWorkspace();
    await alerts.setRule(workspaceId, 'failures', FAILURES, true);
    for (let i = 0; i < 40; i++)
      await plantAnswer(database, workspaceId, {
        at: new Date(Date.now() + (i % 2 === 0 ? 1 : -1) * 400 * 86_400_000),
        ...(i % 15 === 14 && { status: 'FAILED' as const, errorCode: 'WORKER_CRASHED' }),
      });
    await roller.rollAll();
    expect(await all(workspaceId)).toEqual([]);
    await answers(workspaceId, 40, true);
    expect(await all(workspaceId, true)).toHaveLength(1);
    // Its cause went, says a clock that has jumped back since, in a year.
    await answers(workspaceId, 150, false);
    await waitOf(-366 * 86_400_000, workspaceId);
    await alerts.settle();
    expect(await all(workspaceId, true)).toHaveLength(1);
  });

  it('reach subscribers as they are raised, those after a moment without gaps', async () => {
    const workspaceId = freshWorkspace();
    const stop = new AbortController();
    const seen: bigint[] = [];
    const following = (async () => {
      for await (const { sequence } of alerts.follow(workspaceId, 0n, stop.signal)) seen.push(sequence);
    })();
    await alerts.setRule(workspaceId, 'failures', FAILURES, true);
    await answers(workspaceId, 40, true);
    await eventually('the alert', () => seen.length === 1);
    stop.abort();
    await following;
    const again = alerts.follow(workspaceId, 0n, new AbortController().signal);
    expect((await again.next()).value).toMatchObject({
      sequence: seen[0],
      payload: { alertId: (await all(workspaceId))[0]!.id },
    });
    await again.return(undefined);
  });

  describe('told to a webhook', () => {
    // Whatever is left would be delivered by the next test, too.
    afterEach(() => database.pool.query('DELETE FROM webhook'));

    const deliveriesOf = async (workspaceId: WorkspaceId, id: string) =>
      (await webhookStore.deliveries(workspaceId, id, PAGE)).items;
    const makeDue = (id: string) =>
      database.pool.query('UPDATE webhook_delivery SET next_at = now() WHERE webhook_id = $1', [id]);

    async function raisedTo(url: string) {
      const workspaceId = freshWorkspace();
      const { webhook, secret } = await webhooks.add(workspaceId, url);
      await alerts.setRule(workspaceId, 'failures', FAILURES, true);
      await answers(workspaceId, 40, true);
      return { workspaceId, secret, id: webhook.id };
    }

    it('are signed, and say no word of the questions', async () => {
      const receiver = await startReceiver((response) => void response.writeHead(204).end());
      try {
        const { workspaceId, secret, id } = await raisedTo(receiver.url);
        await webhooks.deliver();
        expect(await deliveriesOf(workspaceId, id)).toMatchObject([{ status: 'DELIVERED', attempts: 1 }]);
        const [{ headers, body }] = receiver.received as [Received];
        const signed = { id: String(headers['webhook-id']), timestamp: Number(headers['webhook-timestamp']), body };
        expect(headers['webhook-signature']).toBe(signatureOf(secret, signed));
        expect(Math.abs(Date.now() / 1000 - signed.timestamp)).toBeLessThan(300);
        expect(JSON.parse(body)).toMatchObject({ type: 'alert.raised', data: { kind: 'RULE', status: 'OPEN' } });
        expect(body).not.toContain('Why?');
      } finally {
        await receiver.close();
      }
    });

    it('that answers 500 are tried again later, under the same id, until it hears', async () => {
      const receiver = await startReceiver(
        (response, { length }) => void response.writeHead(length < 3 ? 500 : 200).end('no'),
      );
      try {
        const { workspaceId, id } = await raisedTo(receiver.url);
        await webhooks.deliver();
        const [first] = await deliveriesOf(workspaceId, id);
        expect(first).toMatchObject({ status: 'WAITING', attempts: 1, outcome: 'it answered 500' });
        expect(first!.nextAt.getTime()).toBeGreaterThan(Date.now() + 5_000);
        await webhooks.deliver();
        expect(receiver.received).toHaveLength(1);
        for (let i = 0; i < 2; i++) {
          await makeDue(id);
          await webhooks.deliver();
        }
        expect(await deliveriesOf(workspaceId, id)).toMatchObject([{ status: 'DELIVERED', attempts: 3 }]);
        expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
      } finally {
        await receiver.close();
      }
    });

    it('that never answers are given up in time, and after the last try for good', async () => {
      const receiver = await startReceiver(() => undefined);
      try {
        const { workspaceId, id } = await raisedTo(receiver.url);
        await webhooks.deliver();
        expect(await deliveriesOf(workspaceId, id)).toMatchObject([{ status: 'WAITING', outcome: 'it took too long' }]);
        await database.pool.query('UPDATE webhook_delivery SET attempts = $2, next_at = now() WHERE webhook_id = $1', [
          id,
          MOST_ATTEMPTS - 1,
        ]);
        await webhooks.deliver();
        expect(await deliveriesOf(workspaceId, id)).toMatchObject([{ status: 'GIVEN_UP', attempts: MOST_ATTEMPTS }]);
        await makeDue(id);
        expect(await webhooks.deliver()).toBe(0);
      } finally {
        await receiver.close();
      }
    });

    it('that redirects are not followed', async () => {
      const target = await startReceiver((response) => void response.writeHead(200).end());
      const receiver = await startReceiver((response) => void response.writeHead(302, { location: target.url }).end());
      try {
        const { workspaceId, id } = await raisedTo(receiver.url);
        await webhooks.deliver();
        expect(await deliveriesOf(workspaceId, id)).toMatchObject([{ status: 'WAITING', outcome: 'it answered 302' }]);
        expect(target.received).toEqual([]);
      } finally {
        await receiver.close();
        await target.close();
      }
    });

    it('that a dead gateway had taken are taken by the next', async () => {
      const receiver = await startReceiver((response) => void response.writeHead(200).end());
      try {
        const { workspaceId, id } = await raisedTo(receiver.url);
        const [dead] = await webhookStore.take(10, 60);
        expect(dead).toBeDefined();
        expect(await webhooks.deliver()).toBe(0);
        await makeDue(id);
        await webhooks.deliver();
        expect(await deliveriesOf(workspaceId, id)).toMatchObject([{ status: 'DELIVERED', attempts: 2 }]);
        // What the first one says afterwards counts no more.
        await webhookStore.settle(dead!, 'GIVEN_UP', 'late');
        expect(await deliveriesOf(workspaceId, id)).toMatchObject([{ status: 'DELIVERED' }]);
      } finally {
        await receiver.close();
      }
    });

    it('at a private address are refused, when it is added and when an operator allows it no more', async () => {
      const strict = new WebhookService({ webhooks: webhookStore, allowedHosts: [], timeoutMs: 400 });
      const receiver = await startReceiver((response) => void response.writeHead(200).end());
      try {
        for (const url of [receiver.url, 'https://localhost/hook', 'https://[::1]/hook', 'https://10.0.0.8/hook'])
          await expect(strict.add(freshWorkspace(), url)).rejects.toMatchObject({
            code: 'BAD_USER_INPUT',
            field: 'input.url',
          });
        const { workspaceId, id } = await raisedTo(receiver.url);
        await strict.deliver();
        expect(await deliveriesOf(workspaceId, id)).toMatchObject([
          { status: 'WAITING', outcome: 'its URL is not allowed' },
        ]);
        expect(receiver.received).toEqual([]);
        await webhooks.remove(workspaceId, id);
      } finally {
        await strict.stop();
        await receiver.close();
      }
    });

    it('are not there for another workspace, nor with its secret for anybody', async () => {
      const workspaceId = freshWorkspace();
      const { webhook, secret } = await webhooks.add(workspaceId, 'https://example.com/hook');
      await expect(webhooks.remove(freshWorkspace(), webhook.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(webhooks.add(workspaceId, 'https://example.com/hook')).rejects.toMatchObject({
        code: 'ALREADY_EXISTS',
      });
      expect(JSON.stringify(await webhookStore.list(workspaceId, PAGE))).not.toContain(secret);
    });
  });
});
