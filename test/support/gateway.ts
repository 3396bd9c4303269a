import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import { createLogger } from '../../src/platform/telemetry/index.js';
import { GraftError } from '../../src/kernel/errors.js';
import { newId } from '../../src/kernel/ids.js';
import { LOCAL_CALLERS } from '../../src/server/graphql/callers.js';
import { startGateway, type Gateway, type GatewayOptions } from '../../src/server/graphql/server.js';
import type { FileStore } from '../../src/server/graphql/uploads.js';
import { probeSchema, type ProbeLog } from './probe-schema.js';

export interface ProbeGateway extends Gateway {
  log: ProbeLog;
  /** The gateway's log, as JSON lines. */
  lines: string[];
  /** Names and digests of what `POST /files` stored. */
  stored: { name: string; sha256: string }[];
  parts: { name: string; ready: boolean }[];
  post(
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; headers: Headers; json: GraphqlResponse }>;
}

export interface GraphqlResponse {
  data?: Record<string, unknown> | null;
  errors?: { message: string; path?: unknown[]; extensions: Record<string, unknown> }[];
}

/** A store that keeps digests: what matters here is the transport. */
function digestStore(stored: ProbeGateway['stored']): FileStore {
  return {
    async store(_workspaceId, { name, mediaType, source, maxBytes }) {
      const hash = createHash('sha256');
      let bytes = 0;
      for await (const chunk of source as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxBytes) throw new GraftError('PAYLOAD_TOO_LARGE', 'Too large.');
        hash.update(chunk);
      }
      const sha256 = hash.digest('hex');
      stored.push({ name, sha256 });
      return { id: newId(), name, mediaType, bytes: BigInt(bytes), sha256 };
    },
  };
}

/** A gateway on a free port over the probe schema; close it after the test. */
export async function startProbeGateway(options: Partial<GatewayOptions> = {}): Promise<ProbeGateway> {
  const { schema, log } = probeSchema();
  const lines: string[] = [];
  const stored: ProbeGateway['stored'] = [];
  const parts = [{ name: 'database', ready: true }];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const gateway = await startGateway({
    schema,
    host: '127.0.0.1',
    port: 0,
    origins: { allowedHosts: [], allowedOrigins: [] },
    callers: LOCAL_CALLERS,
    log: createLogger({ level: 'debug', destination }),
    readiness: () => parts,
    files: digestStore(stored),
    maxUploadBytes: 1024 * 1024,
    ...options,
  });
  const post: ProbeGateway['post'] = async (body, headers = {}) => {
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, headers: response.headers, json: (await response.json()) as GraphqlResponse };
  };
  return Object.assign(Object.create(gateway) as Gateway, { ...gateway, log, lines, stored, parts, post });
}
