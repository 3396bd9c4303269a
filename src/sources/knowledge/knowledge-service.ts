import { Readable } from 'node:stream';
import { erasureOf, requestErasure, type Erasure, type ErasureResult } from '../../platform/erasure/index.js';
import { badInput, GraftError, notFound } from '../../kernel/errors.js';
import type { Caller } from '../../kernel/caller.js';
import type { Uuid, WorkspaceId } from '../../kernel/ids.js';
import type { Page, PageRequest } from '../../kernel/pagination.js';
import { checkedName, checkedText } from '../../kernel/text.js';
import type { FileService } from '../../platform/artifacts/index.js';
import type { Database, Transaction } from '../../platform/database/index.js';
import type { RunQueue, RunRow } from '../../platform/runs/index.js';
import type { Logger } from '../../platform/telemetry/index.js';
import { lockCollection } from './collection-store.js';
import {
  checkedDenseWeight,
  DEFAULT_DENSE_WEIGHT,
  DEFAULT_LANGUAGE,
  type CollectionRow,
  type NewCollection,
} from './collection.js';
import type { DocumentRow } from './document-store.js';
import { deletedCollections, deletedDocuments, documentsNeedFiles, ingestionHolder, vectorHolder } from './erasure.js';
import type { IndexingParts } from './indexing/index-documents.js';
import { ingestion, type DocumentJob } from './indexing/ingestion-run.js';
import { reindexing } from './indexing/rebuild-index.js';
import { sweep } from './indexing/sweep.js';
import { checkedDocumentName, checkedDocuments, INGESTION_LIMITS, unseenThere, type NewDocument } from './ingestion.js';
import { telling } from './media-type.js';
import type { IngestionInputs } from './ingestion-inputs.js';

interface KnowledgeParts extends IndexingParts {
  inputs: IngestionInputs;
  erasure: Erasure;
  database: Database;
  runs: RunQueue;
  files: FileService;
  log: Logger;
}

/** Who changes documents, in the workspace whose they are: of those that are hidden from it, it changes none. */
type Reader = Pick<Caller, 'workspaceId' | 'groups'>;

/** Collections and their documents: everything that changes them. Reading goes through `Retriever` and the stores. */
export class KnowledgeService {
  constructor(readonly parts: KnowledgeParts) {
    parts.erasure.addHolder(vectorHolder(parts));
    parts.erasure.addHolder(ingestionHolder(parts));
    parts.erasure.addDependant(documentsNeedFiles(parts));
    parts.erasure.addSubject(deletedDocuments(parts));
    parts.erasure.addSubject(deletedCollections(parts));
  }

  stop(): void {
    this.parts.parser.close();
  }

  /** @throws ALREADY_EXISTS, BAD_USER_INPUT */
  async createCollection(input: NewCollection): Promise<CollectionRow> {
    const name = checkedName(input.name, 'input.name');
    const description = checkedText(input.description ?? '', 'input.description', 1_000, { allowEmpty: true });
    const denseWeight = checkedDenseWeight(input.denseWeight ?? DEFAULT_DENSE_WEIGHT, 'input.denseWeight');
    const language = checkedText(input.language ?? DEFAULT_LANGUAGE, 'input.language', 63).toLowerCase();
    if (!(await this.parts.collections.knowsLanguage(language)))
      throw badInput(
        'input.language',
        `PostgreSQL has no text search configuration ${JSON.stringify(language)}.`,
        `Take one of ${(await this.parts.collections.languages()).join(', ')}; "simple" fits any language.`,
      );
    return this.parts.collections.create({ workspaceId: input.workspaceId, name, description, language, denseWeight });
  }

  /**
   * Accepts documents: their bytes are safe before it returns. A document with the name of an earlier one replaces it.
   * @throws NOT_FOUND, BAD_USER_INPUT, PAYLOAD_TOO_LARGE, IDEMPOTENCY_CONFLICT, FORBIDDEN where one would be replaced that the reader doesn't see
   */
  async ingestDocuments(
    { workspaceId, groups }: Reader,
    input: { collection: string; documents: readonly NewDocument[]; idempotencyKey: string },
  ): Promise<RunRow> {
    const documents = checkedDocuments(input.documents);
    const { collections, labels, runs } = this.parts;
    const collection = await collections.require(workspaceId, input.collection, 'input.collection');
    const names = documents.map(({ name }) => name);
    const [hiddenName] = await labels.hiddenIn(workspaceId, collection.id, names, groups);
    if (hiddenName !== undefined) throw unseenThere(hiddenName);
    const jobs: DocumentJob[] = [];
    for (const [index, document] of documents.entries())
      jobs.push(await this.toJob(workspaceId, document, `input.documents.${index}`));
    return runs.enqueue(ingestion, {
      workspaceId,
      subjectId: collection.id,
      idempotencyKey: input.idempotencyKey,
      // The run asks again where it replaces: it may have waited for days.
      input: { collectionId: collection.id, documents: jobs, ...(groups !== null && { groups: groups.toSorted() }) },
    });
  }

