import type { WorkspaceId } from '../../kernel/ids.js';
import type { Database } from '../../platform/database/index.js';

/** What the inputs of INGESTION runs keep of documents: names, metadata, and digests of every version that ever came in. */
export class IngestionInputs {
  constructor(private readonly database: Database) {}

  /** Digests of all versions that were ingested under these names (null: any) into a collection. */
  async contents(workspaceId: WorkspaceId, collectionId: string, names: readonly string[] | null): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ sha256: string }>(
      `SELECT DISTINCT document->>'sha256' AS sha256 FROM run, jsonb_array_elements(input->'documents') AS document
        WHERE workspace_id = $1 AND kind = 'INGESTION' AND subject_id = $2
          AND ($3::text[] IS NULL OR document->>'name' = ANY($3))`,
      [workspaceId, collectionId, names],
    );
    return rows.map(({ sha256 }) => sha256);
  }

  /** Those of these contents that a run which has not ended will read. */
  async awaited(workspaceId: WorkspaceId, digests: readonly string[]): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ sha256: string }>(
      `SELECT DISTINCT document->>'sha256' AS sha256 FROM run, jsonb_array_elements(input->'documents') AS document
        WHERE workspace_id = $1 AND kind = 'INGESTION' AND finished_at IS NULL AND document->>'sha256' = ANY($2)`,
      [workspaceId, digests],
    );
    return rows.map(({ sha256 }) => sha256);
  }

  /** Whether a run that has not ended works on the collection. */
  async areRead(collectionId: string): Promise<boolean> {
    const { rowCount } = await this.database.pool.query(
      `SELECT 1 FROM run WHERE kind = 'INGESTION' AND subject_id = $1 AND finished_at IS NULL LIMIT 1`,
      [collectionId],
    );
    return rowCount !== 0;
  }

  /** Empties the metadata that ended runs were given for these documents. @returns in how many runs there was some */
  async eraseMetadata(workspaceId: WorkspaceId, collectionId: string, names: readonly string[]): Promise<number> {
    const { rowCount } = await this.database.pool.query(
      `UPDATE run SET input = jsonb_set(input, '{documents}', (
         SELECT jsonb_agg(CASE WHEN document->>'name' = ANY($3) THEN document || '{"metadata": {}}' ELSE document END ORDER BY place)
           FROM jsonb_array_elements(input->'documents') WITH ORDINALITY AS each(document, place)))
        WHERE workspace_id = $1 AND kind = 'INGESTION' AND subject_id = $2 AND finished_at IS NOT NULL AND EXISTS (
          SELECT 1 FROM jsonb_array_elements(input->'documents') AS document
           WHERE document->>'name' = ANY($3) AND document->'metadata' <> '{}')`,
      [workspaceId, collectionId, names],
    );
    return rowCount ?? 0;
  }
}
