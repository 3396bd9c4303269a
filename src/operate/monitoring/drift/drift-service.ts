import { groupBy } from '../../../kernel/group-by.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { inWorkspace, type Database, type Transaction } from '../../../platform/database/index.js';
import type { AlertService } from '../alerts/alert-service.js';
import type { AnswerFacts } from '../series/facts.js';
import type { DriftStore, UnplacedAnswer } from './drift-store.js';
import {
  categoryOf,
  learnLabel,
  LEARNED_FROM,
  sentenceOfLabels,
  sentenceOfQuestions,
  sourceOfStream,
  type On,
  type OnLabels,
  type StreamRecord,
  type StreamState,
} from './stream.js';
import type { TrainingInput } from './training-inputs.js';
import { BEGINNING, detectorOf, FEWEST_KNOWN, nearest, stepUnlike } from './unlike.js';
import { againstLastPeriod, QUIET, step } from './watching.js';

export interface DriftParts {
  database: Database;
  drift: DriftStore;
  alerts: AlertService;
  /** Vectors of unit length, behind whatever a person waits for. */
  embed(workspaceId: string, texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]>;
  embedderDigest(): string;
  /** Rows that an adapter version was trained on, in random order; fewer than `most` where there are no more. */
  trainingInputs(workspaceId: string, adapterVersionId: string, most: number): Promise<TrainingInput[]>;
}

/** Questions of one pass. */
const BATCH = 32;
/** Questions that wait at most: what comes beyond is not looked at, and the test goes by what is. */
const MOST_WAITING = 500;
/** How long an alert of drift must have recovered before it is resolved, in minutes. */
const QUIET_MINUTES = 15;
/** Training rows that questions are held against. */
const TRAINING_ROWS = 1_500;

