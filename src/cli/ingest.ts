import type { Command } from 'commander';
import { GraftClientError, type GraftClient } from '../client/graft-client.js';
import {
  CollectionDocument,
  CreateCollectionDocument,
  IngestDocumentsDocument,
  IngestionProgressDocument,
} from '../operations/index.js';
import { say } from '../terminal.js';
import { filesAt, namedDocuments, tellUpload } from './files.js';
import { followRun } from './follow-run.js';
import type { WithClient } from './keys.js';

interface Result {
  name: string;
  outcome: string;
  error: { message: string } | null;
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
        const { collection: known } = await client.request(CollectionDocument, { name: collection });
        if (!known && !create)
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
            const documents = [];
            for (const [index, file] of files.slice(begin, begin + BATCH).entries()) {
              tellUpload(file, begin + index, files.length);
              documents.push({ name: file.name, file: await client.upload(file.path) });
            }
            // Now that something is there for it.
            if (!known && begin === 0) await client.request(CreateCollectionDocument, { input: { name: collection } });
            const input = { collection, documents, idempotencyKey: crypto.randomUUID() };
            const { ingestDocuments } = await client.request(IngestDocumentsDocument, { input });
            runIds.push(ingestDocuments.run.id);
            const batch: Result[] = [];
            try {
              await followIngestion(client, ingestDocuments.run.id, batch);
            } catch (error) {
              // A run fails where every file did, which says nothing of the next ones.
              if (batch.length < documents.length || batch.some(({ outcome }) => outcome !== 'FAILED')) throw error;
              failure = error as Error;
            } finally {
              results.push(...batch);
              if (!json) for (const result of batch) say(lineOf(result));
            }
          }
        } finally {
          if (json && runIds.length > 0)
            say(JSON.stringify({ runId: runIds.at(-1), runIds, documents: results }, null, 2));
        }
        if (failure) throw failure;
        if (results.some(({ outcome }) => outcome === 'FAILED')) process.exitCode = 1;
      }),
    );
}

const followIngestion = (client: GraftClient, runId: string, results: Result[]): Promise<void> =>
  followRun(runId, client.subscribe(IngestionProgressDocument, { runId }), (data) => {
    const { result } = data.ingestionProgress;
    if (result) results.push(result);
    return data.ingestionProgress;
  });

const lineOf = ({ name, outcome, error }: Result): string =>
  `${outcome.toLowerCase()}  ${name}${error ? `: ${error.message}` : ''}`;
