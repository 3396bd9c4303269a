import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraftClient } from '../../src/client/graft-client.js';
import {
  AddDatasetVersionDocument,
  AttestAdapterDocument,
  CreateCollectionDocument,
  CreateDatasetDocument,
  DatasetDocument,
  IngestDocumentsDocument,
  PromoteAdapterDocument,
  RegisterModelDocument,
  RouterDocument,
  RunsDocument,
  StartTrainingDocument,
  type AdapterAlias,
  type IngestDocumentsInput,
  type RouterQuery,
} from '../../src/client/operations/index.js';
import { spawnGraft } from '../../test/support/graft-program.js';
import { writeTinyModel } from '../../test/support/tiny-model.js';

/** Enough for an effect that is alike in both engines. */
const EXAMPLES = 20;

/** A gateway with an empty home and a tiny random model: who is asked doesn't depend on an adapter’s weights. */
export async function withGateway(work: (client: GraftClient) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'graft-bench-'));
  const { program, started } = spawnGraft(join(folder, 'home'), { LOG_LEVEL: 'warn' });
  try {
    const client = new GraftClient((await started).url);
    const { path } = writeTinyModel(join(folder, 'tiny.gguf'));
    const model = { fileId: await client.upload(path), name: 'tiny', idempotencyKey: 'tiny' };
    await ended(client, (await client.request(RegisterModelDocument, { input: model })).registerModel.run.id);
    await work(client);
    client.close();
  } finally {
    program.child.kill('SIGTERM');
    await program.ended;
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws when the run did not succeed */
export async function ended(client: GraftClient, id: string): Promise<void> {
  for (;;) {
    const { runs } = await client.request(RunsDocument, { first: 50 });
    const run = runs.edges.map(({ node }) => node).find((each) => each.id === id);
    if (run?.status === 'SUCCEEDED') return;
    if (run?.status === 'FAILED' || run?.status === 'CANCELLED') throw new Error(JSON.stringify(run));
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

export async function ingest(
  client: GraftClient,
  collection: string,
  documents: IngestDocumentsInput['documents'],
): Promise<void> {
  await client.request(CreateCollectionDocument, { input: { name: collection } });
  const input = { collection, documents, idempotencyKey: collection };
  await ended(client, (await client.request(IngestDocumentsDocument, { input })).ingestDocuments.run.id);
}

/**
 * Trains an adapter on labelled rows for a moment, and puts it in production, whatever the gate says of its weights.
 * @returns what promotion says of plain questions
 */
export async function promoteTiny(
  client: GraftClient,
  name: string,
  rows: readonly { text: string; label: string }[],
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'graft-bench-rows-'));
  const path = join(folder, `${name}.jsonl`);
  await writeFile(path, rows.map(({ text, label }) => `${JSON.stringify({ text, label })}\n`).join(''));
  await client.request(CreateDatasetDocument, { input: { name, task: 'CLASSIFICATION', language: 'en' } });
  const added = { dataset: name, files: [{ file: await client.upload(path) }], idempotencyKey: name };
  await rm(folder, { recursive: true });
  await ended(client, (await client.request(AddDatasetVersionDocument, { input: added })).addDatasetVersion.run.id);
  const { dataset } = await client.request(DatasetDocument, { name });
  const epochs = EXAMPLES / rows.length;
  const recipe = { rank: 2, alpha: 4, batchExamples: 4, epochs, validationRows: 10, retention: { tokens: 16 } };
  const of = { adapter: name, idempotencyKey: name };
  const training = { ...of, datasetVersion: dataset!.latestVersion!.id, model: 'tiny', recipe };
  await ended(client, (await client.request(StartTrainingDocument, { input: training })).startTraining.run.id);
  const attestation = { ...of, version: 1 };
  await ended(client, (await client.request(AttestAdapterDocument, { input: attestation })).attestAdapter.run.id);
  let routing = '';
  for (const alias of ['CANDIDATE', 'PRODUCTION'] satisfies AdapterAlias[]) {
    const input = { adapter: name, version: 1, alias, force: true, reason: 'The benchmark of routes.', by: 'bench' };
    routing = (await client.request(PromoteAdapterDocument, { input })).promoteAdapter.routing;
  }
  return routing;
}

/** Waits until plain questions reach these adapters. @returns the router */
export async function reached(client: GraftClient, adapters: readonly string[]): Promise<RouterQuery['router']> {
  for (;;) {
    const { router } = await client.request(RouterDocument, {});
    if (adapters.every((name) => router?.places.some((place) => place.name === `${name}@1`))) return router;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