/**
 * Watches questions and labels for change. Of a conversation or unit one answer an hour counts: people ask twice about one thing, and
 * two questions of one subject in a row look like a subject that has become frequent. Labels are looked at as answers are rolled up. Questions wait to be embedded: `ask` embeds most of
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
    const complete = answers.filter(({ status, repeats }) => status === 'COMPLETE' && !repeats);
    const room = Math.max(0, MOST_WAITING - (await drift.waiting(tx)));
    const stride = Math.max(1, complete.length / Math.max(1, room));
    const sample = Array.from({ length: Math.min(room, complete.length) }, (_, i) => complete[Math.floor(i * stride)]!);
    await drift.add(
      tx,
      sample.map(({ key: { adapter }, ...facts }) => ({ ...facts, adapter })),
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
    const questions = waiting.filter(
      (answer): answer is UnplacedAnswer & { question: string } => answer.question !== null,
    );
    for (const group of groupBy(questions, ({ workspaceId }) => workspaceId).values()) {
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
        const takenIds = await drift.take(
          tx,
          waiting.map(({ id }) => id),
        );
        const placed = waiting.filter(({ id }) => takenIds.has(id) && vectors.has(id));
        for (const group of groupBy(placed, ({ workspaceId }) => workspaceId).values()) {
          await this.#watchQuestions(
            tx,
            { workspaceId: group[0]!.workspaceId, name: '', adapterVersionId: null },
            group,
            vectors,
          );
          const adapted = group.filter(({ adapterVersionId }) => adapterVersionId !== null);
          for (const adapterGroup of groupBy(adapted, ({ adapter }) => adapter).values()) {
            const { workspaceId, adapter: name, adapterVersionId } = adapterGroup[0]!;
            await this.#watchQuestions(tx, { workspaceId, name, adapterVersionId }, adapterGroup, vectors);
          }
        }
      });
    for (const workspaceId of new Set(waiting.map((answer) => answer.workspaceId)))
      await inWorkspace(workspaceId as WorkspaceId, () => this.#learn(workspaceId, signal));
    return waiting.length;
  }

  async #watchQuestions(
    tx: Transaction,
    subject: Pick<StreamRecord, 'workspaceId' | 'name' | 'adapterVersionId'>,
    questions: readonly UnplacedAnswer[],
    vectors: ReadonlyMap<bigint, Float32Array>,
  ): Promise<void> {
    const record = await this.parts.drift.stream(
      tx,
      { ...subject, kind: 'QUESTIONS' },
      { phase: 'LEARNING', answers: [] },
    );
    if (record.state.phase === 'OFF') return;
    // Vectors are of one embedder; under another they are learned once more.
    const outdated = record.state.phase === 'ON' && record.embedderDigest !== this.parts.embedderDigest();
    if (outdated) await this.parts.drift.saveVectors(tx, record.id, [], this.parts.embedderDigest());
    let state: StreamState = outdated ? { phase: 'LEARNING', answers: [] } : record.state;
    const knownVectors = state.phase === 'ON' ? await this.parts.drift.vectors(tx, record.id) : null;
    for (const { answerId, id } of questions) {
      if (state.phase === 'LEARNING' && record.adapterVersionId === null && state.answers.length < LEARNED_FROM)
        state = { ...state, answers: [...state.answers, answerId] };
      else if (state.phase === 'ON')
        state = await this.#stepQuestions(tx, record, state, nearest(knownVectors!, vectors.get(id)!));
    }
    if (state !== record.state) await this.parts.drift.saveState(tx, record.id, state);
  }

  async #stepQuestions(tx: Transaction, record: StreamRecord, state: On, similarity: number): Promise<StreamState> {
    const { next, isAlarm } = stepUnlike(state.detector, state.course, similarity);
    if (next.seen === QUIET) await this.parts.alerts.recover(tx, record.workspaceId, sourceOfStream(record));
    if (!isAlarm) return { ...state, course: next };
    const sentence = sentenceOfQuestions(record.name, next);
    await this.#raise(tx, record, { sentence, evidence: next.sum, observations: next.since });
    // Training rows stay what they are; of questions the new ones are learned.
    return record.adapterVersionId === null ? { phase: 'LEARNING', answers: [] } : { ...state, course: BEGINNING };
  }

  async #watchLabels(tx: Transaction, answers: readonly AnswerFacts[]): Promise<void> {
    const { workspaceId, key, adapterVersionId } = answers[0]!;
    const subject = { workspaceId, kind: 'LABELS', name: key.adapter, adapterVersionId } as const;
    const record = await this.parts.drift.stream(tx, subject, { phase: 'LEARNING_LABELS', counts: {} });
    let { state } = record;
    for (const { label, answerId } of answers) {
      if (state.phase === 'LEARNING_LABELS') {
        const { counts, learned } = learnLabel(state.counts, label!);
        state = learned
          ? { phase: 'ON_LABELS', labels: learned.labels, watching: againstLastPeriod(learned.expected) }
          : { phase: 'LEARNING_LABELS', counts };
      } else if (state.phase === 'ON_LABELS')
        state = await this.#stepLabels(tx, record, state, { label: label!, answerId });
    }
    if (state !== record.state) await this.parts.drift.saveState(tx, record.id, state);
  }

  async #stepLabels(
    tx: Transaction,
    record: StreamRecord,
    state: OnLabels,
    { label, answerId }: { label: string; answerId: string },
  ): Promise<StreamState> {
    const { next, shift, quiet } = step(state.watching, [categoryOf(state.labels, label)], chanceOf(answerId));
    if (quiet) await this.parts.alerts.recover(tx, record.workspaceId, sourceOfStream(record));
    if (shift === null) return { ...state, watching: next };
    await this.#raise(tx, record, { sentence: sentenceOfLabels(record.name, state, shift), ...shift });
    // What is new is not in the labels that were learned from the old.
    return { phase: 'LEARNING_LABELS', counts: {} };
  }

  async #raise(
    tx: Transaction,
    record: StreamRecord,
    { sentence, evidence, observations }: { sentence: string; evidence: number; observations: number },
  ): Promise<void> {
    const { workspaceId, kind } = record;
    const source = sourceOfStream(record);
    const quietMinutes = QUIET_MINUTES;
    await this.parts.alerts.raise(tx, {
      workspaceId,
      kind,
      source,
      ruleId: null,
      quietMinutes,
      sentence,
      evidence,
      observations,
    });
  }

  /**
   * Forgets questions that are erased: they are no longer among the known ones, which are learned anew where too few are left. Call it in
   * the transaction that erases them.
   */
  async forget(tx: Transaction, workspaceId: string, answerIds: readonly string[]): Promise<void> {
    const { drift } = this.parts;
    const erased = new Set(answerIds);
    await drift.lock(tx);
    for (const { id, state, dimensions, embedderDigest } of await drift.streamsOfQuestions(tx, workspaceId)) {
      if (state.phase !== 'ON' || !state.known.some((answer) => erased.has(answer))) continue;
      const rows = state.known.flatMap((answer, row) => (erased.has(answer) ? [] : [row]));
      const enough = rows.length >= LEARNED_FROM / 2;
      const vectors = enough ? await drift.vectors(tx, id) : new Float32Array();
      const next: StreamState = enough
        ? { ...state, known: rows.map((row) => state.known[row]!) }
        : { phase: 'LEARNING', answers: [] };
      const remainingVectors = enough
        ? rows.map((row) => vectors.subarray(row * dimensions!, (row + 1) * dimensions!))
        : [];
      await drift.saveState(tx, id, next);
      await drift.saveVectors(tx, id, remainingVectors, embedderDigest!);
    }
  }

  /** Makes what tells a change, of streams that can have it now. */
  async #learn(workspaceId: string, signal: AbortSignal): Promise<void> {
    const { drift, database } = this.parts;
    for (const { id, state, kind, adapterVersionId } of await drift.list(workspaceId)) {
      if (kind !== 'QUESTIONS' || state.phase !== 'LEARNING') continue;
      const digest = this.parts.embedderDigest();
      const reference =
        adapterVersionId === null
          ? await this.#fromQuestions(workspaceId, state.answers, signal)
          : await this.#fromTraining(workspaceId, adapterVersionId, signal);
      if (reference === null) continue;
      const answers = reference.state.phase === 'ON' ? reference.state.known : [];
      await database.prisma.$transaction(async (tx) => {
        await drift.lock(tx);
        // What was erased meanwhile must not come back as a known question.
        const remainingQuestions = await drift.questionsOf(workspaceId, answers, tx);
        const hasErasures = answers.some((answer) => !remainingQuestions.has(answer));
        await drift.saveState(tx, id, hasErasures ? { phase: 'LEARNING', answers: [] } : reference.state);
        await drift.saveVectors(tx, id, hasErasures ? [] : reference.vectors, digest);
      });
    }
  }

  async #fromQuestions(workspaceId: string, answers: readonly string[], signal: AbortSignal): Promise<Learned | null> {
    if (answers.length < LEARNED_FROM) return null;
    const questions = [...(await this.parts.drift.questionsOf(workspaceId, answers))];
    if (questions.length < LEARNED_FROM / 2) return { state: { phase: 'LEARNING', answers: [] }, vectors: [] };
    const rows = questions.map(([, text]) => ({ text, label: null }));
    const { vectors, ...on } = await this.#detect(workspaceId, rows, signal);
    return { state: { phase: 'ON', known: questions.map(([answer]) => answer), ...on }, vectors };
  }

  async #fromTraining(workspaceId: string, adapterVersionId: string, signal: AbortSignal): Promise<Learned> {
    const inputs = await this.parts.trainingInputs(workspaceId, adapterVersionId, TRAINING_ROWS);
    // A row that stands twice would say that nothing is farther from another than it.
    const rows = [...new Map(inputs.map((input) => [input.text, input])).values()];
    if (rows.length < FEWEST_KNOWN) return { state: { phase: 'OFF' }, vectors: [] };
    const { vectors, ...on } = await this.#detect(workspaceId, rows, signal);
    return { state: { phase: 'ON', known: [], ...on }, vectors };
  }

  async #detect(workspaceId: string, rows: readonly TrainingInput[], signal: AbortSignal) {
    const texts = rows.map(({ text }) => text);
    const vectors = await this.#embedAll(workspaceId, texts, signal);
    const labels = rows.map(({ label }) => label);
    return { vectors, detector: await detectorOf(vectors, labels), course: BEGINNING };
  }

  async #embedAll(workspaceId: string, texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]> {
    const vectors: Float32Array[] = [];
    for (let from = 0; from < texts.length; from += BATCH)
      vectors.push(...(await this.parts.embed(workspaceId, texts.slice(from, from + BATCH), signal)));
    return vectors;
  }
}

interface Learned {
  state: StreamState;
  /** Of the known questions. */
  vectors: Float32Array[];
}

/** Uniform in [0, 1), and the same for the same answer: the end of an id is random. */
const chanceOf = (answerId: string): number => Number.parseInt(answerId.slice(-8), 16) / 2 ** 32;
