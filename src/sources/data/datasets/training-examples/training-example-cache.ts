import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../../../../kernel/hashing.js';
import { newId, type WorkspaceId } from '../../../../kernel/ids.js';
import { nullIfLost, type ArtifactStore, type FileService } from '../../../../platform/artifacts/index.js';
import { isTaken, type Database } from '../../../../platform/database/index.js';
import type { RowGroupRecord, VersionRecord } from '../dataset.js';
import type { StoredRow, VersionRows } from '../version-rows.js';
import { quote, TableEngine } from '../storage/duckdb.js';
import type { TaskKind, TaskRow } from '../tasks/index.js';

/** Turns a row into what the model reads and what it should answer. */
interface ExampleTemplate {
  /** Changes whenever the text that it makes changes. */
  digest: string;
  render(row: TaskRow, features: Record<string, unknown> | null): { prompt: string; answer: string };
}

interface ExampleTokenizer {
  /** SHA-256 of the model file whose tokenizer it is. */
  digest: string;
  /** Token ids of each text, without special tokens at the ends. */
  encode(texts: readonly string[]): Promise<readonly (readonly number[])[]>;
}

interface MaterialisedExamples {
  digest: string;
  /** Path of the Parquet file: ordinal, split, prompt_tokens, answer_tokens (both lists of integers). */
  path: string;
  sha256: string;
  examples: number;
  tokens: number;
}

interface CacheParts {
  database: Database;
  files: FileService;
  artifacts: ArtifactStore;
  rows: VersionRows;
  folder: string;
}

/**
 * Examples of a dataset version as token ids, made once for each template and tokenizer. The key is a digest of all
 * three, so that a change to any of them makes new examples and nothing stale is ever trained on.
 */
export class TrainingExampleCache {
  readonly #making = new Map<string, Promise<MaterialisedExamples>>();

  constructor(private readonly parts: CacheParts) {}

  /** The examples of the usable rows; from the cache if they were made before. @throws STORAGE_FAILED, what `encode` throws */
  async materialise(
    workspaceId: WorkspaceId,
    version: { task: TaskKind; version: VersionRecord; rowGroups: readonly RowGroupRecord[] },
    template: ExampleTemplate,
    tokenizer: ExampleTokenizer,
    signal: AbortSignal,
  ): Promise<MaterialisedExamples> {
    const digest = digestOf({
      version: version.version.digest,
      template: template.digest,
      tokenizer: tokenizer.digest,
    });
    const known = await this.#find(workspaceId, digest);
    if (known) return known;
    const key = `${workspaceId}:${digest}`;
    const making =
      this.#making.get(key) ??
      this.#make(workspaceId, digest, version, template, tokenizer, signal).finally(() => this.#making.delete(key));
    this.#making.set(key, making);
    return making;
  }

  async #find(workspaceId: WorkspaceId, digest: string): Promise<MaterialisedExamples | null> {
    const row = await this.parts.database.prisma.trainingExamples.findFirst({ where: { workspaceId, digest } });
    if (!row) return null;
    const { sha256, examples, tokens } = row;
    // What is gone or damaged is made again.
    const path = await this.parts.artifacts.local(sha256).catch(nullIfLost);
    return path === null ? null : { digest, path, sha256, examples, tokens: Number(tokens) };
  }

  async #make(
    workspaceId: WorkspaceId,
    digest: string,
    { task, version, rowGroups }: { task: TaskKind; version: VersionRecord; rowGroups: readonly RowGroupRecord[] },
    template: ExampleTemplate,
    tokenizer: ExampleTokenizer,
    signal: AbortSignal,
  ): Promise<MaterialisedExamples> {
    const { database, files, artifacts, rows, folder } = this.parts;
    const work = join(folder, `examples-${newId()}`);
    const engine = await TableEngine.open({ folder: work, file: join(work, 'examples.duckdb') });
    try {
      const writer = await engine.createTable('examples', {
        ordinal: 'BIGINT',
        split: 'VARCHAR',
        prompt: 'VARCHAR',
        answer: 'VARCHAR',
      });
      let examples = 0;
      let tokens = 0;
      for await (const batch of rows.stream(task, rowGroups, { quarantined: false })) {
        signal.throwIfAborted();
        const rendered = batch.flatMap((row) => render(row, template));
        const encoded = await tokenizer.encode(rendered.flatMap(({ prompt, answer }) => [prompt, answer]));
        rendered.forEach(({ ordinal, split }, i) => {
          const [prompt, answer] = [encoded[2 * i]!, encoded[2 * i + 1]!];
          writer.add([ordinal, split, JSON.stringify(prompt), JSON.stringify(answer)]);
          examples++;
          tokens += prompt.length + answer.length;
        });
      }
      writer.close();
      const path = join(work, 'examples.parquet');
      await engine.run(`
        COPY (SELECT ordinal, split, prompt::INTEGER[] AS prompt_tokens, answer::INTEGER[] AS answer_tokens FROM examples ORDER BY ordinal)
        TO ${quote(path)} (FORMAT parquet, COMPRESSION zstd)`);
      const file = await files.store(workspaceId, {
        name: `examples-${digest.slice(0, 12)}.parquet`,
        mediaType: 'application/vnd.apache.parquet',
        source: createReadStream(path),
        maxBytes: Number.MAX_SAFE_INTEGER,
      });
      const data = {
        id: newId(),
        workspaceId,
        datasetVersionId: version.id,
        digest,
        fileId: file.id,
        sha256: file.sha256,
        examples,
        tokens,
      };
      await database.prisma.trainingExamples.create({ data }).catch(async (error: unknown) => {
        // Another gateway was quicker: the same digest stands for the same examples.
        if (!isTaken(error)) throw error;
        await database.prisma.trainingExamples.update({
          where: { workspaceId_digest: { workspaceId, digest } },
          data: { fileId: file.id, sha256: file.sha256 },
        });
      });
      return { digest, path: await artifacts.local(file.sha256), sha256: file.sha256, examples, tokens };
    } finally {
      engine.close();
      await rm(work, { recursive: true, force: true });
    }
  }

  /** Removes the examples of versions that were withdrawn. */
  async forget(workspaceId: WorkspaceId, versionIds: readonly string[]): Promise<void> {
    const where = { workspaceId, datasetVersionId: { in: [...versionIds] } };
    const rows = await this.parts.database.prisma.trainingExamples.findMany({ where });
    for (const row of rows) await this.parts.files.remove(workspaceId, row.fileId);
    await this.parts.database.prisma.trainingExamples.deleteMany({ where });
  }
}

function render(
  row: StoredRow,
  template: ExampleTemplate,
): { ordinal: number; split: string; prompt: string; answer: string }[] {
  return row.content ? [{ ordinal: row.ordinal, split: row.split, ...template.render(row.content, row.features) }] : [];
}
