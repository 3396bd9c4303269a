import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { GraftClientError, type GraftClient } from '../client/graft-client.js';
import {
  CommitSyncDocument,
  CreateSourceDocument,
  SourceDocument,
  SourcesDocument,
  SyncSourceDocument,
  type SourceFieldsFragment,
} from '../client/operations/index.js';
import { filesBelow, listedFile, type FolderFile } from '../platform/folder-files.js';
import { printJson, say } from '../platform/terminal.js';
import { aNumber } from './a-number.js';
import { MOST } from './files.js';
import { collectionMaker, ingestInto } from './ingest.js';
import { everyOne, type WithClient } from './keys.js';

interface SyncOptions {
  collection: string;
  source?: string;
  create?: boolean;
  every?: number;
  acceptLoss?: boolean;
  retryFailed?: boolean;
}

/** The most failures that are told. */
const MOST_FAILURES = 100;

/** A document's name, as the gateway makes it of a path. */
const nameOf = ({ path }: FolderFile): string => path.normalize('NFC').trim();

/** Uploads the list of a folder. @returns the id of the file */
async function uploadList(client: GraftClient, folder: string, files: readonly FolderFile[]): Promise<string> {
  const place = await mkdtemp(join(tmpdir(), 'graft-sync-'));
  try {
    const lines: string[] = [];
    for (const file of files) lines.push(JSON.stringify(await listedFile(folder, file, MOST.documentBytes)));
    const list = join(place, 'files.jsonl');
    await writeFile(list, `${lines.join('\n')}\n`);
    return await client.upload(list);
  } finally {
    await rm(place, { recursive: true });
  }
}

/** The source of this name, made if there is none. @throws GraftClientError for one of another collection */
async function requireSource(
  client: GraftClient,
  { collection, create, every, source: name = collection }: SyncOptions,
) {
  const { source } = await client.request(SourceDocument, { name });
  if (source && source.collection?.name !== collection)
    throw new GraftClientError(
      'BAD_USER_INPUT',
      `The source ${name} is of the collection ${source.collection?.name}.`,
      'Name another one with --source.',
    );
  if (source) return name;
  const makeCollection = await collectionMaker(client, collection, create);
  await makeCollection();
  await client.request(CreateSourceDocument, { input: { name, collection, everyMinutes: every } });
  return name;
}

/** Brings a folder here into a collection there, as it is. @returns the source as it stands then, and what was uploaded */
async function sync(client: GraftClient, folder: string, options: SyncOptions, json?: boolean) {
  const { collection, acceptLoss = false, retryFailed = false } = options;
  const root = await realpath(folder);
  const files = await filesBelow(root, { limit: MOST.listedFiles });
  const source = await requireSource(client, options);
  const manifest = await uploadList(client, root, files);
  const { syncSource } = await client.request(SyncSourceDocument, { input: { source, manifest, retryFailed } });
  const wantedNames = new Set([...syncSource.new, ...syncSource.changed]);
  const wantedFiles = files
    .filter((file) => wantedNames.has(nameOf(file)))
    .map((file) => ({ name: nameOf(file), path: join(root, file.path), bytes: file.bytes }));
  await ingestInto(client, { collection, files: wantedFiles, json }, { results: [], runIds: [] });
  await client.request(CommitSyncDocument, { input: { sync: syncSource.sync, acceptLoss } });
  const { source: synced } = await client.request(SourceDocument, { name: source, first: MOST_FAILURES });
  return { uploaded: wantedFiles.length, unchanged: syncSource.unchanged, source: synced! };
}

const countsOf = ({ counts }: Pick<SourceFieldsFragment, 'counts'>): string =>
  `${counts.in} in, ${counts.failed} failed, ${counts.empty} without text, ${counts.gone} gone`;

function lineOf(source: SourceFieldsFragment): string {
  const { state, stale, name, collection, lastSyncedAt, nextSyncAt, lastRun } = source;
  const times = [
    lastSyncedAt ? `as of ${lastSyncedAt}` : 'never synced',
    ...(nextSyncAt ? [`next ${nextSyncAt}`] : []),
  ];
  const fault = lastRun?.error ? [`${lastRun.error.code}: ${lastRun.error.message}`] : [];
  return [
    (stale ? 'STALE' : state).padEnd(8),
    name,
    `(${collection?.name})`,
    countsOf(source),
    ...times,
    ...fault,
  ].join('  ');
}

export function addSourceCommands(program: Command, withClient: WithClient): void {
  program
    .command('sources')
    .description('what collections have of other places, and how fresh it is')
    .action(() =>
      withClient(async (client, { json }) => {
        const sources = await everyOne(
          async (cursor) => (await client.request(SourcesDocument, { first: 100, after: cursor })).sources,
        );
        if (json) return printJson(sources);
        for (const source of sources) say(lineOf(source));
      }),
    );

  program
    .command('sync <folder>')
    .description('bring a folder into a collection as it is: what is new or changed is uploaded, what is gone goes')
    .requiredOption('-c, --collection <name>', 'the collection that follows the folder')
    .option('--source <name>', 'the source that keeps the list; by default called like the collection')
    .option('--create', 'make the collection if there is none of this name')
    .option(
      '--every <minutes>',
      'how often it is to be synced, of a new source: after two such times without a sync there is an alert',
      aNumber,
    )
    .option('--accept-loss', 'though less than half of the documents stay')
    .option('--retry-failed', 'upload files again that were no documents')
    .action((folder: string, options: SyncOptions) =>
      withClient(async (client, { json }) => {
        const result = await sync(client, folder, options, json);
        if (json) return printJson(result);
        const { uploaded, unchanged, source } = result;
        for (const { path, reason } of source.failures) say(`failed  ${path}: ${reason}`);
        say(`${uploaded} uploaded, ${unchanged} unchanged; ${countsOf(source)}`);
      }),
    );
}
