import { groupBy } from '../../kernel/group-by.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { inWorkspace, type Database, type Transaction } from '../../platform/database/index.js';
import type { AlertService } from '../alerts/alert-service.js';
import type { AnswerFacts } from '../series/facts.js';
import { countIn, FEWEST_LANDMARKS, locate, makeCells, rowMajor, type Cells } from './cells.js';
import type { DriftStore, UnplacedAnswer } from './drift-store.js';
import {
  categoryOf,
  LANDMARKS,
  learnLabel,
  LEARNED_FROM,
  sentenceOfShift,
  sourceOfStream,
  type On,
  type StreamRecord,
  type StreamState,
} from './stream.js';
import { TRAINING_ROWS } from './replay.js';
import { againstLastPeriod, againstTraining, step } from './watching.js';

export interface DriftParts {
  database: Database;
  drift: DriftStore;
  alerts: AlertService;
  /** Vectors of unit length, behind whatever a person waits for. */
  embed(workspaceId: string, texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]>;
  embedderDigest(): string;
  /** Inputs of rows that an adapter version was trained on, in random order; fewer than `most` where there are no more. */
  trainingInputs(workspaceId: string, adapterVersionId: string, most: number): Promise<string[]>;
}

/** Questions of one pass. */
const BATCH = 32;
/** Questions that wait at most: what comes beyond is not looked at, and the test goes by what is. */
const MOST_WAITING = 500;
/** How long an alert of drift must have recovered before it is resolved, in minutes. */
const QUIET_MINUTES = 15;
const SEED = 1;

/**
 * Watches questions and labels for change. Labels are looked at as answers are rolled up. Questions wait to be embedded: `ask` embeds most of
 * them, too, but doesn't keep their vectors, so they are embedded again when the worker has nothing better to do.
 */
export class DriftService {
  constructor(private readonly parts: DriftParts) {}

  get store(): DriftStore {
    return this.parts.drift;
  }

  /** A watcher of the roller. */
  async watch(tx: Transaction, answers: readonly AnswerFacts[]): Promise<void> {
    const { drift } = this.parts;
    const complete = answers.filter(({ status }) => status === 'COMPLETE');
    const room = Math.max(0, MOST_WAITING - (await drift.waiting(tx)));
    const every = Math.max(1, complete.length / Math.max(1, room));
    const taken = Array.from({ length: Math.min(room, complete.length) }, (_, i) => complete[Math.floor(i * every)]!);
    await drift.add(
      tx,
      taken.map(({ key: { adapter }, ...facts }) => ({ ...facts, adapter })),
    );
    const labelled = complete.filter(({ label, key }) => label !== null && key.adapter !== '');
    for (const facts of groupBy(labelled, ({ workspaceId, key }) => `${workspaceId} ${key.adapter}`).values())
      await this.#watchLabels(tx, facts);
  }

  /** Places questions that wait. @returns how many it was done with */
  async pass(signal: AbortSignal): Promise<number> {
    const { drift, database } = this.parts;
    const waiting = await drift.oldest(BATCH);
    const vectors = new Map<bigint, Float32Array>();
    const asked = waiting.filter((each): each is UnplacedAnswer & { question: string } => each.question !== null);
    for (const group of groupBy(asked, ({ workspaceId }) => workspaceId).values()) {
      const embedded = await this.parts.embed(
        group[0]!.workspaceId,
        group.map(({ question }) => question),
        signal,
      );
      group.forEach(({ id }, i) => vectors.set(id, embedded[i]!));
    }
    if (waiting.length > 0)
      await database.prisma.$transaction(async (tx) => {
        if (!(await drift.tryLock(tx))) return;
        const mine = await drift.take(
          tx,
          waiting.map(({ id }) => id),
        );
        const placed = waiting.filter(({ id }) => mine.has(id) && vectors.has(id));
        for (const group of groupBy(placed, ({ workspaceId }) => workspaceId).values()) {
          await this.#watchQuestions(
            tx,
            { workspaceId: group[0]!.workspaceId, name: '', adapterVersionId: null },
            group,
            vectors,
          );
          const adapted = group.filter(({ adapterVersionId }) => adapterVersionId !== null);
          for (const same of groupBy(adapted, ({ adapter }) => adapter).values()) {
            const { workspaceId, adapter: name, adapterVersionId } = same[0]!;
            await this.#watchQuestions(tx, { workspaceId, name, adapterVersionId }, same, vectors);
          }
        }
      });
    for (const workspaceId of new Set(waiting.map((each) => each.workspaceId)))
      await inWorkspace(workspaceId as WorkspaceId, () => this.#learn(workspaceId, signal));
    return waiting.length;
  }

