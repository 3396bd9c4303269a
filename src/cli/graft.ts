#!/usr/bin/env node
/** `graft`: the daily work from a shell, through the same GraphQL as every client. Exit codes: 0 done, 1 refused or failed, 2 wrong usage. */
import { Command, Option } from 'commander';
import { OperationTypeNode } from 'graphql';
import { GraftClient, GraftClientError } from '../client/graft-client.js';
import { RunsDocument, SearchDocument } from '../client/operations/index.js';
import { isGraftError, messageWithHint } from '../kernel/errors.js';
import { packageVersion } from '../platform/package-root.js';
import { printJson, say } from '../platform/terminal.js';
import { eventsOf, followAnyRun, pick, runOf, takenBy, variablesOf } from './call.js';
import { readyOperation, readyOperations, type ReadyOperation } from '../client/operations/ready.js';
import { addAccessCommands, type WithClient } from './keys.js';
import { addAskCommand } from './ask.js';
import { addDataCommands } from './data.js';
import { filesAt, tellUpload } from './files.js';
import { addCompletionCommand } from './completion.js';
import { addIngestCommand } from './ingest.js';
import { addModelCommands } from './models.js';
import { addSourceCommands } from './sources.js';
import { anAddress } from './an-address.js';

const address = new Option('--url <url>', 'where Graft runs').default('http://127.0.0.1:4000').argParser(anAddress);
// Empty, it counts as unset, as every variable does.
if (process.env.GRAFT_URL) address.env('GRAFT_URL');

const program = new Command('graft')
  .description('Ask, search, ingest and import on a running Graft.')
  .version(packageVersion(), '--version', 'print the version of Graft')
  .addOption(address)
  .option('--json', 'print the result as JSON, for scripts')
  .configureOutput({ writeErr: (text) => process.stderr.write(text) })
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

/** Who reads may have had enough, as `head` has: what is done goes on without a word, and how it ends the exit code says. */
const enough = new AbortController();
for (const out of [process.stdout, process.stderr])
  out.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exit(1);
    if (out === process.stdout) enough.abort();
  });

/** An error in one line, with what to do about it. */
function sentenceOf(error: unknown): string {
  if (error instanceof GraftClientError) {
    const start = 'Start it with `npm start`, or say where it runs by --url or GRAFT_URL.';
    const hint = error.hint ?? (error.code === 'UNREACHABLE' ? start : null);
    return [error.message, ...(hint === null ? [] : [hint])].join(' ');
  }
  if (error instanceof Error && error.name === 'AbortError') return 'Interrupted; nothing of it was kept.';
  if (isGraftError(error)) return messageWithHint(error);
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `There is no file ${path}.`;
  return error instanceof Error ? error.message : String(error);
}

/** An option that may be given several times, so that it takes no word that follows its own. */
const repeated = (value: string, values: string[] = []): string[] => [...values, value];

/** Runs `work` with a client of the given address and closes it; every refusal is one line on stderr. */
const withClient: WithClient = async (work) => {
  const options = program.opts<{ url: string; json?: boolean }>();
  const client = new GraftClient(options.url, process.env.GRAFT_API_KEY || undefined);
  try {
    await work(client, { ...options, named: program.getOptionValueSource('url') !== 'default' });
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(`${sentenceOf(error)}\n`);
  } finally {
    client.close();
  }
};

addAskCommand(program, withClient, repeated);

program
  .command('search <query>')
  .description('the passages that match best')
  .option('-c, --collection <name>', 'search this collection only; may be repeated', repeated)
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

addIngestCommand(program, withClient);
addSourceCommands(program, withClient);

addDataCommands(program, withClient);

program
  .command('runs')
  .description('long work, newest first')
  .action(() =>
    withClient(async (client, { json }) => {
      const { runs } = await client.request(RunsDocument, { first: 50 });
      if (json) return printJson(runs.edges.map(({ node }) => node));
      for (const { node } of runs.edges) {
        const share = `${Math.round(node.progress * 100)} %`.padStart(5);
        const outcome = node.error ? `${node.error.code}: ${node.error.message}` : node.message;
        say(`${node.status.padEnd(10)} ${share}  ${node.kind}  ${node.id}  ${outcome}`);
      }
    }),
  );

addModelCommands(program, withClient);
addCompletionCommand(program);

program
  .command('upload <file>')
  .description('keep a file on the gateway, and print its id for operations that take files')
  .action((file: string) =>
    withClient(async (client, { json }) => {
      const [localFile] = await filesAt([file]);
      tellUpload(localFile!, 0, 1);
      const id = await client.upload(file);
      if (json) printJson({ id });
      else say(id);
    }),
  );

