/** A gateway whose traces go to a collector that misbehaves: what it answers is the same, and so is how soon it ends. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadConfig } from '../../src/platform/config.js';
import { packageRoot } from '../../src/platform/package-root.js';
import { silentLogger } from '../../src/platform/telemetry/index.js';
import { openTracing, remoteSpan, startSpan } from '../../src/platform/tracing/index.js';
import { startCollector, type Collector } from '../support/collector.js';
import { eventually } from '../support/eventually.js';
import { startProbeGateway, type ProbeGateway } from '../support/gateway.js';
import { TRANSPORTS } from '../support/transports.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';

describe('a traced gateway', () => {
  let collector: Collector;
  let gateway: ProbeGateway;
  let end: () => Promise<void>;

  const start = async (env: Record<string, string> = {}): Promise<void> => {
    end = await openTracing(loadConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env }), silentLogger());
    gateway = await startProbeGateway();
  };
  const stop = async (): Promise<void> => {
    await gateway.close(0);
    await end();
  };
  const hello = async (headers: Record<string, string> = {}) =>
    (await gateway.post({ query: 'query Greeting { hello }' }, headers)).json;

  beforeEach(async () => (collector = await startCollector()));
  afterEach(async () => {
    await stop();
    await collector.close();
  });

  it.each(TRANSPORTS)('makes a span of an operation over $name, with its type and name', async (transport) => {
    await start();
    await transport.run(gateway, { query: 'query Greeting { hello }' });
    const [span] = await collector.trace('query hello');
    expect(span).toBeDefined();
    const found = collector.spans.find(({ name }) => name === 'query hello')!;
    expect(found.attributes).toMatchObject({
      'graphql.operation.type': 'query',
      'graphql.operation.name': 'Greeting',
      'graft.transport': transport.name.toLowerCase(),
      'graft.workspace': '00000000-0000-7000-8000-000000000001',
    });
    expect(found.failed).toBe(false);
  });

  it('goes on with a caller’s trace', async () => {
    await start();
    await hello({ traceparent: `00-${TRACE}-${CALLER}-01` });
    const [span] = await collector.trace('query hello');
    expect(span).toMatchObject({ traceId: TRACE, parentId: CALLER });
  });

  it('begins one of its own where the caller’s is malformed', async () => {
    await start();
    await hello({ traceparent: `00-${'0'.repeat(32)}-${CALLER}-01` });
    const [span] = await collector.trace('query hello');
    expect(span!.parentId).toBeNull();
  });

  it.each(TRANSPORTS)('says by which code an operation over $name failed', async (transport) => {
    await start();
    await transport.run(gateway, { query: '{ boom }' });
    await collector.trace('query boom');
    const all = collector.spans.filter(({ name }) => name === 'query boom');
    for (const { attributes } of all) expect(attributes).toMatchObject({ 'error.type': 'INTERNAL_ERROR' });
  });

  it('tells the collector what a span came of', async () => {
    await start();
    startSpan('run of something', {
      kind: 'consumer',
      links: [remoteSpan(`00-${TRACE}-${CALLER}-01`)!],
    }).end();
    const [span] = await collector.trace('run of something');
    expect(span).toMatchObject({ parentId: null, links: [{ traceId: TRACE, spanId: CALLER }] });
    expect(span!.traceId).not.toBe(TRACE);
  });

  it('says by which code an operation failed, and nothing of what it was about', async () => {
    await start();
    await gateway.post({ query: '{ boom }' });
    const [span] = await collector.trace('query boom');
    expect(span!.attributes).toMatchObject({ 'error.type': 'INTERNAL_ERROR' });
    await gateway.post({
      query: 'query ($text: String!) { echo(text: $text) }',
      variables: { text: 'Nobody reads this' },
    });
    await collector.trace('query echo');
    expect(Buffer.concat(collector.bodies).includes('Nobody reads this')).toBe(false);
  });

  it('makes none of requests that only look whether it lives', async () => {
    await start();
    await fetch(`${gateway.url}/livez`);
    await hello();
    await collector.trace('query hello');
    expect(collector.spans.map(({ name }) => name)).toEqual(['query hello']);
  });

  it.each([
    ['always_off', undefined, '01', 0],
    ['parentbased_always_on', undefined, '00', 0],
    ['parentbased_always_off', undefined, '01', 1],
    ['always_on', undefined, '00', 1],
    ['traceidratio', '0', '01', 0],
    ['parentbased_traceidratio', '0', '01', 1],
  ])('samples by %s (%s) of a caller whose flags are %s: %d kept', async (sampler, share, flags, kept) => {
    await start({ OTEL_TRACES_SAMPLER: sampler, ...(share && { OTEL_TRACES_SAMPLER_ARG: share }) });
    expect(await hello({ traceparent: `00-${TRACE}-${CALLER}-${flags}` })).toMatchObject({ data: { hello: 'hello' } });
    await gateway.close(0);
    await end();
    expect(collector.spans).toHaveLength(kept);
  });

  it.each(['refuse', 'hang'] as const)('answers as ever while the collector does %s, and ends soon', async (how) => {
    await start();
    collector.behave(how);
    expect(await hello()).toMatchObject({ data: { hello: 'hello' } });
    await eventually('spans that were sent', () => collector.requests > 0);
    expect(await hello()).toMatchObject({ data: { hello: 'hello' } });
    const ended = await Promise.race([stop().then(() => 'ended'), after(8_000)]);
    expect(ended).toBe('ended');
  });

  it('delivers again once the collector is back', async () => {
    await start();
    collector.behave('refuse');
    await hello();
    await eventually('spans that were sent', () => collector.requests > 0);
    collector.behave('take');
    await hello();
    await collector.trace('query hello');
  });

  it('answers as ever where no collector is, and ends soon', async () => {
    const { url } = collector;
    await collector.close();
    await start({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    for (let times = 0; times < 20; times += 1) expect(await hello()).toMatchObject({ data: { hello: 'hello' } });
    expect(await Promise.race([stop().then(() => 'ended'), after(8_000)])).toBe('ended');
    collector = await startCollector();
  });

  it('delivers what is left when it ends', async () => {
    await start();
    await hello();
    await stop();
    expect(collector.spans.map(({ name }) => name)).toEqual(['query hello']);
  });
});

const after = (ms: number): Promise<string> =>
  new Promise((resolve) => setTimeout(() => resolve(`not ended within ${ms} ms`), ms).unref());

describe('the library that speaks to collectors', () => {
  const loadedWith = async (env: Record<string, string>): Promise<boolean> => {
    const module = (path: string) => JSON.stringify(join(packageRoot(), 'dist', 'src', path));
    const program = `
      import { createRequire } from 'node:module';
      const { loadConfig } = await import(${module('platform/config.js')});
      const { openTracing } = await import(${module('platform/tracing/index.js')});
      const { silentLogger } = await import(${module('platform/telemetry/index.js')});
      await import(${module('server/main.js')});
      const end = await openTracing(loadConfig(process.env), silentLogger());
      const loaded = Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('@opentelemetry/sdk-trace'));
      console.log(loaded);
      await end();
      process.exit(0);`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    });
    return stdout.trim() === 'true';
  };

  it('is loaded where a collector is named, and only there', async () => {
    const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://127.0.0.1:9';
    expect(await loadedWith({})).toBe(false);
    expect(await loadedWith({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: 'true' })).toBe(false);
    expect(await loadedWith({ OTEL_EXPORTER_OTLP_ENDPOINT })).toBe(true);
  });
});
