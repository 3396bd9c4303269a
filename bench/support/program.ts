import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { GraftClient } from '../../src/client/graft-client.js';
import { packageRoot } from '../../src/platform/package-root.js';

/** `npm start` on a home of its own. */
export async function startProgram(home: string, model: string): Promise<{ url: string; stop(): Promise<void> }> {
  const child = spawn(process.execPath, [join(packageRoot(), 'dist', 'src', 'start.js')], {
    env: { ...process.env, GRAFT_HOME: home, GRAFT_PORT: '0', GRAFT_MODEL: model, LOG_LEVEL: 'error' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // A benchmark that is ended early leaves no gateway behind.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      child.kill('SIGTERM');
      process.exit(1);
    });
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const found = /(http:\/\/[\d.]+:\d+)\/graphql/.exec(text)?.[1];
      if (found) resolve(found);
    });
    void ended.then(() => reject(new Error(`the gateway ended: ${text}`)));
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  return { url, stop };
}

export async function ingestHandbookOver(client: GraftClient): Promise<void> {
  const folder = join(packageRoot(), 'examples');
  const documents = [];
  for (const name of await readdir(join(folder, 'handbook')))
    documents.push({ name, file: await client.upload(join(folder, 'handbook', name)) });
  await client.request('mutation { createCollection(input: { name: "handbook" }) { collection { id } } }');
  const { ingestDocuments } = await client.request<{ ingestDocuments: { run: { id: string } } }>(
    'mutation ($input: IngestDocumentsInput!) { ingestDocuments(input: $input) { run { id } } }',
    { input: { collection: 'handbook', documents, idempotencyKey: 'bench' } },
  );
  const progress = 'subscription ($runId: ID!) { ingestionProgress(runId: $runId) { status } }';
  for await (const _ of client.subscribe(progress, { runId: ingestDocuments.run.id })) continue;
}
