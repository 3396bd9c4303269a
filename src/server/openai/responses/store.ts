import { isAllowed, type Caller } from '../../../kernel/caller.js';
import type { Json } from '../../../kernel/stored-json.js';
import { storable } from '../../../kernel/text.js';
import { DELETED_TEXT, type ErasedAnswers } from '../../../answer/ask/index.js';
import { asColumn, Prisma, type Database, type Transaction } from '../../../platform/database/index.js';
import { keptRequest, type KeptRequest } from './request.js';

interface KeptResponse {
  /** Row id of its answer, which is its own. */
  answerId: string;
  request: KeptRequest;
}

/** The table `response`: what recorded answers are shown as. A row goes with its answer. */
export class ResponseStore {
  constructor(private readonly database: Database) {}

  /**
   * Keeps a request beside its answer; one that is kept already stays.
   * @param sourceIds row ids of the answers that it goes on from, the one before first: who may not see what those read must not see this one either
   */
  async keep(
    answerId: string,
    request: KeptRequest,
    sourceIds: readonly string[],
    previous: string | null,
  ): Promise<void> {
    const { prisma } = this.database;
    const row = {
      answerId,
      previousId: previous,
      request: asColumn(storableJson(keptRequest.encode(request))) as Prisma.InputJsonValue,
    };
    await prisma.$transaction([
      prisma.response.createMany({ data: [row], skipDuplicates: true }),
      prisma.$executeRaw`
        UPDATE answer SET read_from = ARRAY(
          SELECT DISTINCT source FROM answer other, unnest(other.read_from) source WHERE other.id = ANY(${[answerId, ...sourceIds]}::uuid[]))
         WHERE id = ${answerId}::uuid AND ${sourceIds.length > 0}`,
    ]);
  }

  /** What is erased with a document is erased in what went on from its answers, too: their text, and the answers that a request repeats. */
  async erase(tx: Transaction, { ids, kept }: ErasedAnswers): Promise<void> {
    if (!kept) return;
    await tx.$executeRaw`
      WITH RECURSIVE follower AS (
        SELECT unnest(${ids}::uuid[]) AS id
        UNION SELECT answer_id FROM response JOIN follower ON previous_id = follower.id),
      emptied AS (
        UPDATE response SET request = jsonb_set(request, '{input}', (
          SELECT COALESCE(jsonb_agg(CASE WHEN item->>'role' = 'assistant' THEN item || '{"text": ""}' ELSE item END ORDER BY place), '[]')
            FROM jsonb_array_elements(request->'input') WITH ORDINALITY items (item, place)))
         WHERE answer_id IN (SELECT id FROM follower))
      UPDATE answer SET text = ${DELETED_TEXT} WHERE id IN (SELECT id FROM follower) AND text <> ''`;
  }

  /**
   * Responses, each before those that it follows: the caller's own; all that there are for who may read the answers of others.
   * @param ids row ids @param length of each chain at most
   */
  async chains({ workspaceId, role, key }: Caller, ids: readonly string[], length: number): Promise<KeptResponse[]> {
    const ownership = Prisma.sql`asked_by IS NOT DISTINCT FROM ${key?.lineId ?? null}::uuid`;
    const rows = await this.database.prisma.$queryRaw<{ answerId: string; request: unknown }[]>`
      WITH RECURSIVE chain AS (
        SELECT answer_id, previous_id, request, 1 AS place FROM response WHERE answer_id = ANY(${ids}::uuid[])
        UNION ALL
        SELECT r.answer_id, r.previous_id, r.request, place + 1 FROM response r JOIN chain ON r.answer_id = chain.previous_id
         WHERE place < ${length})
      SELECT answer_id AS "answerId", request FROM chain JOIN answer ON answer.id = answer_id
       WHERE workspace_id = ${workspaceId}::uuid AND ${isAllowed(role, 'EDIT') ? Prisma.sql`TRUE` : ownership} ORDER BY place`;
    return rows.map(({ answerId, request }) => ({ answerId, request: keptRequest.decode(request) }));
  }
}

/** A JSON column refuses these characters in keys and values alike. */
function storableJson(value: Json | undefined): Json {
  if (typeof value === 'string') return storable(value);
  if (Array.isArray(value)) return value.map(storableJson);
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [storable(name), storableJson(part)]));
}
