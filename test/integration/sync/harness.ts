import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execute, parse } from 'graphql';
import { openErasure } from '../../../src/kit/erasure/index.js';
import { createGraphContext } from '../../../src/kit/graphql/index.js';
import { localCaller, type Caller, type Groups } from '../../../src/kernel/caller.js';
import { sha256 } from '../../../src/kernel/hashing.js';
import { newId, type Uuid } from '../../../src/kernel/ids.js';
import { filesBelow } from '../../../src/platform/folder-files.js';
import type { Platform } from '../../../src/platform/platform.js';
import { openKnowledge } from '../../../src/sources/knowledge/index.js';
import { openSync } from '../../../src/sources/sync/index.js';
import type { NewItem } from '../../../src/sources/sync/manifest.js';
import { schemaOf } from '../../support/schema-of.js';
import { collectionsOf, realEmbedder, startSurroundings } from '../knowledge/harness.js';

/** What a source has, by path. */
export type Files = Record<string, string | Buffer>;

/** Files that are no documents, with how the reasons begin. */
export const BROKEN: Files = {
  'broken.pdf': '%PDF-1.4\nno more than its beginning',
  'deep/broken.docx': Buffer.from('504b0304ffff', 'hex'),
  'empty.txt': '',
  'blank.md': ' \n\n ',
};

/** A platform whose sources may read a folder, `shared`. */
export const withFolder = (platform: Platform, root: string): Platform => ({
  ...platform,
  config: { ...platform.config, GRAFT_SOURCE_FOLDERS: { shared: root } },
});

export async function startSync({ working = true } = {}) {
  const [embedder, surroundings] = await Promise.all([realEmbedder(), startSurroundings()]);
  const { test, workspaceId, database, runs } = surroundings;
  const root = await realpath(await mkdtemp(join(tmpdir(), 'graft-source-')));
  const knowledge = openKnowledge(test.platform, { embedder: () => embedder });
  const opened = openSync(withFolder(test.platform, root), { knowledge });
  const domains = { knowledge, sync: opened, erasure: openErasure(test.platform) };
  if (working) test.work(domains);
  const { sync, sources } = opened;
  const { schema } = schemaOf(test, domains);
  const collections = collectionsOf(knowledge, surroundings);
  const caller = localCaller(workspaceId);

  const itemsOf = (files: Files, access: Record<string, string[]> = {}): NewItem[] =>
    Object.entries(files).map(([path, content]) => ({
      path,
      sha256: sha256(content),
      bytes: Buffer.byteLength(content),
      ...(access[path] && { access: access[path] }),
    }));

  const ingest = async (collection: string, files: Files, names = Object.keys(files)): Promise<void> => {
    const documents: { name: string; fileId: Uuid }[] = [];
    for (const name of names) {
      const { id } = await surroundings.upload(name.split('/').at(-1)!, Buffer.from(files[name]!));
      documents.push({ name, fileId: id as Uuid });
    }
    if (documents.length > 0) await collections.ingest(collection, documents);
  };

  return {
    ...surroundings,
    ...collections,
    knowledge,
    sync,
    sources,
    root,
    embedder,
    caller,
    chore: opened.offer.chores[0]!,
    itemsOf,
    ingestFiles: ingest,
    /** Whoever sends a request with a key of these groups. */
    reader: (groups: Groups, role: Caller['role'] = 'EDIT'): Caller => ({ ...caller, role, groups }),

    async source(options: { labelled?: boolean; folder?: string; everyMinutes?: number } = {}) {
      const { name: collection } = await collections.collection();
      const kind = options.folder === undefined ? 'MANIFEST' : 'FOLDER';
      const source = await sync.create(workspaceId, {
        name: `s${newId().slice(-12)}`,
        collection,
        kind,
        labelled: false,
        ...options,
      });
      return { ...source, collection };
    },

    /** What a client does, from the list to the commit. @returns what was asked for */
    async push(
      source: { name: string; collection: string },
      files: Files,
      { access, acceptLoss = false }: { access?: Record<string, string[]>; acceptLoss?: boolean } = {},
    ) {
      const items = itemsOf(files, access);
      const { syncId, comparison } = await sync.openManifest(caller, {
        source: source.name,
        items,
        retryFailed: false,
      });
      const names = [...comparison.new, ...comparison.changed].map(({ path }) => path);
      await ingest(source.collection, files, names);
      const committed = await sync.commit(caller, { syncId, acceptLoss });
      return { names, comparison, committed };
    },

    /** Puts files into the folder, and takes away those that are null. */
    async write(files: Record<string, string | Buffer | null>): Promise<void> {
      for (const [path, content] of Object.entries(files)) {
        const place = join(root, path);
        await mkdir(dirname(place), { recursive: true });
        if (content === null) await rm(place, { recursive: true, force: true });
        else await writeFile(place, content);
      }
    },

    /** The files of a folder that are files. */
    async written(folder: string): Promise<Files> {
      const files = await filesBelow(join(root, folder), { limit: 1_000 });
      const entries = files.filter(({ problem }) => problem === null);
      return Object.fromEntries(
        await Promise.all(entries.map(async ({ path }) => [path, await readFile(join(root, folder, path))] as const)),
      );
    },

    /** Has a folder read. @returns the run when it has ended */
    async read(source: { name: string }, { acceptLoss = false } = {}) {
      const row = await sources.require(workspaceId, source.name);
      return surroundings.finished(await sync.startFolder(row, { acceptLoss, idempotencyKey: newId() }));
    },

    /** What search sees of a collection: names, digests, texts of the chunks and who may see them. */
    async state(collection: string) {
      const documents = await database.prisma.document.findMany({
        where: { workspaceId, liveName: { not: null }, collection: { name: collection } },
        include: { chunks: { orderBy: { ordinal: 'asc' }, select: { text: true, ordinal: true, start: true } } },
        orderBy: { name: 'asc' },
      });
      const labels = await database.prisma.documentLabel.findMany({ where: { workspaceId } });
      return documents.map(({ name, sha256: digest, chunks, collectionId }) => ({
        name,
        digest,
        chunks,
        access: labels.find((label) => label.collectionId === collectionId && label.name === name)?.access ?? null,
      }));
    },

    /** Names of documents that such a reader sees. */
    async seenBy(collection: string, groups: Groups): Promise<string[]> {
      const row = await knowledge.collections.require(workspaceId, collection, 'collection');
      const page = await knowledge.documents.pagesOfDocuments(
        workspaceId,
        [row.id],
        { first: 100, after: null },
        groups,
      );
      return page
        .get(row.id)!
        .items.map(({ name }) => name)
        .sort();
    },

    /** How a source stands, as everybody reads it. */
    async told(source: { name: string }) {
      const row = await sources.require(workspaceId, source.name);
      const counts = (await sources.counts(workspaceId, [row.id])).get(row.id) ?? { in: 0, failed: 0, empty: 0 };
      return { row, counts, failures: await sources.failures(workspaceId, row.id, 100, null) };
    },

    ask: async (text: string, variableValues: Record<string, unknown> = {}, by: Caller = caller) =>
      await execute({
        schema,
        document: parse(text),
        variableValues,
        contextValue: createGraphContext(by, 'test', new AbortController()),
      }),

    ingestions: () => database.prisma.run.count({ where: { workspaceId, kind: 'INGESTION' } }),
    runs,
    async stop() {
      await surroundings.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}

export type Sync = Awaited<ReturnType<typeof startSync>>;
