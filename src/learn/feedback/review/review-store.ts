import { badInput } from '../../../kernel/errors.js';
import { digestOf } from '../../../kernel/hashing.js';
import { isUuid, newId, type WorkspaceId } from '../../../kernel/ids.js';
import { groupBy } from '../../../kernel/group-by.js';
import { decodeCursor, idCursor, toPage, type Page, type PageRequest } from '../../../kernel/pagination.js';
import { Prisma, type Database, type Transaction } from '../../../platform/database/index.js';
import type { MovedLabel } from '../curation/moved-labels.js';
import {
  LOCK_MINUTES,
  storedMoves,
  type Preference,
  type Review,
  type ReviewItem,
  type ReviewReason,
} from './review.js';

export interface NewReviewItem {
  reason: ReviewReason;
  answerId: string;
  otherId: string | null;
}

/** A question whether labels have moved, and the answer to it; null: nobody said. */
export interface MoveDecision {
  /** Null where the answer that it rests on was erased at this moment. */
  id: string | null;
  confirmed: boolean | null;
}

/** Which items a reviewer may still look at. */
interface ReviewFilter {
  reviewer: string;
  reason: ReviewReason | null;
  /** The one item that is meant; null: any. */
  itemId: string | null;
  skip: readonly string[];
}

const ITEM = Prisma.raw(
  `i.id, i.reason, i.answer_id AS "answerId", i.other_id AS "otherId", i.dataset_id AS "datasetId", i.moves, i.wanted, i.done,
  i.created_at AS "createdAt"`,
);
const REVIEW =
  Prisma.raw(`item_id AS "itemId", reviewer, locked_until AS "lockedUntil", done_at AS "doneAt", preferred_id AS "preferredId",
  tie, confirmed, coalesce(feedback_ids, '{}') AS "feedbackIds"`);

type ItemRow = Omit<ReviewItem, 'moves'> & { moves: unknown };

const toItem = ({ moves, ...row }: ItemRow): ReviewItem => ({
  ...row,
  moves: moves === null ? [] : storedMoves.decode(moves),
});

/** Places of an item that others than the reviewer hold: those who are done, and those whose lock has not run out. */
const heldByOthers = (reviewer: string) => Prisma.sql`(
  SELECT count(*) FROM review r WHERE r.item_id = i.id AND r.reviewer <> ${reviewer}
     AND (r.done_at IS NOT NULL OR r.locked_until > now()))`;

const openTo = (workspaceId: WorkspaceId, { reviewer, reason, itemId, skip }: ReviewFilter) => Prisma.sql`
  i.workspace_id = ${workspaceId}::uuid AND i.done < i.wanted
  AND (${reason}::text IS NULL OR i.reason = ${reason}) AND (${itemId}::uuid IS NULL OR i.id = ${itemId}::uuid)
  AND i.id <> ALL(${[...skip]}::uuid[])
  AND NOT EXISTS (SELECT 1 FROM review r WHERE r.item_id = i.id AND r.reviewer = ${reviewer} AND r.done_at IS NOT NULL)
  AND ${heldByOthers(reviewer)} < i.wanted`;

/** All SQL of the tables `review_item` and `review`. */
export class ReviewStore {
  constructor(private readonly database: Database) {}

