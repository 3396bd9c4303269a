import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { startAnswering } from './answering.js';

const FOLDER = 'examples/handbook';

/** Reads the example handbook into the collection `handbook`. */
export async function ingestHandbook({
  ingest,
  files,
  workspaceId,
}: Awaited<ReturnType<typeof startAnswering>>): Promise<void> {
  const documents = [];
  for (const name of await readdir(FOLDER)) {
    const source = createReadStream(join(FOLDER, name));
    const mediaType = 'application/octet-stream';
    const file = await files.store(workspaceId, { name, mediaType, source, maxBytes: 1e8 });
    documents.push({ name, fileId: file.id as never });
  }
  await ingest('handbook', documents);
}

/** Its questions; without an answer, it has none in the handbook. */
export async function handbookQuestions(): Promise<{ question: string; answer: string | null }[]> {
  return JSON.parse(await readFile('examples/questions.json', 'utf8')) as { question: string; answer: string | null }[];
}
