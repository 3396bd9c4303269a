import type { Holder } from '../../platform/erasure/index.js';
import { GraftError } from '../../kernel/errors.js';
import { groupBy } from '../../kernel/group-by.js';
import { idCursor, decodeCursor, toPage, type Page, type PageRequest } from '../../kernel/pagination.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { asColumn, type Database, type Prisma, type Transaction } from '../../platform/database/index.js';
import type { HeldOut } from '../../learn/feedback/index.js';
import { storedFigures, type Answered, type EvaluationFigures } from './figures.js';

export type EvaluationRecord = Prisma.EvaluationGetPayload<object>;
export type EvaluationRowRecord = Prisma.EvaluationRowGetPayload<object>;
type NewEvaluation = Omit<Prisma.EvaluationUncheckedCreateInput, 'answers' | 'figures' | 'rows' | 'createdAt'>;

/** Whether two act as strongly. None is the base model's, or was not kept, and counts as full strength. */
export const sameScale = (a: number | null | undefined, b: number | null | undefined): boolean => (a ?? 1) === (b ?? 1);

const cellsOf = ({ confusions, confusionsRest }: EvaluationFigures): HeldOut[] => [
  ...confusions,
  ...confusionsRest.flatMap(({ predicted, count, right }) =>
    [
      { gold: predicted, predicted, count: right },
      { gold: null, predicted, count: count - right },
    ].filter((cell) => cell.count > 0),
  ),
];

/** All queries of `evaluation` and `evaluation_row`. */
export class EvaluationStore {
  constructor(private readonly database: Database) {}

  /** Adds an evaluation unless an earlier attempt of its run did. */
  async begin(evaluation: NewEvaluation, tx: Transaction): Promise<void> {
    await tx.evaluation.upsert({ where: { id: evaluation.id }, create: evaluation, update: {} });
  }

  /**
   * Keeps an evaluation from being deleted until the transaction ends, and its rows from being erased.
   * @throws NOT_FOUND when it was deleted, with its adapter version; DATASET_UNUSABLE when they were: what is written of them now would stay
   */
  async hold(id: string, tx: Transaction): Promise<void> {
    const lockedRows = await tx.$queryRaw<unknown[]>`SELECT 1 FROM evaluation WHERE id = ${id}::uuid FOR SHARE`;
    if (lockedRows.length === 0)
      throw new GraftError('NOT_FOUND', 'The adapter version was deleted while it was being evaluated.');
    const usable = await tx.$queryRaw<unknown[]>`
      SELECT 1 FROM dataset_version JOIN evaluation ON dataset_version_id = dataset_version.id
       WHERE evaluation.id = ${id}::uuid AND withdrawn_at IS NULL FOR SHARE OF dataset_version`;
    if (usable.length === 0)
      throw new GraftError('DATASET_UNUSABLE', 'The rows were erased while they were being answered.');
  }

  async addRows(rows: readonly EvaluationRowRecord[], tx: Transaction): Promise<void> {
    await tx.evaluationRow.createMany({ data: [...rows] });
  }

  async finish(id: string, rows: number, figures: EvaluationFigures, tx: Transaction): Promise<void> {
    await tx.evaluation.update({ where: { id }, data: { rows, figures: asColumn(storedFigures.encode(figures)) } });
  }

  /** What was answered so far, in the order of the rows. */
  async answers(id: string): Promise<{ answers: Answered[]; against: Answered[] }> {
    const rows = await this.database.prisma.evaluationRow.findMany({
      where: { evaluationId: id },
      orderBy: { position: 'asc' },
    });
    return {
      answers: rows.map(({ answer, probability }) => ({ text: answer, probability })),
      against: rows.map((row) => ({ text: row.againstAnswer ?? '', probability: row.againstProbability })),
    };
  }

  async byIds(workspaceId: WorkspaceId, ids: readonly string[]): Promise<EvaluationRecord[]> {
    return this.database.prisma.evaluation.findMany({ where: { workspaceId, id: { in: [...ids] } } });
  }

  /** Deletes what these adapter versions answered; evaluations of others that were compared with them stay. @returns how many */
  async forget(adapterVersionIds: readonly string[]): Promise<number> {
    const where = { adapterVersionId: { in: [...adapterVersionIds] } };
    return (await this.database.prisma.evaluation.deleteMany({ where })).count;
  }

  /** Finished ones, newest first; the cursor is `encodeCursor([evaluation.id])`. */
  async list(
    workspaceId: WorkspaceId,
    where: { adapterVersionId?: string; datasetVersionId?: string },
    page: PageRequest,
  ): Promise<Page<EvaluationRecord>> {
    const cursorFilter = page.after === null ? {} : { id: { lt: idCursor(page.after) } };
    const rows = await this.database.prisma.evaluation.findMany({
      where: { workspaceId, figures: { not: { equals: null } }, ...where, ...cursorFilter },
      orderBy: { id: 'desc' },
      take: page.first + 1,
    });
    return toPage(rows, page.first);
  }

