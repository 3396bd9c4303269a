import type { Command } from 'commander';
import { GraftClientError, type GraftClient } from '../client/graft-client.js';
import {
  CollectionDocument,
  CreateCollectionDocument,
  IngestDocumentsDocument,
  IngestionProgressDocument,
} from '../client/operations/index.js';
import { say } from '../platform/terminal.js';
import { filesAt, namedDocuments, tellUpload, type LocalFile } from './files.js';
import { followRun, runState } from './follow-run.js';
import type { WithClient } from './keys.js';

interface Result {
  name: string;
  outcome: string;
  error: { message: string } | null;
}

/** What was told of a run so far: results of documents with a label that one may not see are kept back. */
interface Told {
  results: Result[];
  status: string;
  progress: number;
}

/** The most that one run takes. */
const BATCH = 100;

export function addIngestCommand(program: Command, withClient: WithClient): void {
  program
    .command('ingest <collection> <files...>')
    .description('add documents to a collection, or replace those of the same names')
    .option('--create', 'make the collection if there is none of this name')
    .action((collection: string, paths: string[], { create }: { create?: boolean }) =>
      withClient(async (client, { json }) => {
        const files = namedDocuments(await filesAt(paths));
        const makeCollection = await collectionMaker(client, collection, create);
        const ingested: Ingested = { results: [], runIds: [] };
        try {
          await ingestInto(client, { collection, files, json, makeCollection }, ingested);
        } finally {
          const { runIds, results } = ingested;
          if (json && runIds.length > 0)
            say(JSON.stringify({ runId: runIds.at(-1), runIds, documents: results }, null, 2));
        }
        if (ingested.failure) throw ingested.failure;
        if (ingested.results.some(hasFailed)) process.exitCode = 1;
      }),
    );
}

/** @returns what makes the collection, once something is there for it @throws GraftClientError NOT_FOUND where there is none and none may be made */
export async function collectionMaker(client: GraftClient, name: string, create = false): Promise<() => Promise<void>> {
  const { collection } = await client.request(CollectionDocument, { name });
  if (!collection && !create)
    throw new GraftClientError('NOT_FOUND', `There is no collection "${name}".`, 'Pass --create to make it.');
  return async () => {
    if (!collection) await client.request(CreateCollectionDocument, { input: { name } });
  };
}

/** What became of files so far, and why a run failed of which every document did. */
export interface Ingested {
  results: Result[];
  runIds: string[];
  failure?: Error;
}

/** Uploads and ingests files, in runs of at most 100, and says what became of each. */
export async function ingestInto(
  client: GraftClient,
  { collection, files, json, makeCollection }: IngestionRequest,
  ingested: Ingested,
): Promise<void> {
  for (let begin = 0; begin < files.length; begin += BATCH) {
    const documents = await uploaded(client, files, begin);
    if (begin === 0) await makeCollection?.();
    const input = { collection, documents, idempotencyKey: crypto.randomUUID() };
    const { ingestDocuments } = await client.request(IngestDocumentsDocument, { input });
    const runId = ingestDocuments.run.id;
    ingested.runIds.push(runId);
    const report: Told = { results: [], status: '', progress: 0 };
    try {
      await followIngestion(client, runId, report);
    } catch (error) {
      // A run that went through every file fails where all of them did, which says nothing of the next ones.
      if (report.status !== 'FAILED' || report.progress < 1 || !report.results.every(hasFailed)) throw error;
      ingested.failure = error as Error;
    } finally {
      ingested.results.push(...report.results);
      if (!json) for (const result of report.results) say(lineOf(result));
    }
    if (await hiddenFailed(client, runId, report, documents.length)) process.exitCode = 1;
  }
}

interface IngestionRequest {
  collection: string;
  files: readonly (LocalFile & { name: string })[];
  json?: boolean | undefined;
  makeCollection?: () => Promise<void>;
}

/** The batch that begins at this file, as the gateway names what it received. */
async function uploaded(
  client: GraftClient,
  files: readonly (LocalFile & { name: string })[],
  begin: number,
): Promise<{ name: string; file: string }[]> {
  const documents = [];
  for (const [index, file] of files.slice(begin, begin + BATCH).entries()) {
    tellUpload(file, begin + index, files.length);
    documents.push({ name: file.name, file: await client.upload(file.path) });
  }
  return documents;
}

const hasFailed = ({ outcome }: Result): boolean => outcome === 'FAILED';

const followIngestion = (client: GraftClient, runId: string, report: Told): Promise<void> =>
  followRun(runId, client.subscribe(IngestionProgressDocument, { runId }), ({ ingestionProgress: event }) => {
    if (event.result) report.results.push(event.result);
    report.status = event.status;
    report.progress = event.progress;
    return event;
  });

/** Whether one of those failed whose results were kept back; says how many there are. */
async function hiddenFailed(client: GraftClient, runId: string, report: Told, documents: number): Promise<boolean> {
  const hidden = documents - report.results.length;
  if (hidden === 0) return false;
  const failureCount = report.status === 'FAILED' ? documents : ((await runState(client, runId))?.failures ?? 0);
  const failed = failureCount - report.results.filter(hasFailed).length;
  process.stderr.write(
    `${hidden} ${hidden === 1 ? 'document has' : 'documents have'} a label that you may not see${failed > 0 ? `; of these ${failed} failed` : ''}.\n`,
  );
  return failed > 0;
}

const lineOf = ({ name, outcome, error }: Result): string =>
  `${outcome.toLowerCase()}  ${name}${error ? `: ${error.message}` : ''}`;
