import { headerOf, notedBy, ofId, originOf, type Addressing, type CheckedServer, type NotingParts } from '../http.js';
import { listQuery } from '../lists.js';
import { batchShape, pageShape } from '../shapes.js';
import { batchBody, batchById, batchesOf, cancelBatch, createBatch, type BatchParts } from './batches.js';

const batchesQuery = listQuery(20, {});

/** `batches`: requests that are sent as one file and answered within a day. */
export function addBatches(
  server: CheckedServer,
  parts: BatchParts & NotingParts,
  { optionsFor, answer }: Addressing,
): void {
  const noted = notedBy(parts);
  const begins = {
    summary: 'Begins a batch',
    body: batchBody,
    answer: batchShape,
    headers: ['idempotency-key'],
  } as const;
  server.post('/v1/batches', optionsFor('EDIT', begins), (request, reply) =>
    answer(reply, () =>
      noted(request, 'POST /v1/batches', { body: request.body }, async (change) => {
        const { caller, body } = request;
        const key = headerOf(request, 'idempotency-key');
        const batch = await createBatch(parts, caller, { body, origin: originOf(request), key });
        change.subject = batch.graft.run;
        return batch;
      }),
    ),
  );
  const lists = { summary: 'Lists batches', query: batchesQuery, answer: pageShape(batchShape) };
  server.get('/v1/batches', optionsFor('EDIT', lists), ({ caller, query }, reply) =>
    answer(reply, () => batchesOf(parts, caller.workspaceId, query)),
  );
  const describes = optionsFor('EDIT', { summary: 'Describes a batch', params: ofId, answer: batchShape });
  server.get('/v1/batches/:id', describes, ({ caller, params }, reply) =>
    answer(reply, () => batchById(parts, caller.workspaceId, params.id)),
  );
  const cancels = optionsFor('EDIT', { summary: 'Cancels a batch', params: ofId, answer: batchShape });
  server.post('/v1/batches/:id/cancel', cancels, (request, reply) =>
    answer(reply, () =>
      noted(request, 'POST /v1/batches/:id/cancel', request.params, () =>
        cancelBatch(parts, request.caller.workspaceId, request.params.id),
      ),
    ),
  );
}
