import { newId } from '../../../kernel/ids.js';
import { asColumn, type Database, type Prisma, type Transaction } from '../../../platform/database/index.js';
import { rowMajor } from './unlike.js';
import { storedStream, type DriftKind, type StreamRecord, type StreamState } from './stream.js';

/** An answer whose question is yet to be placed. */
export interface UnplacedAnswer {
  id: bigint;
  workspaceId: string;
  answerId: string;
  adapterVersionId: string | null;
  adapter: string;
  /** null when the answer is gone. */
  question: string | null;
}

type NewUnplacedAnswer = Omit<UnplacedAnswer, 'id' | 'question'>;

const toRecord = ({ kind, state, ...row }: Omit<Prisma.DriftStreamGetPayload<object>, 'vectors'>): StreamRecord => ({
  ...row,
  kind: kind as DriftKind,
  state: storedStream.decode(state),
});

/** Vectors are megabytes: they are read where a question is held against them. */
const WITHOUT_VECTORS = { vectors: true } as const;

/** All SQL of `drift_stream` and `drift_question`. */
export class DriftStore {
  constructor(private readonly database: Database) {}

  /** One gateway at a time steps streams; who finds another at it leaves it to that. */
  async tryLock(tx: Transaction): Promise<boolean> {
    const [row] = await tx.$queryRaw<{ locked: boolean }[]>`
      SELECT pg_try_advisory_xact_lock(hashtextextended('monitoring drift', 0)) AS locked`;
    return row!.locked;
  }

  async waiting(tx: Transaction): Promise<number> {
    return tx.driftQuestion.count();
  }

  async add(tx: Transaction, questions: readonly NewUnplacedAnswer[]): Promise<void> {
    await tx.driftQuestion.createMany({
      data: questions.map(({ workspaceId, answerId, adapterVersionId, adapter }) => ({
        workspaceId,
        answerId,
        adapterVersionId,
        adapter,
      })),
    });
  }

  /** The oldest that wait, with their questions. */
  async oldest(limit: number): Promise<UnplacedAnswer[]> {
    return this.database.prisma.$queryRaw<UnplacedAnswer[]>`
      SELECT q.id, q.workspace_id AS "workspaceId", q.answer_id AS "answerId", q.adapter_version_id AS "adapterVersionId",
             q.adapter, a.question
        FROM drift_question q LEFT JOIN answer a ON a.id = q.answer_id AND a.workspace_id = q.workspace_id
       ORDER BY q.id LIMIT ${limit}`;
  }

  /** @returns the ids that nobody else had taken */
  async take(tx: Transaction, ids: readonly bigint[]): Promise<Set<bigint>> {
    const rows = await tx.$queryRaw<{ id: bigint }[]>`
      DELETE FROM drift_question WHERE id = ANY(${[...ids]}::bigint[]) RETURNING id`;
    return new Set(rows.map(({ id }) => id));
  }

  /** Questions of answers that are still there, by answer. */
  async questionsOf(
    workspaceId: string,
    answerIds: readonly string[],
    tx: Transaction = this.database.prisma,
  ): Promise<Map<string, string>> {
    const rows = await tx.$queryRaw<{ id: string; question: string }[]>`
      SELECT id, question FROM answer WHERE workspace_id = ${workspaceId}::uuid AND id = ANY(${[...answerIds]}::uuid[])`;
    return new Map(rows.map(({ id, question }) => [id, question]));
  }

  /** The stream, made by whoever asks first. */
  async stream(
    tx: Transaction,
    {
      workspaceId,
      kind,
      name,
      adapterVersionId,
    }: Pick<StreamRecord, 'workspaceId' | 'kind' | 'name' | 'adapterVersionId'>,
    first: StreamState,
  ): Promise<StreamRecord> {
    await tx.$executeRaw`
      INSERT INTO drift_stream (id, workspace_id, kind, name, adapter_version_id, state)
      VALUES (${newId()}::uuid, ${workspaceId}::uuid, ${kind}, ${name}, ${adapterVersionId}::uuid,
              ${JSON.stringify(storedStream.encode(first))}::jsonb) ON CONFLICT DO NOTHING`;
    return toRecord(
      await tx.driftStream.findUniqueOrThrow({
        where: { workspaceId_kind_name: { workspaceId, kind, name } },
        omit: WITHOUT_VECTORS,
      }),
    );
  }

  async list(workspaceId: string): Promise<StreamRecord[]> {
    const rows = await this.database.prisma.driftStream.findMany({
      where: { workspaceId },
      orderBy: [{ kind: 'asc' }, { name: 'asc' }],
      take: 200,
      omit: WITHOUT_VECTORS,
    });
    return rows.map(toRecord);
  }

  async saveState(tx: Transaction, id: string, state: StreamState): Promise<void> {
    await tx.driftStream.update({
      where: { id },
      data: { state: asColumn(storedStream.encode(state)), updatedAt: new Date() },
    });
  }

  /** Vectors of the known questions of a stream, one after the other; empty where there are none. */
  async vectors(tx: Transaction, id: string): Promise<Float32Array> {
    const row = await tx.driftStream.findUnique({ where: { id }, select: { vectors: true } });
    return row?.vectors ? new Float32Array(new Uint8Array(row.vectors).buffer) : new Float32Array();
  }

  /** @param vectors of the known questions, none where there are none any more */
  async saveVectors(
    tx: Transaction,
    id: string,
    vectors: readonly Float32Array[],
    embedderDigest: string,
  ): Promise<void> {
    const bytes = vectors.length === 0 ? null : new Uint8Array(rowMajor(vectors).buffer as ArrayBuffer);
    await tx.driftStream.update({
      where: { id },
      data: { vectors: bytes, dimensions: vectors[0]?.length ?? null, embedderDigest },
    });
  }

  /** Waits for whoever steps streams. */
  async lock(tx: Transaction): Promise<void> {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('monitoring drift', 0))`;
  }

  /** Streams whose known questions are those of answers. */
  async streamsOfQuestions(tx: Transaction, workspaceId: string): Promise<StreamRecord[]> {
    return (
      await tx.driftStream.findMany({ where: { workspaceId, kind: 'QUESTIONS', name: '' }, omit: WITHOUT_VECTORS })
    ).map(toRecord);
  }

  /** Forgets what was learned of adapter versions that are deleted. @returns how many streams went */
  async forget(adapterVersionIds: readonly string[]): Promise<number> {
    const where = { adapterVersionId: { in: [...adapterVersionIds] } };
    return (await this.database.prisma.driftStream.deleteMany({ where })).count;
  }
}
