import type { FastifyInstance } from 'fastify';
import { ResponseLifetime } from '../../graphql/request-scope.js';
import { toGlobalId } from '../../../kit/graphql/index.js';
import type { Caller } from '../../../kernel/caller.js';
import type { Fields } from '../fields.js';
import { headerOf, notedBy, type Addressing, type NotingParts } from '../http.js';
import { listRequest } from '../lists.js';
import { batchById, cancelBatch, createBatch, filesOfBatch } from './batches.js';
import { createStore } from './create-store.js';
import {
  attachFile,
  checkedStatus,
  contentOfFile,
  detachFile,
  filesOfStore,
  modifyFile,
  storeFileById,
} from './files.js';
import { searchStore } from './search.js';
import { deleteStore, modifyStore, storeById, storesOf, type StoreParts } from './stores.js';

/** A request with the ids of its address; those that it has not are empty. */
interface StoreRequest {
  caller: Caller;
  store: string;
  file: string;
  batch: string;
  query: Fields;
  body: unknown;
  /** Its idempotency key. */
  key: string | null;
  signal: AbortSignal;
}

type Answering = (parts: StoreParts, request: StoreRequest) => Promise<object>;

const listOfFiles = ({ query }: StoreRequest) => ({
  ...listRequest(query, 20, ['before', 'filter']),
  filter: checkedStatus(query),
});

const STORES = '/v1/vector_stores';
const SEARCH = '/:store/search';

const ROUTES: readonly ['DELETE' | 'GET' | 'POST', string, Answering][] = [
  ['POST', '', (parts, { caller, body, key }) => createStore(parts, caller, body, key)],
  ['GET', '', (parts, { caller, query }) => storesOf(parts, caller, listRequest(query, 20, ['before']))],
  ['GET', '/:store', (parts, { caller, store }) => storeById(parts, caller, store)],
  ['POST', '/:store', (parts, { caller, store, body }) => modifyStore(parts, caller, store, body)],
  ['DELETE', '/:store', (parts, { caller, store }) => deleteStore(parts, caller, store)],
  ['POST', SEARCH, searchStore],
  ['POST', '/:store/files', (parts, request) => attachFile(parts, request.caller, request)],
  [
    'GET',
    '/:store/files',
    (parts, request) => filesOfStore(parts, request.caller, request.store, listOfFiles(request)),
  ],
  ['GET', '/:store/files/:file', (parts, request) => storeFileById(parts, request.caller, request)],
  ['POST', '/:store/files/:file', (parts, request) => modifyFile(parts, request.caller, request, request.body)],
  ['DELETE', '/:store/files/:file', (parts, request) => detachFile(parts, request.caller, request)],
  ['GET', '/:store/files/:file/content', (parts, request) => contentOfFile(parts, request.caller, request)],
  ['POST', '/:store/file_batches', (parts, request) => createBatch(parts, request.caller, request)],
  ['GET', '/:store/file_batches/:batch', (parts, request) => batchById(parts, request.caller, request)],
  ['POST', '/:store/file_batches/:batch/cancel', (parts, request) => cancelBatch(parts, request.caller, request)],
  [
    'GET',
    '/:store/file_batches/:batch/files',
    (parts, request) => filesOfBatch(parts, request.caller, request, listOfFiles(request)),
  ],
];

interface OfStore {
  Params: Partial<Record<'store' | 'file' | 'batch', string>>;
  Querystring: Fields;
}

/** `vector_stores`: collections, their documents as files, and the search in them. What changes something is written down. */
export function addStores(
  server: FastifyInstance,
  parts: StoreParts & NotingParts,
  { options, answer }: Addressing,
): void {
  const noted = notedBy(parts);
  for (const [method, path, work] of ROUTES)
    server.route<OfStore>({
      ...options,
      config: { role: path === SEARCH ? 'ASK' : 'EDIT' },
      method,
      url: `${STORES}${path}`,
      handler: (request, reply) =>
        answer(reply, () => {
          const { caller, params, query, body } = request;
          const { store = '', file = '', batch = '' } = params;
          const { signal } = new ResponseLifetime(reply.raw);
          const key = headerOf(request, 'idempotency-key');
          const perform = () => work(parts, { caller, store, file, batch, query, body, key, signal });
          if (method === 'GET' || path === SEARCH) return perform();
          return noted(request, `${method} ${STORES}${path}`, { ...params, body }, async (change) => {
            const response = await perform();
            const id = store || (response as { id: string }).id;
            change.subject = toGlobalId('Collection', id.slice('vs_'.length));
            return response;
          });
        }),
    });
}
