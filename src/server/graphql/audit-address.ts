import type { FastifyInstance } from 'fastify';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { badInput, GraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { ServerKit } from './server.js';

/** The entries of a workspace's audit log as lines of NDJSON, newest first: `auditLines` of the access domain. */
type AuditLines = (workspaceId: WorkspaceId, filter: { from?: Date; to?: Date }) => AsyncIterable<string>;

/** @throws BAD_USER_INPUT */
function moment(text: string | undefined, name: string): Date | undefined {
  if (text === undefined) return undefined;
  const moment = new Date(text);
  if (Number.isNaN(moment.getTime())) throw badInput(name, `${name} is no time; write it like 2026-01-31T00:00:00Z.`);
  return moment;
}

/** `GET /audit.ndjson?from=…&to=…`: the audit log of the caller's workspace as a file, a line an entry. Needs role ADMIN. */
export function addAuditAddress(
  server: FastifyInstance,
  lines: AuditLines,
  { isDraining, underWay }: Pick<ServerKit, 'isDraining' | 'underWay'>,
): void {
  server.get<{ Querystring: { from?: string; to?: string } }>(
    '/audit.ndjson',
    { config: { role: 'ADMIN' } },
    (request, reply) => {
      if (isDraining()) throw new GraftError('SHUTTING_DOWN', 'The gateway is shutting down.');
      const [from, to] = [moment(request.query.from, 'from'), moment(request.query.to, 'to')];
      void underWay(finished(reply.raw).catch(() => undefined));
      return reply
        .header('content-type', 'application/x-ndjson; charset=utf-8')
        .header('content-disposition', 'attachment; filename="audit.ndjson"')
        .header('cache-control', 'no-store')
        .send(Readable.from(lines(request.caller.workspaceId, { ...(from && { from }), ...(to && { to }) })));
    },
  );
}