  within<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.prisma.$transaction(work);
  }

  /** Puts answers into the queue; those that are in it, or were, stay as they are. @returns how many are new */
  async queue(
    tx: Transaction,
    workspaceId: WorkspaceId,
    items: readonly NewReviewItem[],
    reviewers: number,
  ): Promise<number> {
    const rows = items.map(({ reason, answerId, otherId }) => ({
      id: newId(),
      reason,
      answer_id: answerId,
      other_id: otherId,
      subject: otherId === null ? answerId : [answerId, otherId].sort().join(' '),
    }));
    // Joined, because an answer may be erased at this moment.
    return tx.$executeRaw`
      INSERT INTO review_item (id, workspace_id, subject, reason, answer_id, other_id, wanted)
      SELECT told.id, ${workspaceId}::uuid, told.subject, told.reason, told.answer_id, told.other_id, ${reviewers}::int
        FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
          AS told (id uuid, reason text, answer_id uuid, other_id uuid, subject text)
        JOIN answer a ON a.id = told.answer_id AND a.workspace_id = ${workspaceId}::uuid
       WHERE told.other_id IS NULL OR EXISTS (
         SELECT 1 FROM answer o WHERE o.id = told.other_id AND o.workspace_id = ${workspaceId}::uuid)
      ON CONFLICT (workspace_id, subject) DO NOTHING`;
  }

  /** Names the draw as the reason of what waits for another one, so that who reviews the draw finds all of it. */
  async markSampled(tx: Transaction, workspaceId: WorkspaceId, answerIds: readonly string[]): Promise<void> {
    await tx.$executeRaw`
      UPDATE review_item SET reason = 'SAMPLED'
       WHERE workspace_id = ${workspaceId}::uuid AND subject = ANY(${[...answerIds]}::text[]) AND done = 0`;
  }

  /**
   * Asks a person whether labels of a dataset have moved, unless it is asked already.
   * @param answerId an answer whose lessons say so
   * @returns the item, and what was said of it; null: nothing yet
   */
  async askOfMoves(
    tx: Transaction,
    workspaceId: WorkspaceId,
    { datasetId, answerId, moves }: { datasetId: string; answerId: string; moves: readonly MovedLabel[] },
  ): Promise<MoveDecision> {
    const subject = `${datasetId} ${digestOf(moves.map(({ from, to }) => [from, to]))}`;
    await tx.$executeRaw`
      INSERT INTO review_item (id, workspace_id, subject, reason, answer_id, dataset_id, moves, wanted)
      SELECT ${newId()}::uuid, ${workspaceId}::uuid, ${subject}, 'LABEL_MOVED', id, ${datasetId}::uuid,
             ${JSON.stringify(storedMoves.encode([...moves]))}::jsonb, 1
        FROM answer WHERE id = ${answerId}::uuid AND workspace_id = ${workspaceId}::uuid
      ON CONFLICT (workspace_id, subject) DO NOTHING`;
    const [item] = await tx.$queryRaw<MoveDecision[]>`
      SELECT i.id, (SELECT r.confirmed FROM review r WHERE r.item_id = i.id AND r.done_at IS NOT NULL LIMIT 1) AS confirmed
        FROM review_item i WHERE i.workspace_id = ${workspaceId}::uuid AND i.subject = ${subject}`;
    return item ?? { id: null, confirmed: null };
  }

  /** What was said of moves; those that are gone are missing. */
  movesDecided(workspaceId: WorkspaceId, ids: readonly string[]): Promise<MoveDecision[]> {
    return this.database.prisma.$queryRaw`
      SELECT i.id, (SELECT r.confirmed FROM review r WHERE r.item_id = i.id AND r.done_at IS NOT NULL LIMIT 1) AS confirmed
        FROM review_item i WHERE i.workspace_id = ${workspaceId}::uuid AND i.id = ANY(${[...ids]}::uuid[])`;
  }

  /** Takes moves that were made out of the queue: what is said of these labels from now on is a new question. */
  async removeMoves(tx: Transaction, ids: readonly string[]): Promise<void> {
    await tx.$executeRaw`DELETE FROM review_item WHERE id = ANY(${[...ids]}::uuid[]) AND moves IS NOT NULL`;
  }

  /** Which of this feedback a person gave in a review. */
  async reviewedAmong(workspaceId: WorkspaceId, feedbackIds: readonly string[]): Promise<Set<string>> {
    const rows = await this.database.prisma.$queryRaw<{ id: string }[]>`
      SELECT DISTINCT told.id FROM review r, unnest(r.feedback_ids) AS told (id)
       WHERE r.workspace_id = ${workspaceId}::uuid AND r.done_at IS NOT NULL AND told.id = ANY(${[...feedbackIds]}::uuid[])`;
    return new Set(rows.map(({ id }) => id));
  }

  /** Locks the item that has waited longest, the reviewer's own first; null where there is none for them. */
  async claim(workspaceId: WorkspaceId, wish: ReviewFilter): Promise<ReviewItem | null> {
    return this.within(async (tx) => {
      const skip = [...wish.skip];
      // What others are claiming at this moment is passed over while there is anything else, and waited for where there is not.
      for (let locked = Prisma.raw('SKIP LOCKED'); ;) {
        const [item] = await tx.$queryRaw<ItemRow[]>`
          SELECT ${ITEM} FROM review_item i WHERE ${openTo(workspaceId, { ...wish, skip })}
           ORDER BY EXISTS (SELECT 1 FROM review r WHERE r.item_id = i.id AND r.reviewer = ${wish.reviewer} AND r.locked_until > now()) DESC, i.id
           LIMIT 1 FOR UPDATE OF i ${locked}`;
        if (!item && locked !== Prisma.empty) {
          locked = Prisma.empty;
          continue;
        }
        if (!item) return null;
        // Looked at once more under the lock: another may have taken the last place since this statement began.
        if (await this.hasPlace(tx, item.id, wish.reviewer)) {
          await tx.$executeRaw`
            INSERT INTO review (item_id, workspace_id, reviewer, locked_until)
            VALUES (${item.id}::uuid, ${workspaceId}::uuid, ${wish.reviewer}, now() + make_interval(mins => ${LOCK_MINUTES}))
            ON CONFLICT (item_id, reviewer) DO UPDATE SET locked_until = EXCLUDED.locked_until`;
          return toItem(item);
        }
        skip.push(item.id);
      }
    });
  }

  /** The item, kept from others until the transaction ends; null where the workspace has none. */
  async hold(tx: Transaction, workspaceId: WorkspaceId, id: string): Promise<ReviewItem | null> {
    const [item] = await tx.$queryRaw<ItemRow[]>`
      SELECT ${ITEM} FROM review_item i WHERE i.workspace_id = ${workspaceId}::uuid AND i.id = ${id}::uuid FOR UPDATE`;
    return item ? toItem(item) : null;
  }

  async hasPlace(tx: Transaction, itemId: string, reviewer: string): Promise<boolean> {
    const [row] = await tx.$queryRaw<{ free: boolean }[]>`
      SELECT ${heldByOthers(reviewer)} < i.wanted AS free FROM review_item i WHERE i.id = ${itemId}::uuid`;
    return row?.free ?? false;
  }

  async reviewOf(tx: Transaction, itemId: string, reviewer: string): Promise<Review | null> {
    const [row] = await tx.$queryRaw<Review[]>`
      SELECT ${REVIEW} FROM review WHERE item_id = ${itemId}::uuid AND reviewer = ${reviewer}`;
    return row ?? null;
  }

  async finish(
    tx: Transaction,
    workspaceId: WorkspaceId,
    { itemId, reviewer, preferredId, tie, confirmed, feedbackIds }: Omit<Review, 'lockedUntil' | 'doneAt'>,
  ): Promise<void> {
    await tx.$executeRaw`
      INSERT INTO review (item_id, workspace_id, reviewer, done_at, preferred_id, tie, confirmed, feedback_ids)
      VALUES (${itemId}::uuid, ${workspaceId}::uuid, ${reviewer}, now(), ${preferredId}::uuid, ${tie}, ${confirmed}::boolean,
              ${feedbackIds}::uuid[])
      ON CONFLICT (item_id, reviewer) DO UPDATE SET locked_until = NULL, done_at = EXCLUDED.done_at, preferred_id = EXCLUDED.preferred_id,
        tie = EXCLUDED.tie, confirmed = EXCLUDED.confirmed, feedback_ids = EXCLUDED.feedback_ids`;
    await tx.$executeRaw`UPDATE review_item SET done = done + 1 WHERE id = ${itemId}::uuid`;
  }

  /** Lets go of a lock. @returns whether there was one */
  async release(workspaceId: WorkspaceId, itemId: string, reviewer: string): Promise<boolean> {
    const deletedCount = await this.database.prisma.$executeRaw`
      DELETE FROM review WHERE workspace_id = ${workspaceId}::uuid AND item_id = ${itemId}::uuid AND reviewer = ${reviewer}
         AND done_at IS NULL`;
    return deletedCount === 1;
  }

  async byIds(workspaceId: WorkspaceId, ids: readonly string[]): Promise<Map<string, ReviewItem>> {
    const rows = await this.database.prisma.$queryRaw<ItemRow[]>`
      SELECT ${ITEM} FROM review_item i WHERE i.workspace_id = ${workspaceId}::uuid AND i.id = ANY(${[...ids]}::uuid[])`;
    return new Map(rows.map((row) => [row.id, toItem(row)]));
  }

  /** What a reviewer may still look at, longest waiting first; the cursor is `encodeCursor([item.id])`. */
  async open(
    workspaceId: WorkspaceId,
    wish: Omit<ReviewFilter, 'itemId' | 'skip'>,
    page: PageRequest,
  ): Promise<Page<ReviewItem>> {
    const cursor = page.after === null ? null : idCursor(page.after);
    const rows = await this.database.prisma.$queryRaw<ItemRow[]>`
      SELECT ${ITEM} FROM review_item i
       WHERE ${openTo(workspaceId, { ...wish, itemId: null, skip: [] })} AND (${cursor}::uuid IS NULL OR i.id > ${cursor}::uuid)
       ORDER BY i.id LIMIT ${page.first + 1}`;
    return toPage(rows.map(toItem), page.first);
  }

  /** How many items a reviewer may still look at. */
  async left(workspaceId: WorkspaceId, wish: Omit<ReviewFilter, 'itemId' | 'skip'>): Promise<number> {
    const [row] = await this.database.prisma.$queryRaw<{ left: number }[]>`
      SELECT count(*)::int AS left FROM review_item i WHERE ${openTo(workspaceId, { ...wish, itemId: null, skip: [] })}`;
    return row!.left;
  }

  /** Reviews of each item, in the order in which they were made; locks that ran out are none. One statement for all. */
  async reviewsOf(itemIds: readonly string[]): Promise<Map<string, Review[]>> {
    const rows = await this.database.prisma.$queryRaw<Review[]>`
      SELECT ${REVIEW} FROM review
       WHERE item_id = ANY(${[...itemIds]}::uuid[]) AND (done_at IS NOT NULL OR locked_until > now()) ORDER BY done_at NULLS LAST, reviewer`;
    const byItem = groupBy(rows, ({ itemId }) => itemId);
    return new Map(itemIds.map((id) => [id, byItem.get(id) ?? []]));
  }

  /** Preferences, newest pair first; the cursor is `encodeCursor([itemId, reviewer])`. */
  async preferences(workspaceId: WorkspaceId, page: PageRequest): Promise<Page<Preference>> {
    const [item, reviewer] = page.after === null ? [null, null] : decodeCursor(page.after, 2).map(String);
    if (item !== null && !(isUuid(item) && !reviewer!.includes('\0')))
      throw badInput('after', 'after is not a cursor that this list returned.');
    const rows = await this.database.prisma.$queryRaw<Preference[]>`
      SELECT r.item_id AS "itemId", r.reviewer, i.answer_id AS "firstId", i.other_id AS "secondId", r.preferred_id AS "preferredId",
             r.done_at AS at
        FROM review r JOIN review_item i ON i.id = r.item_id
       WHERE r.workspace_id = ${workspaceId}::uuid AND r.done_at IS NOT NULL AND i.other_id IS NOT NULL
         AND (${item}::uuid IS NULL OR (r.item_id, r.reviewer) < (${item}::uuid, ${reviewer}))
       ORDER BY r.item_id DESC, r.reviewer DESC LIMIT ${page.first + 1}`;
    return toPage(rows, page.first);
  }

  /** Takes answers whose text is gone out of the queue, with what was said of them there. */
  async removeOn(tx: Transaction, answerIds: readonly string[]): Promise<void> {
    const ids = [...answerIds];
    await tx.$executeRaw`DELETE FROM review_item WHERE answer_id = ANY(${ids}::uuid[]) OR other_id = ANY(${ids}::uuid[])`;
  }

  /** Deletes the reviews of a person. @returns how many */
  removeOf(tx: Transaction, workspaceId: WorkspaceId, reviewer: string): Promise<number> {
    return tx.$executeRaw`DELETE FROM review WHERE workspace_id = ${workspaceId}::uuid AND reviewer = ${reviewer}`;
  }
}
