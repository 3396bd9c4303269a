import { newId, type WorkspaceId } from '../../../src/kernel/ids.js';
import type { Database } from '../../../src/platform/database/index.js';

export interface PlantedAnswer {
  id?: string;
  status?: 'COMPLETE' | 'FAILED' | 'CANCELLED' | 'RUNNING';
  errorCode?: string;
  question?: string;
  at?: Date;
  /** How long it took, in ms. */
  ms?: number;
  strategy?: string;
  abstained?: boolean;
  adapter?: { versionId: string; name: string; version: number } | null;
  collection?: string | null;
  label?: { label: string; probability: number } | null;
  answerability?: number | null;
  score?: number;
  tokens?: number;
  conversation?: string;
}

/** Puts an answer where `ask` would have recorded it. @returns its id */
export async function plantAnswer(
  database: Database,
  workspaceId: WorkspaceId,
  planted: PlantedAnswer = {},
): Promise<string> {
  const { id = newId(), status = 'COMPLETE', at = new Date(), ms = 100, collection = null, label = null } = planted;
  const evidence = collection === null ? [] : [{ collectionName: collection, scores: { fused: planted.score ?? 0.8 } }];
  const body = {
    format: 3,
    variant: { model: 'tiny', quantization: 'Q8_0' },
    adapter: planted.adapter ?? null,
    evidence,
    citations: [],
    assignment: null,
    usage: { promptTokens: planted.tokens ?? 40, reusedTokens: 0, generatedTokens: 10 },
    cost: { computeMs: ms / 2, computedTokens: 50 },
    answerability: planted.answerability ?? null,
    output:
      label === null
        ? { kind: 'TEXT' }
        : {
            kind: 'LABEL',
            label: label.label,
            probabilities: [{ label: label.label, probability: label.probability }],
          },
  };
  const complete = status === 'COMPLETE';
  const { strategy = complete ? 'RAG' : null, adapter = null } = planted;
  const failed = strategy === null ? {} : { variant: body.variant, adapter };
  await database.pool.query(
    `INSERT INTO answer (id, workspace_id, request_id, input_digest, status, question, abstained, strategy, body, error_code,
                         adapter_version_id, created_at, finished_at, conversation_id)
     VALUES ($1::uuid, $2, $1::uuid::text, '', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      id,
      workspaceId,
      status,
      planted.question ?? 'Why?',
      planted.abstained ?? false,
      strategy,
      JSON.stringify(complete ? body : failed),
      planted.errorCode ?? null,
      adapter?.versionId ?? null,
      new Date(at.getTime() - ms),
      status === 'RUNNING' ? null : at,
      planted.conversation ?? null,
    ],
  );
  return id;
}
