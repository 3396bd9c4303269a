import { setTimeout as sleep } from 'node:timers/promises';
import { addAuditAddress } from '../../src/server/graphql/audit-address.js';
import { LOCAL_CALLERS } from '../../src/server/graphql/callers.js';
import { localCaller } from '../../src/kernel/caller.js';
import { DEFAULT_WORKSPACE_ID, newId, type WorkspaceId } from '../../src/kernel/ids.js';
import { startProbeGateway } from '../support/gateway.js';
import { Metrics } from '../../src/platform/telemetry/index.js';

const json = async (url: string) => {
  const response = await fetch(url);
  return [response.status, await response.json()] as const;
};

describe('health and shutdown', () => {
  it('says which part is not ready', async () => {
    const gateway = await startProbeGateway();
    expect(await json(`${gateway.url}/livez`)).toEqual([200, { status: 'alive' }]);
    expect(await json(`${gateway.url}/readyz`)).toEqual([
      200,
      { status: 'ready', parts: [{ name: 'database', ready: true }] },
    ]);
    gateway.parts[0]!.ready = false;
    expect(await json(`${gateway.url}/readyz`)).toEqual([
      503,
      { status: 'not ready', parts: [{ name: 'database', ready: false }] },
    ]);
    await gateway.close(100);
  });

  it('tells anybody why a part is not ready, and nothing of those that are', async () => {
    const gateway = await startProbeGateway();
    Object.assign(gateway.parts[0]!, { detail: '48 MiB free' });
    expect(JSON.stringify(await json(`${gateway.url}/readyz`))).not.toContain('MiB');
    Object.assign(gateway.parts[0]!, { ready: false, detail: 'full' });
    expect(await json(`${gateway.url}/readyz`)).toMatchObject([503, { parts: [{ detail: 'full' }] }]);
    await gateway.close(100);
  });

  it('finishes what has begun, refuses what is new, and then stops listening', async () => {
    const gateway = await startProbeGateway();
    const running = gateway.post({ query: '{ wait(ms: 1500) }' });
    await gateway.log.untilStarted('wait');
    const closed = gateway.close(20_000);
    expect(await json(`${gateway.url}/readyz`)).toMatchObject([503, { status: 'draining' }]);
    expect((await json(`${gateway.url}/livez`))[0]).toBe(200);
    const refused = await gateway.post({ query: '{ hello }' });
    expect([refused.status, refused.json.errors![0]!.extensions['code']]).toEqual([503, 'SHUTTING_DOWN']);
    expect((await running).json).toMatchObject({ data: { wait: 'waited' } });
    await closed;
    await expect(fetch(`${gateway.url}/livez`)).rejects.toThrow();
  });

  it('lets a file of the audit log that has begun end, and refuses another', async () => {
    async function* lines() {
      for (let n = 0; n < 5; n++) {
        yield `{"n":${n}}\n`;
        await sleep(500);
      }
    }
    const gateway = await startProbeGateway({ addRoutes: (server, kit) => addAuditAddress(server, lines, kit) });
    const begun = await fetch(`${gateway.url}/audit.ndjson`);
    const closed = gateway.close(20_000);
    expect(await json(`${gateway.url}/audit.ndjson`)).toMatchObject([
      503,
      { errors: [{ extensions: { code: 'SHUTTING_DOWN' } }] },
    ]);
    expect((await begun.text()).match(/\n/g)).toHaveLength(5);
    await closed;
  });

  it('aborts what does not finish in time', async () => {
    const gateway = await startProbeGateway();
    const running = gateway.post({ query: '{ wait(ms: 60000) }' }).catch((error: unknown) => error);
    await gateway.log.untilStarted('wait');
    const started = Date.now();
    await gateway.close(200);
    expect(Date.now() - started).toBeLessThan(2_000);
    await gateway.log.untilAborted('wait');
    expect(await running).toMatchObject({ message: 'fetch failed' });
  });

  it('aborts the resolver of a request whose client hangs up', async () => {
    const gateway = await startProbeGateway();
    const controller = new AbortController();
    const running = fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ wait(ms: 60000) }' }),
      signal: controller.signal,
    }).catch((error: unknown) => error);
    await gateway.log.untilStarted('wait');
    controller.abort();
    await gateway.log.untilAborted('wait');
    await running;
    await gateway.close(100);
  });
});

describe('/metrics', () => {
  it('counts operations and errors by closed labels, and measures the event loop, as Prometheus reads it', async () => {
    const gateway = await startProbeGateway();
    try {
      await gateway.post({ query: '{ hello }' });
      await gateway.post({ query: '{ refuse }' });
      const stream = await fetch(`${gateway.url}/graphql/stream`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ query: 'subscription { failing }' }),
      });
      await stream.text();
      const response = await fetch(`${gateway.url}/metrics`);
      expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
      const lines = (await response.text()).split('\n');
      for (const line of [
        'graft_operation_seconds_count{transport="http",type="query",outcome="ok"} 1',
        'graft_operation_seconds_count{transport="http",type="query",outcome="error"} 1',
        'graft_operation_seconds_count{transport="sse",type="subscription",outcome="error"} 1',
        'graft_errors_total{code="CONFLICT"} 1',
        'graft_errors_total{code="INTERNAL_ERROR"} 1',
      ])
        expect(lines).toContain(line);
      expect(lines.some((line) => /^nodejs_eventloop_lag_max_seconds \d/.test(line))).toBe(true);
    } finally {
      await gateway.close(100);
    }
  });

  it('shows metrics, which are of all workspaces, to keys of the first one only', async () => {
    const statusFor = async (workspaceId: WorkspaceId) => {
      const authenticate = () => ({ ...localCaller(workspaceId), role: 'OPERATE' as const });
      const gateway = await startProbeGateway({ callers: { ...LOCAL_CALLERS, authenticate } });
      const { status } = await fetch(`${gateway.url}/metrics`);
      await gateway.close(0);
      return status;
    };
    expect(await statusFor(DEFAULT_WORKSPACE_ID)).toBe(200);
    expect(await statusFor(newId() as string as WorkspaceId)).toBe(403);
  });

  it('shows what its sources say, and everything else when one of them fails', async () => {
    const metrics = new Metrics();
    const labels = ['part'] as const;
    metrics.addGauge({
      name: 'good',
      help: 'Works.',
      labels,
      read: () => [{ labels: { part: 'database' }, value: 1 }],
    });
    metrics.addGauge({
      name: 'bad',
      help: 'Fails.',
      labels,
      read: () => Promise.reject(new Error('no database')),
    });
    const { text } = await metrics.text();
    expect(text).toContain('good{part="database"} 1');
    expect(text).not.toMatch(/^bad\{/m);
  });
});