  async #watchQuestions(
    tx: Transaction,
    of: Pick<StreamRecord, 'workspaceId' | 'name' | 'adapterVersionId'>,
    questions: readonly UnplacedAnswer[],
    vectors: ReadonlyMap<bigint, Float32Array>,
  ): Promise<void> {
    const record = await this.parts.drift.stream(tx, { ...of, kind: 'QUESTIONS' }, { phase: 'LEARNING', answers: [] });
    if (record.state.phase === 'OFF') return;
    // Cells are of one embedder; under another they are learned once more.
    const outdated = record.state.phase === 'ON' && record.embedderDigest !== this.parts.embedderDigest();
    if (outdated) await this.parts.drift.saveCells(tx, record.id, null, this.parts.embedderDigest());
    let state: StreamState = outdated ? { phase: 'LEARNING', answers: [] } : record.state;
    for (const { answerId, id } of questions) {
      if (state.phase === 'LEARNING' && record.adapterVersionId === null && state.answers.length < LEARNED_FROM)
        state = { ...state, answers: [...state.answers, answerId] };
      else if (state.phase === 'ON') {
        const within = locate({ ...record.cells!, far: state.far }, vectors.get(id)!);
        state = await this.#step(tx, record, state, within, answerId);
      }
    }
    if (state !== record.state) await this.parts.drift.saveState(tx, record.id, state);
  }

  async #watchLabels(tx: Transaction, all: readonly AnswerFacts[]): Promise<void> {
    const { workspaceId, key, adapterVersionId } = all[0]!;
    const of = { workspaceId, kind: 'LABELS', name: key.adapter, adapterVersionId } as const;
    const record = await this.parts.drift.stream(tx, of, { phase: 'LEARNING_LABELS', counts: {} });
    let { state } = record;
    for (const { label, answerId } of all) {
      if (state.phase === 'LEARNING_LABELS') {
        const { counts, learned } = learnLabel(state.counts, label!);
        state = learned
          ? {
              phase: 'ON',
              far: [],
              landmarks: [],
              labels: learned.labels,
              watching: againstLastPeriod(learned.expected),
            }
          : { phase: 'LEARNING_LABELS', counts };
      } else if (state.phase === 'ON')
        state = await this.#step(tx, record, state, [categoryOf(state.labels!, label!)], answerId);
    }
    if (state !== record.state) await this.parts.drift.saveState(tx, record.id, state);
  }

  async #step(
    tx: Transaction,
    record: StreamRecord,
    state: On,
    within: readonly number[],
    answerId: string,
  ): Promise<StreamState> {
    const { next, shift, quiet } = step(state.watching, within, chanceOf(answerId));
    const source = sourceOfStream(record);
    if (quiet) await this.parts.alerts.recover(tx, record.workspaceId, source);
    if (shift === null) return { ...state, watching: next };
    await this.parts.alerts.raise(tx, {
      workspaceId: record.workspaceId,
      kind: record.kind,
      source,
      ruleId: null,
      quietMinutes: QUIET_MINUTES,
      sentence: sentenceOfShift(record, state, shift),
      evidence: shift.evidence,
      observations: shift.observations,
    });
    // What is new is not in the cells or the labels that were learned from the old.
    if (next.phase === 'WATCHING' && next.fixed) return { ...state, watching: next };
    return record.kind === 'LABELS' ? { phase: 'LEARNING_LABELS', counts: {} } : { phase: 'LEARNING', answers: [] };
  }

  /**
   * Forgets questions that are erased: cells no longer hold them as landmarks, and are made anew where too few are left. Call it in the
   * transaction that erases them.
   */
  async forget(tx: Transaction, workspaceId: string, answerIds: readonly string[]): Promise<void> {
    const { drift } = this.parts;
    const erased = new Set(answerIds);
    await drift.lock(tx);
    for (const { id, state, cells, embedderDigest } of await drift.streamsOfQuestions(tx, workspaceId)) {
      if (state.phase !== 'ON' || !state.landmarks.some((answer) => erased.has(answer))) continue;
      const kept = state.landmarks.flatMap((answer, row) => (erased.has(answer) ? [] : [row]));
      const enough = kept.length >= LANDMARKS / 2;
      const landmarks = kept.map((row) => rowOf(cells!, row));
      const made = enough ? { ...cells!, landmarks: rowMajor(landmarks) } : null;
      const next: StreamState = enough
        ? { ...state, landmarks: kept.map((row) => state.landmarks[row]!) }
        : { phase: 'LEARNING', answers: [] };
      await drift.saveState(tx, id, next);
      await drift.saveCells(tx, id, made, embedderDigest!);
    }
  }

  /** Makes the cells of streams that can have them now. */
  async #learn(workspaceId: string, signal: AbortSignal): Promise<void> {
    const { drift, database } = this.parts;
    for (const { id, state, kind, adapterVersionId } of await drift.list(workspaceId)) {
      if (kind !== 'QUESTIONS' || state.phase !== 'LEARNING') continue;
      const digest = this.parts.embedderDigest();
      const made =
        adapterVersionId === null
          ? await this.#fromQuestions(workspaceId, state.answers, signal)
          : await this.#fromTraining(workspaceId, adapterVersionId, signal);
      if (made === null) continue;
      await database.prisma.$transaction(async (tx) => {
        await drift.lock(tx);
        // What was erased meanwhile must not come back as a landmark.
        const left = await drift.questionsOf(workspaceId, made.answers, tx);
        const gone = made.answers.some((answer) => !left.has(answer));
        await drift.saveState(tx, id, gone ? { phase: 'LEARNING', answers: [] } : made.state);
        await drift.saveCells(tx, id, gone ? null : made.cells, digest);
      });
    }
  }

  async #fromQuestions(workspaceId: string, answers: readonly string[], signal: AbortSignal): Promise<Made | null> {
    if (answers.length < LEARNED_FROM) return null;
    const questions = [...(await this.parts.drift.questionsOf(workspaceId, answers))];
    if (questions.length < LEARNED_FROM / 2)
      return { answers: [], state: { phase: 'LEARNING', answers: [] }, cells: null };
    const vectors = await this.#embedAll(
      workspaceId,
      questions.map(([, question]) => question),
      signal,
    );
    const split = landmarksOf(vectors.length);
    const { cells, expected } = makeCells(vectors.slice(0, split), vectors.slice(split), SEED);
    const known = questions.slice(0, split).map(([answer]) => answer);
    const watching = againstLastPeriod(expected);
    const state: StreamState = { phase: 'ON', far: [...cells.far], landmarks: known, labels: null, watching };
    return { answers: known, state, cells };
  }

  async #fromTraining(workspaceId: string, adapterVersionId: string, signal: AbortSignal): Promise<Made> {
    const inputs = await this.parts.trainingInputs(workspaceId, adapterVersionId, TRAINING_ROWS);
    // Cells are made from one half, and the other is the reference.
    const half = inputs.length >> 1;
    const split = landmarksOf(half);
    if (split < FEWEST_LANDMARKS) return { answers: [], state: { phase: 'OFF' }, cells: null };
    const vectors = await this.#embedAll(workspaceId, inputs, signal);
    const { cells, expected } = makeCells(vectors.slice(0, split), vectors.slice(split, half), SEED);
    const watching = againstTraining(expected, countIn(cells, vectors.slice(half)));
    return { answers: [], state: { phase: 'ON', far: [...cells.far], landmarks: [], labels: null, watching }, cells };
  }

  async #embedAll(workspaceId: string, texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]> {
    const vectors: Float32Array[] = [];
    for (let from = 0; from < texts.length; from += BATCH)
      vectors.push(...(await this.parts.embed(workspaceId, texts.slice(from, from + BATCH), signal)));
    return vectors;
  }
}

interface Made {
  /** Answers whose questions are landmarks. */
  answers: string[];
  state: StreamState;
  cells: Cells | null;
}

/** How many of the vectors that make cells are landmarks. */
const landmarksOf = (vectors: number): number => Math.floor((vectors * LANDMARKS) / LEARNED_FROM);

const rowOf = ({ landmarks, dimensions }: Pick<Cells, 'landmarks' | 'dimensions'>, row: number): Float32Array =>
  landmarks.subarray(row * dimensions, (row + 1) * dimensions);

/** Uniform in [0, 1), and the same for the same answer: the end of an id is random. */
const chanceOf = (answerId: string): number => Number.parseInt(answerId.slice(-8), 16) / 2 ** 32;
