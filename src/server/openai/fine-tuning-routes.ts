import { Readable } from 'node:stream';
import { z } from 'zod';
import { streamWithin } from '../../kernel/stream-within.js';
import { toGlobalId } from '../../kit/graphql/index.js';
import { inScope } from '../../platform/database/index.js';
import { ResponseLifetime } from '../graphql/request-scope.js';
import { fileForm, fileOf, filesOf, filesQuery, requireFile, storeFile } from './files.js';
import {
  changeJob,
  checkpointsOf,
  createJob,
  eventsOf,
  followJob,
  jobBody,
  jobById,
  jobsOf,
  type FineTuningParts,
} from './fine-tuning.js';
import { listQuery } from './lists.js';
import { DONE, event, headerOf, notedBy, ofId, type Addressing, type CheckedServer, type NotingParts } from './http.js';
import { checkpointShape, deletedShape, fileShape, jobEventShape, jobShape, pageShape } from './shapes.js';
import { deleteFile } from './vector-stores/delete-file.js';
import type { StoreParts } from './vector-stores/stores.js';

export type FineTuningRouteParts = FineTuningParts & NotingParts;

const jobsQuery = listQuery(20, {});
const eventsQuery = listQuery(20, { stream: z.enum(['true', 'false']).default('false') });

/** `files`: rows to learn from, and documents. */
export function addFiles(server: CheckedServer, parts: StoreParts & NotingParts, addressing: Addressing): void {
  const { optionsFor, answer } = addressing;
  const noted = notedBy(parts);
  const uploads = optionsFor('EDIT', { summary: 'Uploads a file', form: fileForm, answer: fileShape });
  server.post('/v1/files', { ...uploads, bodyLimit: Number.MAX_SAFE_INTEGER }, (request, reply) =>
    answer(reply, () =>
      noted(request, 'POST /v1/files', {}, async (change) => {
        const row = await storeFile(parts, request);
        change.subject = toGlobalId('File', row.id);
        change.after = { name: row.name, bytes: Number(row.bytes), sha256: row.sha256 };
        return fileOf(row);
      }),
    ),
  );
  const lists = optionsFor('EDIT', { summary: 'Lists files', query: filesQuery, answer: pageShape(fileShape) });
  server.get('/v1/files', lists, ({ caller, query }, reply) => answer(reply, () => filesOf(parts, caller, query)));
  const describes = optionsFor('EDIT', { summary: 'Describes a file', params: ofId, answer: fileShape });
  server.get('/v1/files/:id', describes, ({ caller, params }, reply) =>
    answer(reply, async () => fileOf(await requireFile(parts, caller, params.id))),
  );
  const sends = optionsFor('EDIT', { summary: 'Sends the bytes of a file', params: ofId, answer: 'bytes' });
  server.get('/v1/files/:id/content', sends, ({ caller, params }, reply) =>
    answer(reply, async () => {
      const { id } = await requireFile(parts, caller, params.id);
      const content = await (await parts.files.open(caller.workspaceId, id)).content();
      // Not before: an error is JSON.
      void reply.type('application/octet-stream').header('x-content-type-options', 'nosniff');
      return content;
    }),
  );
  const deletes = optionsFor('EDIT', { summary: 'Deletes a file', params: ofId, answer: deletedShape('file') });
  server.delete('/v1/files/:id', deletes, (request, reply) =>
    answer(reply, () =>
      noted(request, 'DELETE /v1/files', request.params, () => deleteFile(parts, request.caller, request.params.id)),
    ),
  );
}

/** `fine_tuning/jobs`: from such a file to a proven version. */
export function addJobs(server: CheckedServer, parts: FineTuningRouteParts, addressing: Addressing): void {
  const { optionsFor, answer } = addressing;
  const noted = notedBy(parts);
  const jobs = '/v1/fine_tuning/jobs';
  const begins = { summary: 'Begins a job', body: jobBody, answer: jobShape, headers: ['idempotency-key'] } as const;
  server.post(jobs, optionsFor('EDIT', begins), (request, reply) =>
    answer(reply, () =>
      noted(request, `POST ${jobs}`, { body: request.body }, async (change) => {
        const job = await createJob(parts, request.caller, request.body, headerOf(request, 'idempotency-key'));
        change.subject = job.graft.run;
        return job;
      }),
    ),
  );
  const lists = optionsFor('EDIT', { summary: 'Lists jobs', query: jobsQuery, answer: pageShape(jobShape) });
  server.get(jobs, lists, ({ caller, query }, reply) => answer(reply, () => jobsOf(parts, caller.workspaceId, query)));
  const describes = optionsFor('EDIT', { summary: 'Describes a job', params: ofId, answer: jobShape });
  server.get(`${jobs}/:id`, describes, ({ caller, params }, reply) =>
    answer(reply, () => jobById(parts, caller.workspaceId, params.id)),
  );
  for (const [change, summary] of CHANGES)
    server.post(
      `${jobs}/:id/${change}`,
      optionsFor('EDIT', { summary, params: ofId, answer: jobShape }),
      (request, reply) =>
        answer(reply, () =>
          noted(request, `POST ${jobs}/${change}`, request.params, () =>
            changeJob(parts, request.caller.workspaceId, request.params.id, change),
          ),
        ),
    );
  const keeps = { summary: 'Lists what a job has trained', params: ofId, answer: pageShape(checkpointShape) };
  server.get(`${jobs}/:id/checkpoints`, optionsFor('EDIT', keeps), ({ caller, params }, reply) =>
    answer(reply, () => checkpointsOf(parts, caller.workspaceId, params.id)),
  );
  addEvents(server, parts, addressing);
}

function addEvents(server: CheckedServer, parts: FineTuningRouteParts, { optionsFor, answer }: Addressing): void {
  const lists = { summary: 'Lists events of a job, or follows them', params: ofId, query: eventsQuery };
  const options = optionsFor('EDIT', { ...lists, answer: pageShape(jobEventShape), streams: true });
  server.get('/v1/fine_tuning/jobs/:id/events', options, ({ caller, params, query }, reply) => {
    const { stream, ...page } = query;
    if (stream !== 'true') return answer(reply, () => eventsOf(parts, caller.workspaceId, params.id, page));
    return answer(reply, async () => {
      await jobById(parts, caller.workspaceId, params.id);
      const events = followJob(parts, caller.workspaceId, params.id, new ResponseLifetime(reply.raw).signal);
      void reply.type('text/event-stream; charset=utf-8');
      return Readable.from(asEvents(streamWithin((work) => inScope(caller.workspaceId, work), events)));
    });
  });
}

const CHANGES = [
  ['cancel', 'Cancels a job'],
  ['pause', 'Pauses a job'],
  ['resume', 'Lets a job go on'],
] as const;

async function* asEvents(values: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const value of values) yield event(value);
  yield DONE;
}