program
  .command('migrate')
  .description('bring the database of DATABASE_URL to this version’s form, before gateways are replaced')
  .action(() =>
    withClient(async () => {
      const { migrateDatabase } = await import('./migrate.js');
      const applied = await migrateDatabase(process.env.DATABASE_URL || undefined);
      say(applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}.`);
    }),
  );

program
  .command('backup <folder>')
  .description('write the installation of GRAFT_HOME or DATABASE_URL into a new folder, also while gateways run')
  .option('--vectors', 'with its vectors, so that a restore need not embed anew')
  .action((folder: string, { vectors = false }: { vectors?: boolean }) =>
    withClient(async (_, { json }) => {
      const { backupTo } = await import('./backup.js');
      const manifest = await backupTo(folder, { vectors });
      const inVectors = manifest.vectors?.reduce((sum, { records }) => sum + records, 0) ?? null;
      const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
      const { length: files } = manifest.artifacts;
      // Whoever removes older backups behind this one has to see that it is not whole.
      if (manifest.lost.length > 0) process.exitCode = 1;
      if (json) return printJson({ folder, rows, files, vectors: inVectors, lost: manifest.lost });
      say(
        `Backed up ${rows} rows and ${files} files${inVectors === null ? '' : ` and ${inVectors} vectors`} to ${folder}.`,
      );
      if (manifest.lost.length > 0)
        process.stderr.write(
          `Files that rows name could not be read, and are not in it: ${manifest.lost.length}, ${manifest.lost[0]} among them.\n`,
        );
    }),
  );

program
  .command('restore <folder>')
  .description('bring a backup back into the installation of GRAFT_HOME or DATABASE_URL, while no gateway uses it')
  .option('--replace', 'though it holds something, which is then gone')
  .action((folder: string, { replace = false }: { replace?: boolean }) =>
    withClient(async (_, { json }) => {
      const { restoreFrom } = await import('./backup.js');
      const { manifest, migrated, embeddings, keysKeptEnded, vectorsFailed } = await restoreFrom(folder, { replace });
      const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
      const { lost } = manifest;
      const { length: files } = manifest.artifacts;
      if (json) return printJson({ rows, files, lost, migrated, embeddings, keysKeptEnded, vectorsFailed });
      say(`Restored ${rows} rows and ${files} files of ${manifest.createdAt}.`);
      if (keysKeptEnded > 0) say(`Keys that were revoked or rotated here since then stay so: ${keysKeptEnded}.`);
      else if (manifest.tables.some((table) => table.name === 'api_key' && table.rows > 0))
        say('Keys revoked since then work again: revoke them (`graft keys revoke`) before others can reach it.');
      if (lost.length > 0)
        process.stderr.write(`Files that the backup lacks: ${lost.length}, ${lost[0]} among them.\n`);
      if (migrated.length > 0) say(`Migrated forward: ${migrated.join(', ')}.`);
      if (vectorsFailed !== null) process.stderr.write(`Vectors could not be brought back: ${vectorsFailed}\n`);
      if (embeddings > 0) say(`Once Graft runs, ${embeddings} runs embed what is missing: \`graft runs\` shows them.`);
    }),
  );

function tellOperation(operation: ReadyOperation, json = false): void {
  const parameters = takenBy(operation);
  if (json) return printJson({ name: operation.name, description: operation.description, taken: parameters });
  say(operation.description);
  for (const { name, type, needed, description } of parameters) {
    say(`  ${name}: ${type}${needed ? ', needed' : ''}`);
    if (description !== '') say(`      ${description}`);
  }
}

program
  .command('operations [name]')
  .description('the ready operations, which `graft call` sends; or what one of them takes')
  .action((name: string | undefined) =>
    withClient(async (_, { json }) => {
      if (name !== undefined) return tellOperation(readyOperation(name), json);
      const operations = readyOperations();
      if (json)
        return printJson(operations.map(({ flow, name, kind, description }) => ({ flow, name, kind, description })));
      let group = '';
      for (const { flow, name, kind, description } of operations) {
        if (flow !== group) say(`${group === '' ? '' : '\n'}${(group = flow)}`);
        say(`  ${name.padEnd(28)} ${kind.padEnd(12)} ${description}`);
      }
    }),
  );

program
  .command('call <operation> [variables...]')
  .description(
    'send a ready operation; variables as path=value, e.g. adapter=routing recipe.epochs=2, or as one JSON object',
  )
  .option('--pick <path>', 'print only what stands there, e.g. dataset.latestVersion.id')
  .option('--follow', 'wait for the run that it begins, with its progress')
  .action((name: string, variables: string[], { pick: path, follow }: { pick?: string; follow?: boolean }) =>
    withClient(async (client) => {
      const operation = readyOperation(name);
      const values = variablesOf(operation, variables);
      if (operation.kind === OperationTypeNode.SUBSCRIPTION) {
        for await (const event of eventsOf(client, operation, values, enough.signal)) printJson(event);
        return;
      }
      const data = await client.request(operation.text, values);
      const picked = path === undefined ? data : pick(data, path);
      if (typeof picked === 'string') say(picked);
      else printJson(picked);
      const run = follow ? runOf(data) : null;
      if (run !== null) await followAnyRun(client, run);
    }),
  );
addAccessCommands(program, withClient);

await program.parseAsync();
