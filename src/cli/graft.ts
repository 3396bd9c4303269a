#!/usr/bin/env node
/** `graft`: the daily work from a shell, through the same GraphQL as every client. Exit codes: 0 done, 1 refused or failed, 2 wrong usage. */
import { basename } from 'node:path';
import { Command } from 'commander';
import { GraftClient, GraftClientError } from '../client/graft-client.js';
import {
  AddDatasetVersionDocument,
  AskDocument,
  AskStreamDocument,
  IngestDocumentsDocument,
  IngestionProgressDocument,
  ImportProgressDocument,
  ModelsDocument,
  RunsDocument,
  SearchDocument,
} from '../operations/index.js';
import { say } from '../terminal.js';
import { followRun } from './follow-run.js';

interface Common {
  url: string;
  json?: boolean;
}

const program = new Command('graft')
  .description('Ask, search, ingest and import on a running Graft.')
  .option('--url <url>', 'where Graft runs', process.env.GRAFT_URL ?? 'http://127.0.0.1:4000')
  .option('--json', 'print the result as JSON, for scripts')
  .configureOutput({ writeErr: (text) => process.stderr.write(text) })
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

const unique = (): string => crypto.randomUUID();
const printJson = (value: unknown): void => say(JSON.stringify(value, null, 2));

/** Runs `work` with a client of the given address and closes it; every refusal is one line on stderr. */
async function withClient(work: (client: GraftClient, options: Common) => Promise<void>): Promise<void> {
  const options = program.opts<Common>();
  const client = new GraftClient(options.url);
  try {
    await work(client, options);
  } catch (error) {
    process.exitCode = 1;
    const unreachable = error instanceof TypeError && error.message === 'fetch failed';
    const text = unreachable
      ? `Graft does not answer at ${options.url}: start it with \`npm start\`, or pass --url.`
      : error instanceof GraftClientError
        ? error.message
        : String(error);
    process.stderr.write(`${text}\n`);
  } finally {
    client.close();
  }
}

program
  .command('ask <question>')
  .description('answer a question, with its sources')
  .option('-c, --collection <names...>', 'answer from these collections only')
  .action((question: string, { collection }: { collection?: string[] }) =>
    withClient(async (client, { json }) => {
      const input = { question, ...(collection ? { collections: collection } : {}) };
      if (json) return printJson((await client.request(AskDocument, { input })).ask);
      for await (const { askStream: event } of client.subscribe(AskStreamDocument, { input })) {
        if (event.__typename === 'TextDelta') process.stdout.write(event.text);
        if (event.__typename === 'TextReplaced') process.stdout.write(`\n${event.text}`);
        if (event.__typename !== 'AnswerReady') continue;
        if (event.answer.abstention) process.stdout.write(event.answer.text);
        say('');
        for (const { quote, documentName, start, end } of event.answer.citations)
          say(`  “${quote}”\n    ${documentName}, characters ${start}–${end}`);
        for (const { quotes } of event.answer.conflicts) {
          say(`  The documents disagree: ${quotes.map(({ value }) => value).join(' or ')}`);
          for (const { quote, documentName, start, end } of quotes)
            say(`    “${quote}”\n      ${documentName}, characters ${start}–${end}`);
        }
      }
    }),
  );

program
  .command('search <query>')
  .description('the passages that match best')
  .option('-c, --collection <names...>', 'search these collections only')
  .action((query: string, { collection }: { collection?: string[] }) =>
    withClient(async (client, { json }) => {
      const input = { query, ...(collection ? { collections: collection } : {}) };
      const { search } = await client.request(SearchDocument, { input });
      if (json) return printJson(search);
      for (const { scores, document, chunk } of search.hits)
        say(
          `${scores.fused.toFixed(3)}  ${document?.name ?? 'deleted'}: ${chunk.text.slice(0, 120).replaceAll('\n', ' ')}`,
        );
    }),
  );

program
  .command('ingest <collection> <files...>')
  .description('add documents to a collection, or replace those of the same names')
  .action((collection: string, files: string[]) =>
    withClient(async (client, { json }) => {
      const documents = [];
      for (const path of files) documents.push({ name: basename(path), file: await client.upload(path) });
      const { ingestDocuments } = await client.request(IngestDocumentsDocument, {
        input: { collection, documents, idempotencyKey: unique() },
      });
      const results: { name: string; outcome: string }[] = [];
      const runId = ingestDocuments.run.id;
      await followRun(client.subscribe(IngestionProgressDocument, { runId }), (data) => {
        const { result } = data.ingestionProgress;
        if (result) results.push(result);
        return data.ingestionProgress;
      });
      if (json) printJson({ runId, documents: results });
      else for (const { name, outcome } of results) say(`${outcome.toLowerCase()}  ${name}`);
      if (results.some(({ outcome }) => outcome === 'FAILED')) process.exitCode = 1;
    }),
  );

program
  .command('import <dataset> <files...>')
  .description('make a new version of a dataset from files')
  .action((dataset: string, files: string[]) =>
    withClient(async (client, { json }) => {
      const sent = [];
      for (const path of files) sent.push({ file: await client.upload(path) });
      const { addDatasetVersion } = await client.request(AddDatasetVersionDocument, {
        input: { dataset, files: sent, idempotencyKey: unique() },
      });
      const runId = addDatasetVersion.run.id;
      await followRun(client.subscribe(ImportProgressDocument, { runId }), (data) => data.importProgress);
      if (json) printJson({ runId });
      else say(`imported into ${dataset}`);
    }),
  );

program
  .command('runs')
  .description('long work, newest first')
  .action(() =>
    withClient(async (client, { json }) => {
      const { runs } = await client.request(RunsDocument, { first: 50 });
      if (json) return printJson(runs.edges.map(({ node }) => node));
      for (const { node } of runs.edges)
        say(
          `${node.status.padEnd(10)} ${`${Math.round(node.progress * 100)} %`.padStart(5)}  ${node.kind}  ${node.message}`,
        );
    }),
  );

program
  .command('models')
  .description('the registered models')
  .action(() =>
    withClient(async (client, { json }) => {
      const { models } = await client.request(ModelsDocument, {});
      if (json) return printJson(models.edges.map(({ node }) => node));
      for (const { node } of models.edges)
        say(`${node.name}  ${node.variants.map(({ quantization }) => quantization).join(', ')}  ${node.licence ?? ''}`);
    }),
  );

await program.parseAsync();
