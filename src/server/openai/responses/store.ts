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
  /** `collection/name` of each document that its answer read. */
  readFrom: string[];
}

/** An answer whose words stand in a request, and whether they were erased by then. */
interface ShownAnswer {
  id: string;
  isErased: boolean;
}

/** Characters of requests after which a chain ends. */
const LONGEST_CHAIN = 1_000_000;

/** The table `response`: what recorded answers are shown as. A row goes with its answer. */
export class ResponseStore {
  constructor(private readonly database: Database) {}

  /**
   * Keeps a request beside its answer; one that is kept already stays.
   * @param previous row id of the answer whose response it follows
   * @param answers those whose words it was shown
   */
  async keep(
    answerId: string,
    request: KeptRequest,
    { previous, answers }: { previous: string | null; answers: readonly ShownAnswer[] },
  ): Promise<void> {
    const row = {
      answerId,
      previousId: previous,
      behind: answers.map(({ id }) => id),
      request: asColumn(storableJson(keptRequest.encode(request))) as Prisma.InputJsonValue,
    };
    const intactIds = answers.flatMap(({ id, isErased }) => (isErased ? [] : [id]));
    await this.database.prisma.$transaction(async (tx) => {
      // Who erases one of them has locked it, and either finds this row or is found here.
      const erased = await tx.$queryRaw<{ id: string }[]>`
        SELECT id FROM (SELECT id, text FROM answer WHERE id = ANY(${intactIds}::uuid[]) ORDER BY id FOR KEY SHARE) shown
         WHERE text = ${DELETED_TEXT}`;
      await tx.response.createMany({ data: [row], skipDuplicates: true });
      if (erased.length > 0)
        await tx.$executeRaw`UPDATE answer SET text = ${DELETED_TEXT} WHERE id = ${answerId}::uuid`;
    });
  }

  /** The answers of responses that were shown the words of these, or of those that were. */
  async followersOf(tx: Transaction, ids: readonly string[]): Promise<string[]> {
    const rows = await tx.$queryRaw<{ id: string }[]>`
      WITH RECURSIVE follower AS (
        SELECT unnest(${ids}::uuid[]) AS id
        UNION SELECT answer_id FROM response JOIN follower ON behind @> ARRAY[follower.id])
      SELECT id FROM follower WHERE id <> ALL(${ids}::uuid[]) ORDER BY id`;
    return rows.map(({ id }) => id);
  }

  /** What is erased of answers is erased of the answers that their requests repeat, too. */
  async erase(tx: Transaction, { ids, kept }: ErasedAnswers): Promise<void> {
    if (!kept) return;
    await tx.$executeRaw`
      UPDATE response SET request = jsonb_set(request, '{input}', (
        SELECT COALESCE(jsonb_agg(CASE WHEN item->>'role' = 'assistant' THEN item || '{"text": ""}' ELSE item END ORDER BY place), '[]')
          FROM jsonb_array_elements(request->'input') WITH ORDINALITY items (item, place)))
       WHERE answer_id = ANY(${ids}::uuid[])`;
  }

  /**
   * Responses, each before those that it follows: the caller's own; all that there are for who may read the answers of others.
   * @param ids row ids @param length of each chain at most
   */
  async chains({ workspaceId, role, key }: Caller, ids: readonly string[], length: number): Promise<KeptResponse[]> {
    const ownership = Prisma.sql`asked_by IS NOT DISTINCT FROM ${key?.lineId ?? null}::uuid`;
    const rows = await this.database.prisma.$queryRaw<{ answerId: string; request: unknown; readFrom: string[] }[]>`
      WITH RECURSIVE chain AS (
        SELECT answer_id, previous_id, request, 1 AS place, length(request::text) AS size FROM response WHERE answer_id = ANY(${ids}::uuid[])
        UNION ALL
        SELECT r.answer_id, r.previous_id, r.request, place + 1, size + length(r.request::text)
          FROM response r JOIN chain ON r.answer_id = chain.previous_id WHERE place < ${length} AND size < ${LONGEST_CHAIN})
      SELECT answer_id AS "answerId", request, read_from AS "readFrom" FROM chain JOIN answer ON answer.id = answer_id
       WHERE workspace_id = ${workspaceId}::uuid AND ${isAllowed(role, 'EDIT') ? Prisma.sql`TRUE` : ownership} ORDER BY place`;
    return rows.map(({ request, ...row }) => ({ ...row, request: keptRequest.decode(request) }));
  }
}

/** A JSON column refuses these characters in keys and values alike. */
function storableJson(value: Json | undefined): Json {
  if (typeof value === 'string') return storable(value);
  if (Array.isArray(value)) return value.map(storableJson);
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [storable(name), storableJson(part)]));
}
