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
        const { collection: existingCollection } = await client.request(CollectionDocument, { name: collection });
        if (!existingCollection && !create)
          throw new GraftClientError(
            'NOT_FOUND',
            `There is no collection "${collection}".`,
            'Pass --create to make it.',
          );
        const results: Result[] = [];
        const runIds: string[] = [];
        let failure: Error | undefined;
        try {
          for (let begin = 0; begin < files.length; begin += BATCH) {
            const documents = await uploaded(client, files, begin);
            // Now that something is there for it.
            if (!existingCollection && begin === 0)
              await client.request(CreateCollectionDocument, { input: { name: collection } });
            const input = { collection, documents, idempotencyKey: crypto.randomUUID() };
            const { ingestDocuments } = await client.request(IngestDocumentsDocument, { input });
            const runId = ingestDocuments.run.id;
            runIds.push(runId);
            const report: Told = { results: [], status: '', progress: 0 };
            try {
              await followIngestion(client, runId, report);
            } catch (error) {
              // A run that went through every file fails where all of them did, which says nothing of the next ones.
              if (report.status !== 'FAILED' || report.progress < 1 || !report.results.every(hasFailed)) throw error;
              failure = error as Error;
            } finally {
              results.push(...report.results);
              if (!json) for (const result of report.results) say(lineOf(result));
            }
            if (await hiddenFailed(client, runId, report, documents.length)) process.exitCode = 1;
          }
        } finally {
          if (json && runIds.length > 0)
            say(JSON.stringify({ runId: runIds.at(-1), runIds, documents: results }, null, 2));
        }
        if (failure) throw failure;
        if (results.some(hasFailed)) process.exitCode = 1;
      }),
    );
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
