import { notFound, ofSameInput } from '../../kernel/errors.js';
import type { ErrorCode } from '../../kernel/error-codes.js';
import { digestOf } from '../../kernel/hashing.js';
import { isUuid, newId, type WorkspaceId } from '../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../kernel/pagination.js';
import type { Json } from '../../kernel/stored-json.js';
import { checkedText } from '../../kernel/text.js';
import { isTaken, Prisma, type Database, type Transaction } from '../../platform/database/index.js';
import type { EventLog } from '../../platform/events/index.js';

/** What is started here, by table. */
interface Subjects {
  rollout: Prisma.RolloutGetPayload<object>;
  experiment: Prisma.ExperimentGetPayload<object>;
  shadow: Prisma.ShadowGetPayload<object>;
  proposal: Prisma.ProposalGetPayload<object>;
  improvement: Prisma.ImprovementGetPayload<object>;
}

/** What is decided of it, by table. */
interface Decisions {
  rollout: Prisma.RolloutDecisionGetPayload<object>;
  experiment: Prisma.ExperimentDecisionGetPayload<object>;
}

/** A decision, before it is a row. */
export interface NewDecision<Action extends string> {
  action: Action;
  reasons: readonly string[];
  /** Who decided, and why; null where it did by itself. */
  by?: string | null;
  reason?: string | null;
}

/** What Prisma's client does alike with each of these tables. */
interface Table<Row> {
  findFirst(query: { where: object; orderBy?: object }): Promise<Row | null>;
  findMany(query: { where: object; orderBy?: object; take?: number }): Promise<Row[]>;
  create(query: { data: object }): Promise<Row>;
}

/** Rows as the API finds them. */
export class SubjectStore<Name extends keyof Subjects> {
  constructor(
    protected readonly database: Database,
    protected readonly table: Name,
  ) {}

  protected rows(client: Transaction = this.database.prisma): Table<Subjects[Name]> {
    return client[this.table] as unknown as Table<Subjects[Name]>;
  }

  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.prisma.$transaction(work);
  }

  byIds(workspaceId: WorkspaceId, ids: readonly string[]): Promise<Subjects[Name][]> {
    return this.rows().findMany({ where: { workspaceId, id: { in: ids.filter(isUuid) } } });
  }

  /** @throws NOT_FOUND */
  async require(workspaceId: WorkspaceId, id: string, field = 'id'): Promise<Subjects[Name]> {
    const [row] = await this.byIds(workspaceId, [id]);
    if (!row) throw notFound(`The ${this.table}`, id, field);
    return row;
  }

  /** Newest first; the cursor is `encodeCursor([row.id])`. @param filter by column; what is null or missing filters nothing */
  async list(
    workspaceId: WorkspaceId,
    filter: { readonly [Column in keyof Subjects[Name]]?: string | null },
    page: PageRequest,
  ): Promise<Page<Subjects[Name]>> {
    const where = {
      ...Object.fromEntries(Object.entries(filter).filter(([, value]) => typeof value === 'string')),
      workspaceId,
      ...(page.after !== null && { id: { lt: idCursor(page.after) } }),
    };
    return toPage(await this.rows().findMany({ where, orderBy: { id: 'desc' }, take: page.first + 1 }), page.first);
  }

  /** Keeps others from deciding until the transaction ends; rows that refer to it may come meanwhile. @throws NOT_FOUND */
  async lock(workspaceId: WorkspaceId, id: string, tx: Transaction): Promise<Subjects[Name]> {
    const table = Prisma.raw(this.table);
    if (isUuid(id))
      await tx.$executeRaw`SELECT 1 FROM ${table} WHERE id = ${id}::uuid AND workspace_id = ${workspaceId}::uuid FOR NO KEY UPDATE`;
    const row = isUuid(id) ? await this.rows(tx).findFirst({ where: { id, workspaceId } }) : null;
    if (!row) throw notFound(`The ${this.table}`, id, `input.${this.table}`);
    return row;
  }
}

/** One that nobody watches any more, and why. */
interface Unwatched {
  id: string;
  workspaceId: WorkspaceId;
  why: string;
  /** What its run failed with; null where it was cancelled. */
  code: ErrorCode | null;
}

/** Of what is made once by a key, and watched by a run. */
export class WatchedStore<Name extends 'rollout' | 'experiment' | 'shadow'> extends SubjectStore<Name> {
  constructor(
    database: Database,
    table: Name,
    readonly events: EventLog,
  ) {
    super(database, table);
  }

