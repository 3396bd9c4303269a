import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../../../kernel/clock.js';
import { badInput, GraftError, isGraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { Page, PageRequest } from '../../../kernel/pagination.js';
import type { Transaction } from '../../../platform/database/index.js';
import { checkedName, checkedText } from '../../../kernel/text.js';
import type { FeatureHistory } from '../datasets/making/join-features.js';
import {
  checkedEntity,
  checkedFields,
  checkedValues,
  inSchemaOrder,
  type FeatureRow,
  type FeatureValues,
  type FeatureViewRecord,
  type NewFeatureRow,
  type NewView,
} from './feature-view.js';
import type { FeatureStore } from './feature-store.js';

/** The end of time for a feature without event time far ahead: PostgreSQL and JavaScript both take it. */
const LATEST = new Date('9999-12-31T23:59:59.999Z').getTime();
/** Rows of one `write`: checking them holds the event loop, at 1,000 for some 10 ms. */
export const MAX_WRITE = 1_000;

/** Feature views: defining, writing, reading online, and handing histories to the offline join. */
export class FeatureService {
  constructor(
    private readonly store: FeatureStore,
    private readonly clock: Clock,
  ) {}

  /** @throws BAD_USER_INPUT, ALREADY_EXISTS */
  async defineView(workspaceId: WorkspaceId, view: NewView): Promise<FeatureViewRecord> {
    const ttlSeconds = view.ttlSeconds ?? null;
    if (ttlSeconds !== null && !(Number.isInteger(ttlSeconds) && ttlSeconds > 0))
      throw badInput('input.ttlSeconds', 'ttlSeconds must be a whole number above 0.');
    return this.store.createView({
      workspaceId,
      name: checkedName(view.name, 'input.name'),
      description: checkedText(view.description ?? '', 'input.description', 1000, { allowEmpty: true }),
      entity: checkedName(view.entity, 'input.entity'),
      fields: checkedFields(view.fields, 'input.fields'),
      ttlSeconds,
    });
  }

  /**
   * Adds rows to a view's history. Rows may arrive late (an event time before others') and in any order; a row with the
   * very same entity and times is there already and stays.
   * @returns how many were new @throws NOT_FOUND, BAD_USER_INPUT
   */
  async write(workspaceId: WorkspaceId, viewName: string, rows: readonly NewFeatureRow[]): Promise<number> {
    const view = await this.store.requireView(workspaceId, viewName, 'input.view');
    if (rows.length > MAX_WRITE) throw badInput('input.rows', `At most ${MAX_WRITE} rows are taken at once.`);
    const now = this.clock.now();
    const featureRows = rows.map((row, i) => this.#checked(view, row, now, `input.rows.${i}`));
    return this.store.add(view.id, featureRows);
  }

  /**
   * Checks rows of a file without writing them.
   * @param from.first number of the first @param from.now when rows without a creation time became known
   * @throws BAD_USER_INPUT naming the row
   */
  check(view: FeatureViewRecord, rows: readonly NewFeatureRow[], { first, now }: { first: number; now: Date }): void {
    for (const [i, row] of rows.entries())
      try {
        this.#checked(view, row, now, 'row');
      } catch (error) {
        throw isGraftError(error, 'BAD_USER_INPUT')
          ? badInput('input.file', `Row ${first + i}: ${error.message}`)
          : error;
      }
  }

  /** Writes rows that `check` has passed, in a transaction of the caller's. @returns how many were new */
  add(
    view: FeatureViewRecord,
    rows: readonly NewFeatureRow[],
    { now, tx }: { now: Date; tx: Transaction },
  ): Promise<number> {
    const featureRows = rows.map((row) => this.#checked(view, row, now, 'row'));
    return this.store.add(view.id, featureRows, tx);
  }

  #checked(view: FeatureViewRecord, row: NewFeatureRow, now: Date, path: string): FeatureRow {
    const createdTime = row.createdTime ?? now;
    if (createdTime > now) throw badInput(`${path}.createdTime`, 'createdTime lies in the future.');
    if (Number.isNaN(row.eventTime.getTime()) || row.eventTime.getTime() > LATEST)
      throw badInput(`${path}.eventTime`, 'eventTime is no time.');
    return {
      entity: checkedEntity(row.entity, `${path}.entity`),
      eventTime: row.eventTime,
      createdTime,
      values: checkedValues(view, row.values, `${path}.values`),
    };
  }

  /**
   * What views say of an entity at a moment (now by default), in the given order; null where a view has nothing that holds.
   * @param options.field what an unknown view is blamed on @throws NOT_FOUND for a view that doesn't exist
   */
  async read(
    workspaceId: WorkspaceId,
    entity: string,
    views: readonly string[],
    options: { at?: Date | null; field?: string } = {},
  ): Promise<{ view: string; values: FeatureValues | null; row: FeatureRow | null }[]> {
    const key = checkedEntity(entity, 'entity');
    const moment = options.at ?? this.clock.now();
    return Promise.all(
      views.map(async (name) => {
        const view = await this.store.requireView(workspaceId, name, options.field ?? 'views');
        const row = (await this.store.valuesAt(view, [key], moment)).get(key) ?? null;
        return { view: name, values: row && inSchemaOrder(view, row.values), row };
      }),
    );
  }

  history(view: FeatureViewRecord, entity: string, page: PageRequest): Promise<Page<FeatureRow>> {
    return this.store.history(view.id, checkedEntity(entity, 'entity'), page);
  }

  /** Writes a view's whole history as JSON lines for the offline join. @throws NOT_FOUND */
  async exportHistory(workspaceId: WorkspaceId, viewName: string, folder: string): Promise<FeatureHistory> {
    const view = await this.store.requireView(workspaceId, viewName, 'input.features');
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${view.id}.jsonl`);
    const { store } = this;
    async function* lines(): AsyncGenerator<string> {
      for await (const rows of store.all(view.id))
        yield rows
          .map(
            ({ entity, eventTime, createdTime, values }) =>
              `${JSON.stringify({ entity, event: eventTime.getTime(), created: createdTime.getTime(), data: inSchemaOrder(view, values) })}\n`,
          )
          .join('');
    }
    await pipeline(Readable.from(lines()), createWriteStream(path));
    return { view: view.name, path, ttlMs: view.ttlSeconds === null ? null : view.ttlSeconds * 1000 };
  }

  /** Removes all that views know of an entity, e.g. of a person who asked for it. */
  forget(workspaceId: WorkspaceId, entity: string): Promise<number> {
    return this.store.forget(workspaceId, entity);
  }

  /** @throws NOT_FOUND when one of the views doesn't exist */
  async requireViews(workspaceId: WorkspaceId, names: readonly string[], field: string): Promise<void> {
    for (const name of names) await this.store.requireView(workspaceId, name, field);
    if (new Set(names).size !== names.length)
      throw new GraftError('BAD_USER_INPUT', `${field} names a view twice.`, { field });
  }
}
