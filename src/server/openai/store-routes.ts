import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ResponseLifetime } from '../graphql/request-scope.js';
import { toGlobalId } from '../../kit/graphql/index.js';
import { notedBy, type Addressing, type NotingParts, type OfId } from './fine-tuning-routes.js';
import { headerOf } from './http.js';
import { listRequest } from './lists.js';
import {
  attachFile,
  batchById,
  cancelBatch,
  checkedStatus,
  contentOfFile,
  createBatch,
  createStore,
  detachFile,
  filesOfBatch,
  filesOfStore,
  modifyFile,
  storeFileById,
} from './store-files.js';
import { searchStore } from './store-search.js';
import { deleteStore, modifyStore, storeById, storesOf, type StoreParts } from './stores.js';

interface OfFile {
  Params: { id: string; file: string };
}

interface OfBatch extends OfId {
  Params: { id: string; batch: string };
}

const STORES = '/v1/vector_stores';

const listOfFiles = (query: OfId['Querystring']) => ({
  ...listRequest(query, 20, ['before', 'filter']),
  filter: checkedStatus(query),
});

const keyOf = (request: FastifyRequest): string | null => headerOf(request, 'idempotency-key');

/** `vector_stores`: collections, their documents as files, and the search in them. */
export function addStores(server: FastifyInstance, parts: StoreParts & NotingParts, addressing: Addressing): void {
  const { options, answer } = addressing;
  const noted = notedBy(parts);
  /** A change that is written down. */
  const changing = (request: FastifyRequest, reply: FastifyReply, what: string, work: () => Promise<{ id: string }>) =>
    answer(reply, () => {
      const { params, body } = request;
      return noted(request, what, { ...(params as object), body }, async (change) => {
        const done = await work();
        const { id } = { ...done, ...(params as object) };
        change.subject = toGlobalId('Collection', id.slice('vs_'.length));
        return done;
      });
    });

  server.post(STORES, options, (request, reply) =>
    changing(request, reply, `POST ${STORES}`, () => createStore(parts, request.caller, request.body, keyOf(request))),
  );
  server.get<OfId>(STORES, options, ({ caller, query }, reply) =>
    answer(reply, () => storesOf(parts, caller, listRequest(query, 20, ['before']))),
  );
  server.get<OfId>(`${STORES}/:id`, options, ({ caller, params }, reply) =>
    answer(reply, () => storeById(parts, caller, params.id)),
  );
  server.post<OfId>(`${STORES}/:id`, options, (request, reply) =>
    changing(request, reply, `POST ${STORES}/:id`, () =>
      modifyStore(parts, request.caller, request.params.id, request.body),
    ),
  );
  server.delete<OfId>(`${STORES}/:id`, options, (request, reply) =>
    changing(request, reply, `DELETE ${STORES}`, () => deleteStore(parts, request.caller, request.params.id)),
  );
  server.post<OfId>(`${STORES}/:id/search`, options, ({ caller, params, body }, reply) =>
    answer(reply, () => {
      const { signal } = new ResponseLifetime(reply.raw);
      return searchStore(parts, { caller, id: params.id, body, signal });
    }),
  );
  addStoreFiles(server, parts, { options, answer }, changing);
}

type Changing = (
  request: FastifyRequest,
  reply: FastifyReply,
  what: string,
  work: () => Promise<{ id: string }>,
) => Promise<FastifyReply>;

function addStoreFiles(
  server: FastifyInstance,
  parts: StoreParts,
  { options, answer }: Addressing,
  changing: Changing,
): void {
  const files = `${STORES}/:id/files`;
  const batches = `${STORES}/:id/file_batches`;
  const inStore = ({ id, file }: OfFile['Params']) => ({ store: id, file });
  const batchIn = ({ id, batch }: OfBatch['Params']) => ({ store: id, batch });
  const asked = (request: FastifyRequest<OfId>) => ({
    store: request.params.id,
    body: request.body,
    key: headerOf(request, 'idempotency-key'),
  });
  server.post<OfId>(files, options, (request, reply) =>
    changing(request, reply, `POST ${files}`, () => attachFile(parts, request.caller, asked(request))),
  );
  server.get<OfId>(files, options, ({ caller, params, query }, reply) =>
    answer(reply, () => filesOfStore(parts, caller, params.id, listOfFiles(query))),
  );
  server.get<OfFile>(`${files}/:file`, options, ({ caller, params }, reply) =>
    answer(reply, () => storeFileById(parts, caller, inStore(params))),
  );
  server.post<OfFile>(`${files}/:file`, options, (request, reply) =>
    changing(request, reply, `POST ${files}/:file`, () =>
      modifyFile(parts, request.caller, inStore(request.params), request.body),
    ),
  );
  server.delete<OfFile>(`${files}/:file`, options, (request, reply) =>
    changing(request, reply, `DELETE ${files}`, () => detachFile(parts, request.caller, inStore(request.params))),
  );
  server.get<OfFile>(`${files}/:file/content`, options, ({ caller, params }, reply) =>
    answer(reply, () => contentOfFile(parts, caller, inStore(params))),
  );
  server.post<OfId>(batches, options, (request, reply) =>
    changing(request, reply, `POST ${batches}`, () => createBatch(parts, request.caller, asked(request))),
  );
  server.get<OfBatch>(`${batches}/:batch`, options, ({ caller, params }, reply) =>
    answer(reply, () => batchById(parts, caller, batchIn(params))),
  );
  server.post<OfBatch>(`${batches}/:batch/cancel`, options, (request, reply) =>
    changing(request, reply, `POST ${batches}/cancel`, () =>
      cancelBatch(parts, request.caller, batchIn(request.params)),
    ),
  );
  server.get<OfBatch>(`${batches}/:batch/files`, options, ({ caller, params, query }, reply) =>
    answer(reply, () => filesOfBatch(parts, caller, batchIn(params), listOfFiles(query))),
  );
}