  /** The stream of its events. */
  stream(id: string): string {
    return `${this.table}:${id}`;
  }

  /** Tells who follows it. */
  protected async announce(
    { id, workspaceId }: { id: string; workspaceId: string },
    type: string,
    payload: Json,
    tx: Transaction,
  ): Promise<void> {
    await this.events.append(workspaceId as WorkspaceId, this.stream(id), type, payload, tx);
  }

  #last: Promise<unknown> = Promise.resolve();

  /** Serialises calls in this process, so that concurrent duplicates find the row that the first one made. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /**
   * The row of an idempotency key, else the one that `create` makes with the key's columns.
   * @param input what the row is made from: another input under the same key is refused
   * @throws BAD_USER_INPUT on the key, IDEMPOTENCY_CONFLICT, and what `create` throws
   */
  createOnce(
    workspaceId: WorkspaceId,
    key: string,
    input: object,
    create: (columns: { idempotencyKey: string; inputDigest: string }) => Promise<Subjects[Name]>,
  ): Promise<Subjects[Name]> {
    const idempotencyKey = checkedText(key, 'input.idempotencyKey', 200);
    const inputDigest = digestOf(input);
    const findOrCreate = async (): Promise<Subjects[Name]> => {
      const row = await this.rows().findFirst({ where: { workspaceId, idempotencyKey } });
      return row ? ofSameInput(row, inputDigest) : create({ idempotencyKey, inputDigest });
    };
    return this.inTurn(() =>
      findOrCreate().catch((error: unknown) => {
        // Another gateway was quicker: its row is found, or stands in the way.
        if (isTaken(error)) return findOrCreate();
        throw error;
      }),
    );
  }

  liveOf(adapterId: string): Promise<Subjects[Name] | null> {
    return this.rows().findFirst({ where: { adapterId, finishedAt: null } });
  }

  /** Live ones whose runs have ended: cancelled, or failed for good. */
  async unwatched(): Promise<Unwatched[]> {
    const { rows } = await this.database.pool.query<Unwatched>({
      name: `${this.table}-unwatched`,
      text: `SELECT live.id, live.workspace_id AS "workspaceId", run.error_code AS code,
                    CASE run.status WHEN 'CANCELLED' THEN 'Its run was cancelled.'
                                    ELSE trim('Its run failed. ' || coalesce(run.error_message, '')) END AS why
               FROM ${this.table} live JOIN run ON run.id = live.run_id
              WHERE live.finished_at IS NULL AND run.finished_at IS NOT NULL`,
    });
    return rows;
  }
}

/** Of what decides, or is decided of by people, and keeps each decision. */
export class DecidedStore<Name extends keyof Decisions> extends WatchedStore<Name> {
  #decisions(client: Transaction = this.database.prisma): Table<Decisions[Name]> {
    return client[`${this.table}Decision`] as unknown as Table<Decisions[Name]>;
  }

  /** Adds a decision, and tells who follows. @param columns what it has beside what every decision has */
  protected async addDecision(
    row: Subjects[Name],
    { action, reasons, by = null, reason = null }: NewDecision<string>,
    columns: object,
    tx: Transaction,
  ): Promise<Decisions[Name]> {
    const { id: subjectId, workspaceId } = row;
    const decision = { id: newId(), workspaceId, [`${this.table}Id`]: subjectId, action, decidedBy: by, reason };
    const added = await this.#decisions(tx).create({ data: { ...decision, ...columns, reasons: [...reasons] } });
    await this.announce(row, 'decided', { id: decision.id }, tx);
    return added;
  }

  /** Oldest first; the cursor is `encodeCursor([decision.id])`. */
  async decisions(subjectId: string, page: PageRequest): Promise<Page<Decisions[Name]>> {
    const where = {
      [`${this.table}Id`]: subjectId,
      ...(page.after !== null && { id: { gt: idCursor(page.after) } }),
    };
    return toPage(
      await this.#decisions().findMany({ where, orderBy: { id: 'asc' }, take: page.first + 1 }),
      page.first,
    );
  }

  /** @throws NOT_FOUND */
  async requireDecision(workspaceId: WorkspaceId, id: string): Promise<Decisions[Name]> {
    const row = await this.#decisions().findFirst({ where: { workspaceId, id } });
    if (!row) throw notFound('The decision', id);
    return row;
  }

  lastDecision(subjectId: string): Promise<Decisions[Name] | null> {
    return this.#decisions().findFirst({ where: { [`${this.table}Id`]: subjectId }, orderBy: { id: 'desc' } });
  }
}
