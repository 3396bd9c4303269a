import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadConfig } from '../../../src/platform/config.js';
import { EngineHttp } from '../../../src/ship/fleet/engine-http.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { inSpan, openTracing, startSpan } from '../../../src/platform/tracing/index.js';
import { startCollector } from '../../support/collector.js';

describe('an engine elsewhere', () => {
  it('is told which trace it works for, and none where nothing is traced or nobody asked', async () => {
    const heard: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      heard.push(request.headers['traceparent'] as string | undefined);
      response.writeHead(request.url === '/full' ? 503 : 200).end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const engine = new EngineHttp(`http://127.0.0.1:${port}`, 'secret-key');
    const collector = await startCollector();
    try {
      await engine.json('GET', '/v1/models');
      const end = await openTracing(loadConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }), silentLogger());
      await engine.json('GET', '/v1/models');
      const asked = startSpan('ask', { kind: 'server' });
      await inSpan(asked, () => engine.json('POST', '/v1/completions', { prompt: 'what nobody reads' }));
      await expect(inSpan(asked, () => engine.json('POST', '/full', {}))).rejects.toMatchObject({ kind: 'BUSY' });
      asked.end();
      await end();
      const [ask, call, full] = ['ask', 'POST /v1/completions', 'POST /full'].map((wanted) =>
        collector.spans.find(({ name }) => name === wanted)!,
      );
      expect(heard.slice(0, 2)).toEqual([undefined, undefined]);
      expect(heard[2]).toBe(`00-${ask!.traceId}-${call!.spanId}-01`);
      expect(call).toMatchObject({
        parentId: ask!.spanId,
        kind: 3,
        failed: false,
        attributes: { 'server.address': '127.0.0.1', 'server.port': port, 'http.response.status_code': 200 },
      });
      expect(full).toMatchObject({ failed: true, attributes: { 'error.type': '503' } });
      for (const text of ['secret-key', 'what nobody reads'])
        expect(Buffer.concat(collector.bodies).includes(text)).toBe(false);
    } finally {
      server.close();
      await collector.close();
    }
  });
});
