import type { FastifyInstance } from 'fastify';
import { GraftError } from '../../kernel/errors.js';
import { DEFAULT_WORKSPACE_ID } from '../../kernel/ids.js';
import { asSystem } from '../../platform/database/index.js';
import type { Metrics } from '../../platform/telemetry/index.js';

/** One thing that must work for requests to be answered. */
export interface PartReadiness {
  name: string;
  ready: boolean;
  /** Why it is not ready, or what it is, in a few words. */
  detail?: string;
}

export interface HealthSources {
  isDraining: () => boolean;
  readiness: () => Promise<readonly PartReadiness[]> | readonly PartReadiness[];
  metrics: Metrics;
}

/**
 * `/livez`: the process answers. `/readyz`: 200 when every part is ready, else 503, with the parts either way, so that an
 * operator sees which one is down; 503 from the moment the gateway drains. `/metrics`: for Prometheus, with a key of the first workspace.
 */
export function addHealthRoutes(server: FastifyInstance, { isDraining, readiness, metrics }: HealthSources): void {
  server.get('/livez', (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'alive' }));
  server.get('/metrics', { config: { role: 'OPERATE' } }, async ({ caller }, reply) => {
    // Of all workspaces, with names that each gave to what is its own.
    if (caller.workspaceId !== DEFAULT_WORKSPACE_ID)
      throw new GraftError('FORBIDDEN', '/metrics tells of all workspaces, so only keys of the first one read it.');
    const { text, contentType } = await asSystem(() => metrics.text());
    return reply.header('cache-control', 'no-store').header('content-type', contentType).send(text);
  });
  server.get('/readyz', async (_request, reply) => {
    const reports = await readiness();
    // Anybody may ask: what a part that works is, and how much room it has, `system` tells to those with a role.
    const parts = reports.map(({ name, ready, detail }) => ({
      name,
      ready,
      ...(!ready && detail !== undefined && { detail }),
    }));
    const status = isDraining() ? 'draining' : parts.every((part) => part.ready) ? 'ready' : 'not ready';
    return reply
      .code(status === 'ready' ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ status, parts });
  });
}