  /**
   * Search no longer finds them when it returns, and their text is gone from everywhere unless `complete` is false: then it
   * takes long or a part could not be reached, and the erasure goes on by itself.
   * @throws NOT_FOUND, also for a document that the reader doesn't see
   */
  async deleteDocuments(
    { workspaceId, groups }: Reader,
    input: { collection: string; names: readonly string[] },
  ): Promise<{ collection: CollectionRow; deleted: DocumentRow[]; erasure: ErasureResult }> {
    const field = 'input.names';
    if (input.names.length === 0 || input.names.length > INGESTION_LIMITS.documents)
      throw badInput(field, `names must have 1 to ${INGESTION_LIMITS.documents} entries, not ${input.names.length}.`);
    const names = [...new Set(input.names.map((name, i) => checkedDocumentName(name, `${field}.${i}`)))];
    const { collections, database, documents, labels, runs } = this.parts;
    const collection = await collections.require(workspaceId, input.collection, 'input.collection');
    const { deleted, run } = await database.prisma.$transaction(async (tx) => {
      // Behind the lock nothing of these names comes that somebody else sees.
      await lockCollection(tx, collection.id);
      const [hidden] = await labels.hiddenIn(workspaceId, collection.id, names, groups, tx);
      if (hidden !== undefined) throw notFound('The document', hidden, field);
      const { live, ids } = await documents.retire(tx, collection.id, names);
      const missing = names.find((name) => !live.some((row) => row.name === name));
      if (missing !== undefined) throw notFound('The document', missing, field);
      await runs.releaseKeys(ingestion, collection.id, tx);
      const request = { subject: 'documents', ids, subjectId: collection.id };
      return { deleted: live, run: await requestErasure(runs, workspaceId, request, tx) };
    });
    return { collection, deleted, erasure: await erasureOf(runs, run) };
  }

  /**
   * Deletes a collection with all that was made of its documents. Search finds none of it from the start; it is there,
   * empty, until the erasure is complete.
   * @returns the collection as it was, too
   * @throws NOT_FOUND, FORBIDDEN where it holds what the reader doesn't see
   */
  async deleteCollection(
    { workspaceId, groups }: Reader,
    name: string,
  ): Promise<ErasureResult & { collection: CollectionRow }> {
    const { collections, documents, database, labels, runs } = this.parts;
    const collection = await collections.require(workspaceId, name, 'input.collection');
    const { id } = collection;
    const requireSeen = async (tx?: Transaction) => {
      if ((await labels.hiddenIn(workspaceId, id, null, groups, tx)).length > 0)
        throw new GraftError('FORBIDDEN', `${name} holds documents that you may not see.`, {
          field: 'input.collection',
          hint: 'A key of their groups deletes it, or one of role ADMIN.',
        });
    };
    await requireSeen();
    await runs.cancelAll(workspaceId, id);
    const run = await database.prisma.$transaction(async (tx) => {
      await lockCollection(tx, id);
      // Once more: one may have come until here.
      await requireSeen(tx);
      await documents.retire(tx, id, null);
      return requestErasure(runs, workspaceId, { subject: 'collections', ids: [id], subjectId: id }, tx);
    });
    return { ...(await erasureOf(runs, run)), collection };
  }

  /** Finishes what could not be reached, and asks for the erasure of what no erasure is under way for. @throws VECTOR_STORE_UNAVAILABLE */
  async sweep(): Promise<void> {
    for (const { workspaceId, collectionId, ids } of await this.parts.documents.forgotten())
      await requestErasure(this.parts.runs, workspaceId, { subject: 'documents', ids, subjectId: collectionId });
    await sweep(this.parts);
  }

  /** A collection as it is now. @throws NOT_FOUND */
  collection(workspaceId: WorkspaceId, name: string): Promise<CollectionRow> {
    return this.parts.collections.require(workspaceId, name, 'input.collection');
  }

  /** @throws NOT_FOUND, BAD_USER_INPUT */
  async setDenseWeight(
    workspaceId: WorkspaceId,
    input: { collection: string; denseWeight: number },
  ): Promise<CollectionRow> {
    const weight = checkedDenseWeight(input.denseWeight, 'input.denseWeight');
    return await this.parts.collections.setDenseWeight(workspaceId, input.collection, weight);
  }

  /** Embeds a collection again with the embedder of now. @throws NOT_FOUND, IDEMPOTENCY_CONFLICT */
  async rebuildIndex(workspaceId: WorkspaceId, input: { collection: string; idempotencyKey: string }): Promise<RunRow> {
    const collection = await this.parts.collections.require(workspaceId, input.collection, 'input.collection');
    return this.parts.runs.enqueue(reindexing, {
      workspaceId,
      subjectId: collection.id,
      idempotencyKey: input.idempotencyKey,
      input: { collectionId: collection.id },
    });
  }

  /** Newest first. */
  runs(workspaceId: WorkspaceId, collectionId: string, page: PageRequest): Promise<Page<RunRow>> {
    return this.parts.runs.list(workspaceId, { kind: ingestion.kind, subjectId: collectionId }, page);
  }

  private async toJob(workspaceId: WorkspaceId, document: NewDocument, field: string): Promise<DocumentJob> {
    const { name, metadata = {} } = document;
    const mediaType = document.mediaType ? telling(checkedText(document.mediaType, `${field}.mediaType`, 255)) : null;
    if (typeof document.text === 'string') {
      const source = Readable.from([Buffer.from(document.text, 'utf8')]);
      const maxBytes = 4 * INGESTION_LIMITS.inlineText;
      const file = await this.parts.files.store(workspaceId, { name, mediaType: 'text/plain', source, maxBytes });
      return { name, sha256: file.sha256, bytes: Number(file.bytes), mediaType, metadata };
    }
    const file = await this.parts.files.get(workspaceId, document.fileId as Uuid, `${field}.file`);
    if (file.bytes > INGESTION_LIMITS.fileBytes)
      throw new GraftError(
        'PAYLOAD_TOO_LARGE',
        `${file.name} has ${file.bytes} bytes; a document has at most ${INGESTION_LIMITS.fileBytes}.`,
        { field: `${field}.file` },
      );
    const { sha256, bytes } = file;
    return { name, sha256, bytes: Number(bytes), mediaType: mediaType ?? telling(file.mediaType), metadata };
  }
}
