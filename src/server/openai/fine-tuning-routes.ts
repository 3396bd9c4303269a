import type { FastifyInstance } from 'fastify';
import { Readable } from 'node:stream';
import { streamWithin } from '../../kernel/stream-within.js';
import { toGlobalId } from '../../kit/graphql/index.js';
import { inScope } from '../../platform/database/index.js';
import { ResponseLifetime } from '../graphql/request-scope.js';
import { fileOf, filesOf, requireFile, storeFile } from './files.js';
import {
  changeJob,
  checkpointsOf,
  createJob,
  eventsOf,
  followJob,
  jobById,
  jobsOf,
  type FineTuningParts,
} from './fine-tuning.js';
import { optionalText } from './fields.js';
import { listRequest } from './lists.js';
import { DONE, event, headerOf, notedBy, type Addressing, type NotingParts } from './http.js';
import { deleteFile } from './vector-stores/delete-file.js';
import type { StoreParts } from './vector-stores/stores.js';

export type FineTuningRouteParts = FineTuningParts & NotingParts;

interface OfId {
  Params: { id: string };
  Querystring: Record<string, unknown>;
}

/** `files`: rows to learn from, and documents. */
export function addFiles(
  server: FastifyInstance,
  parts: StoreParts & NotingParts,
  { options, answer }: Addressing,
): void {
  const noted = notedBy(parts);
  server.post('/v1/files', { ...options, bodyLimit: Number.MAX_SAFE_INTEGER }, (request, reply) =>
    answer(reply, () =>
      noted(request, 'POST /v1/files', {}, async (change) => {
        const row = await storeFile(parts, request);
        change.subject = toGlobalId('File', row.id);
        change.after = { name: row.name, bytes: Number(row.bytes), sha256: row.sha256 };
        return fileOf(row);
      }),
    ),
  );
  server.get<OfId>('/v1/files', options, ({ caller, query }, reply) =>
    answer(reply, () => {
      const purpose = optionalText(query, 'purpose');
      return filesOf(parts, caller, { ...listRequest(query, 100, ['purpose']), purpose });
    }),
  );
  server.get<OfId>('/v1/files/:id', options, ({ caller, params }, reply) =>
    answer(reply, async () => fileOf(await requireFile(parts, caller, params.id))),
  );
  server.get<OfId>('/v1/files/:id/content', options, ({ caller, params }, reply) =>
    answer(reply, async () => {
      const { id } = await requireFile(parts, caller, params.id);
      const content = await (await parts.files.open(caller.workspaceId, id)).content();
      // Not before: an error is JSON.
      void reply.type('application/octet-stream').header('x-content-type-options', 'nosniff');
      return content;
    }),
  );
  server.delete<OfId>('/v1/files/:id', options, (request, reply) =>
    answer(reply, () =>
      noted(request, 'DELETE /v1/files', request.params, () => deleteFile(parts, request.caller, request.params.id)),
    ),
  );
}

/** `fine_tuning/jobs`: from such a file to a proven version. */
export function addJobs(server: FastifyInstance, parts: FineTuningRouteParts, { options, answer }: Addressing): void {
  const noted = notedBy(parts);
  const jobs = '/v1/fine_tuning/jobs';
  server.post(jobs, options, (request, reply) =>
    answer(reply, () =>
      noted(request, `POST ${jobs}`, { body: request.body }, async (change) => {
        const job = await createJob(parts, request.caller, request.body, headerOf(request, 'idempotency-key'));
        change.subject = job.graft.run;
        return job;
      }),
    ),
  );
  server.get<OfId>(jobs, options, ({ caller, query }, reply) =>
    answer(reply, () => jobsOf(parts, caller.workspaceId, listRequest(query, 20))),
  );
  server.get<OfId>(`${jobs}/:id`, options, ({ caller, params }, reply) =>
    answer(reply, () => jobById(parts, caller.workspaceId, params.id)),
  );
  for (const change of ['cancel', 'pause', 'resume'] as const)
    server.post<OfId>(`${jobs}/:id/${change}`, options, (request, reply) =>
      answer(reply, () =>
        noted(request, `POST ${jobs}/${change}`, request.params, () =>
          changeJob(parts, request.caller.workspaceId, request.params.id, change),
        ),
      ),
    );
  server.get<OfId>(`${jobs}/:id/events`, options, ({ caller, params, query }, reply) => {
    const { stream, ...page } = query;
    if (stream !== 'true')
      return answer(reply, () => eventsOf(parts, caller.workspaceId, params.id, listRequest(page, 20)));
    return answer(reply, async () => {
      await jobById(parts, caller.workspaceId, params.id);
      const events = followJob(parts, caller.workspaceId, params.id, new ResponseLifetime(reply.raw).signal);
      void reply.type('text/event-stream; charset=utf-8');
      return Readable.from(asEvents(streamWithin((work) => inScope(caller.workspaceId, work), events)));
    });
  });
  server.get<OfId>(`${jobs}/:id/checkpoints`, options, ({ caller, params }, reply) =>
    answer(reply, () => checkpointsOf(parts, caller.workspaceId, params.id)),
  );
}

async function* asEvents(values: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const value of values) yield event(value);
  yield DONE;
}
