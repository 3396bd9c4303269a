import type { z } from 'zod';
import { ResponseLifetime } from '../../graphql/request-scope.js';
import { toGlobalId } from '../../../kit/graphql/index.js';
import type { Caller } from '../../../kernel/caller.js';
import { headerOf, notedBy, type Addressing, type CheckedServer, type Description, type NotingParts } from '../http.js';
import { before, listQuery } from '../lists.js';
import {
  fileBatchShape,
  contentShape,
  deletedShape,
  hitsShape,
  pageShape,
  storeFileShape,
  storeShape,
} from '../shapes.js';
import { batchById, cancelBatch, createBatch, filesOfBatch, newBatch } from './batches.js';
import { createStore, newStore } from './create-store.js';
import {
  attachFile,
  contentOfFile,
  detachFile,
  fileChanges,
  filesOfStore,
  fileToAttach,
  modifyFile,
  storeFileById,
  storeFilesQuery,
} from './files.js';
import { searchBody, searchStore } from './search.js';
import { deleteStore, modifyStore, storeById, storeChanges, storesOf, type StoreParts } from './stores.js';

/** A request with the ids of its address; those that it has not are empty. */
interface StoreRequest<Body, Query> {
  caller: Caller;
  store: string;
  file: string;
  batch: string;
  query: Query;
  body: Body;
  /** Its idempotency key. */
  key: string | null;
  signal: AbortSignal;
}

interface StoreAddress<Body, Query> extends Description<z.ZodType<Body>, z.ZodType<Query>> {
  work: (parts: StoreParts, request: StoreRequest<Body, Query>) => Promise<object>;
}

type Place = readonly ['DELETE' | 'GET' | 'POST', string];

const address = <Body, Query>(...place: [...Place, StoreAddress<Body, Query>]) =>
  place as unknown as [...Place, StoreAddress<unknown, unknown>];

const STORES = '/v1/vector_stores';
const SEARCH = '/:store/search';
const FILE = '/:store/files/:file';
const BATCH = '/:store/file_batches/:batch';
const headers = ['idempotency-key'] as const;
const storesQuery = listQuery(20, { before });

const ADDRESSES = [
  address('POST', '', {
    ...{ summary: 'Makes a vector store', body: newStore, answer: storeShape, headers },
    work: (parts, { caller, body, key }) => createStore(parts, caller, body, key),
  }),
  address('GET', '', {
    ...{ summary: 'Lists vector stores', query: storesQuery, answer: pageShape(storeShape) },
    work: (parts, { caller, query }) => storesOf(parts, caller, query),
  }),
  address('GET', '/:store', {
    ...{ summary: 'Describes a vector store', answer: storeShape },
    work: (parts, { caller, store }) => storeById(parts, caller, store),
  }),
  address('POST', '/:store', {
    ...{ summary: 'Changes the name or the metadata of a vector store', body: storeChanges, answer: storeShape },
    work: (parts, { caller, store, body }) => modifyStore(parts, caller, store, body),
  }),
  address('DELETE', '/:store', {
    ...{ summary: 'Deletes a vector store', answer: deletedShape('vector_store.deleted') },
    work: (parts, { caller, store }) => deleteStore(parts, caller, store),
  }),
  address('POST', SEARCH, {
    ...{ summary: 'Searches a vector store', body: searchBody, answer: hitsShape },
    work: searchStore,
  }),
  address('POST', '/:store/files', {
    ...{ summary: 'Attaches a file to a vector store', body: fileToAttach, answer: storeFileShape, headers },
    work: (parts, request) => attachFile(parts, request.caller, request),
  }),
  address('GET', '/:store/files', {
    ...{ summary: 'Lists files of a vector store', query: storeFilesQuery, answer: pageShape(storeFileShape) },
    work: (parts, { caller, store, query }) => filesOfStore(parts, caller, store, query),
  }),
  address('GET', FILE, {
    ...{ summary: 'Describes a file of a vector store', answer: storeFileShape },
    work: (parts, request) => storeFileById(parts, request.caller, request),
  }),
  address('POST', FILE, {
    ...{ summary: 'Changes the attributes of a file', body: fileChanges, answer: storeFileShape },
    work: (parts, request) => modifyFile(parts, request.caller, request, request.body),
  }),
  address('DELETE', FILE, {
    ...{ summary: 'Takes a file out of a vector store', answer: deletedShape('vector_store.file.deleted') },
    work: (parts, request) => detachFile(parts, request.caller, request),
  }),
  address('GET', `${FILE}/content`, {
    ...{ summary: 'Sends the text of a file, as it was read', answer: contentShape },
    work: (parts, request) => contentOfFile(parts, request.caller, request),
  }),
  address('POST', '/:store/file_batches', {
    ...{ summary: 'Attaches a batch of files', body: newBatch, answer: fileBatchShape, headers },
    work: (parts, request) => createBatch(parts, request.caller, request),
  }),
  address('GET', BATCH, {
    ...{ summary: 'Describes a batch', answer: fileBatchShape },
    work: (parts, request) => batchById(parts, request.caller, request),
  }),
  address('POST', `${BATCH}/cancel`, {
    ...{ summary: 'Cancels a batch', answer: fileBatchShape },
    work: (parts, request) => cancelBatch(parts, request.caller, request),
  }),
  address('GET', `${BATCH}/files`, {
    ...{ summary: 'Lists files of a batch', query: storeFilesQuery, answer: pageShape(storeFileShape) },
    work: (parts, request) => filesOfBatch(parts, request.caller, request, request.query),
  }),
];

type Ids = Partial<Record<'store' | 'file' | 'batch', string>>;

/** `vector_stores`: collections, their documents as files, and the search in them. What changes something is written down. */
export function addStores(server: CheckedServer, parts: StoreParts & NotingParts, addressing: Addressing): void {
  const { optionsFor, answer } = addressing;
  const noted = notedBy(parts);
  for (const [method, path, { work, ...description }] of ADDRESSES)
    server.route({
      ...optionsFor(path === SEARCH ? 'ASK' : 'EDIT', description),
      method,
      url: `${STORES}${path}`,
      handler: (request, reply) =>
        answer(reply, () => {
          const { caller, query, body } = request;
          const ids = request.params as Ids;
          const { store = '', file = '', batch = '' } = ids;
          const { signal } = new ResponseLifetime(reply.raw);
          const key = headerOf(request, 'idempotency-key');
          const perform = () => work(parts, { caller, store, file, batch, query, body, key, signal });
          if (method === 'GET' || path === SEARCH) return perform();
          return noted(request, `${method} ${STORES}${path}`, { ...ids, body }, async (change) => {
            const response = await perform();
            const id = store || (response as { id: string }).id;
            change.subject = toGlobalId('Collection', id.slice('vs_'.length));
            return response;
          });
        }),
    });
}