  /** The newest finished evaluation of a version on test rows, against another; null when there is none. */
  async newestAgainst(
    workspaceId: WorkspaceId,
    adapterVersionId: string,
    againstVersionId: string | null,
  ): Promise<EvaluationRecord | null> {
    const rows = await this.database.prisma.evaluation.findMany({
      where: { workspaceId, adapterVersionId, againstVersionId, compared: true, split: 'TEST' },
      orderBy: { id: 'desc' },
    });
    return rows.find(({ figures }) => figures !== null) ?? null;
  }

  /**
   * The confusion matrix of each adapter version at its present scale on validation rows, and of that on test rows, of the dataset version named
   * beside it: of those evaluations the one that asked the most rows, then the newest. Rows whose cell wasn't kept have no label `gold`, but for those that are
   * right, so that each label is right as often as it was. One statement for all.
   */
  async heldOut(
    workspaceId: WorkspaceId,
    pairs: readonly { adapterVersionId: string; datasetVersionId: string }[],
  ): Promise<Map<string, HeldOut[]>> {
    const rows = await this.database.prisma.$queryRaw<{ adapterVersionId: string; figures: unknown }[]>`
      SELECT DISTINCT ON (e.adapter_version_id, e.split) e.adapter_version_id AS "adapterVersionId", e.figures
      FROM evaluation AS e JOIN unnest(${pairs.map((pair) => pair.adapterVersionId)}::uuid[],
        ${pairs.map((pair) => pair.datasetVersionId)}::uuid[]) AS asked (adapter_version_id, dataset_version_id)
        USING (adapter_version_id, dataset_version_id)
        JOIN adapter_version AS v ON v.id = e.adapter_version_id AND v.scale = e.scale
      WHERE e.workspace_id = ${workspaceId}::uuid AND e.split IN ('VALIDATION', 'TEST') AND e.figures IS NOT NULL
      ORDER BY e.adapter_version_id, e.split, e.rows DESC, e.id DESC`;
    const byVersion = groupBy(rows, ({ adapterVersionId }) => adapterVersionId);
    return new Map(
      [...byVersion].map(([id, versionRows]) => [
        id,
        versionRows.flatMap(({ figures }) => cellsOf(storedFigures.decode(figures))),
      ]),
    );
  }

  /**
   * How many versions of the adapter, each at each of its scales and on each sample of any dataset, were held against the same on test
   * rows; at least 1.
   */
  async triesAgainst({ workspaceId, againstVersionId, split }: EvaluationRecord, adapterId: string): Promise<number> {
    const [row] = await this.database.prisma.$queryRaw<{ tries: number }[]>`
      SELECT greatest(1, count(DISTINCT (e.adapter_version_id, e.scale, e.dataset_version_id, run.input->'seed', run.input->'rows')))::int AS tries
      FROM evaluation AS e JOIN adapter_version AS v ON v.id = e.adapter_version_id AND v.adapter_id = ${adapterId}::uuid
        LEFT JOIN run ON run.id = e.id
      WHERE e.workspace_id = ${workspaceId}::uuid AND e.split = ${split}
        AND e.compared AND e.against_version_id IS NOT DISTINCT FROM ${againstVersionId}::uuid AND e.figures IS NOT NULL`;
    return row!.tries;
  }

  /**
   * Rows of an evaluation, those first that are right less often than in the comparison: what broke; then by place.
   * The cursor is `encodeCursor([difference, position])`.
   */
  async rows(id: string, page: PageRequest): Promise<Page<EvaluationRowRecord & { difference: number }>> {
    // No difference is less than -1.
    const [difference, position] = page.after === null ? [-2, -1] : decodeCursor(page.after, 2).map(Number);
    const rows = await this.database.prisma.$queryRaw<(EvaluationRowRecord & { difference: number })[]>`
      SELECT evaluation_id AS "evaluationId", position, ordinal, input, expected, answer, probability, score,
        against_answer AS "againstAnswer", against_probability AS "againstProbability",
        against_score AS "againstScore", difference
      FROM (SELECT *, score - coalesce(against_score, 1) AS difference FROM evaluation_row WHERE evaluation_id = ${id}::uuid) AS r
      WHERE (difference, position) > (${difference}::float8, ${position}::int)
      ORDER BY difference, position LIMIT ${page.first + 1}`;
    return toPage(rows, page.first);
  }
}

/** Evaluations hold people's texts as an adapter answered them: they go with the adapter. */
export const evaluationHolder = (store: EvaluationStore): Holder => ({
  name: 'evaluations',
  erase: ({ adapterVersions = [] }) => store.forget(adapterVersions),
});
