import type { Answer, AnswerStore } from '../../answer/ask/index.js';
import type { Data, TaskKind } from '../../sources/data/index.js';
import type { Caller as AnyCaller } from '../../kernel/caller.js';
import { badInput, notFound, GraftError } from '../../kernel/errors.js';
import { groupBy } from '../../kernel/group-by.js';
import { isUuid, type WorkspaceId } from '../../kernel/ids.js';
import type { Page, PageRequest } from '../../kernel/pagination.js';
import type { DocumentStore } from '../../sources/knowledge/index.js';
import type { Transaction } from '../../platform/database/index.js';
import { krippendorffAlpha } from './agreement.js';
import { AS_ANSWERED, fittedExpectation, NOT_AS_ANSWERED, verdictOf, type Expectation } from './expectation.js';
import {
  checkedFeedback,
  FEEDBACK_LIMITS,
  type CheckedFeedback,
  type Feedback,
  type FeedbackReport,
  type FeedbackInput,
  type GivenSource,
  type Giver,
} from './feedback.js';
import type { FeedbackFilter, FeedbackStore, FeedbackColumns } from './feedback-store.js';
import { planWrites } from './plan-writes.js';
import {
  estimateReliability,
  UNKNOWN,
  weighBallots,
  type Ballot,
  type Reliability,
  type WeightEstimate,
} from './source-weights.js';
import { voterOf, votesOf } from './votes.js';

type Caller = Pick<AnyCaller, 'workspaceId'>;

interface FeedbackParts {
  store: FeedbackStore;
  answers: Pick<AnswerStore, 'hold'>;
  documents: Pick<DocumentStore, 'chunksByIds'>;
  datasets: Pick<Data['store'], 'knownLabels'>;
}

/** Feedback, in the order in which it was sent, and how much of it was new. */
interface FeedbackReceipt {
  feedback: Feedback[];
  created: number;
}

/** A source, and what its verdicts count. */
interface WeighedSource extends GivenSource, Reliability {
  given: number;
  standing: number;
  lastAt: Date;
}

/** Answers that several voters judged, the latest, from which agreement and weights are estimated. */
const COMPARED_ANSWERS = 20_000;

/** Takes feedback, and says how far its sources can be believed. */
export class FeedbackService {
  constructor(private readonly parts: FeedbackParts) {}

  /**
   * Records feedback, all of it or none. What a source says again is found again; what it says otherwise replaces what it said, which
   * is kept.
   * @param fieldOf the path of each in the request
   * @throws BAD_USER_INPUT, NOT_FOUND for what isn't there (any more), IDEMPOTENCY_CONFLICT
   */
  async submit(
    giver: Giver,
    inputs: readonly FeedbackInput[],
    fieldOf: (place: number) => string = (place) => `input.feedback.${place}`,
  ): Promise<FeedbackReceipt> {
    if (inputs.length === 0 || inputs.length > FEEDBACK_LIMITS.batch)
      throw badInput('input.feedback', `1 to ${FEEDBACK_LIMITS.batch.toLocaleString('en')} are taken at once.`);
    const { workspaceId } = giver;
    const entries = await this.prepare(giver, inputs, fieldOf);
    const { ids, created } = await this.parts.store.within((tx) => this.write(tx, workspaceId, entries));
    const feedbackById = await this.parts.store.byIds(workspaceId, ids);
    return { feedback: ids.flatMap((id) => feedbackById.get(id) ?? []), created };
  }

  /** Checks all that can be checked before anything is locked. @throws BAD_USER_INPUT, NOT_FOUND for a passage */
  async prepare(
    giver: Giver,
    inputs: readonly FeedbackInput[],
    fieldOf: (place: number) => string,
  ): Promise<CheckedFeedback[]> {
    const { workspaceId } = giver;
    const entries = inputs.map((input, i) => checkedFeedback(input, giver, fieldOf(i)));
    await this.#requireLabels(workspaceId, entries);
    await this.#requirePassages(workspaceId, entries);
    return entries;
  }

  /** Writes what was checked, as part of something larger. @throws NOT_FOUND, BAD_USER_INPUT, IDEMPOTENCY_CONFLICT */
  async write(
    tx: Transaction,
    workspaceId: WorkspaceId,
    entries: readonly CheckedFeedback[],
  ): Promise<{ ids: string[]; created: number }> {
    const { store, answers } = this.parts;
    const answersById = await answers.hold(tx, workspaceId, named(entries, 'answerId').filter(isUuid));
    const talks = await store.holdConversations(tx, workspaceId, named(entries, 'conversationId'));
    for (const { answerId, conversationId, field } of entries) {
      if (answerId !== null && !answersById.has(answerId)) throw gone('The answer', answerId, `${field}.answer`);
      if (conversationId !== null && !talks.has(conversationId))
        throw gone('The conversation', conversationId, `${field}.conversationId`);
    }
    const { writes, superseded, ids } = planWrites(entries, await store.known(tx, workspaceId, entries));
    await store.supersede(tx, superseded);
    const judgements = writes.map((write) => {
      const answer = write.feedback.answerId === null ? null : answersById.get(write.feedback.answerId)!;
      return { ...write, ...judge(write.feedback, answer), answeredAt: answer?.createdAt ?? null };
    });
    if (judgements.length > 0) await store.insert(tx, workspaceId, judgements);
    await store.recount(
      tx,
      writes.flatMap(({ feedback }) => feedback.answerId ?? []),
    );
    return { ids, created: writes.length };
  }

  list({ workspaceId }: Caller, filter: FeedbackFilter, page: PageRequest): Promise<Page<Feedback>> {
    for (const name of ['sourceName', 'conversationId'] as const)
      if (filter[name]?.includes('\0')) throw badInput(`filter.${name}`, `${name} contains a NUL character.`);
    return this.parts.store.list(workspaceId, filter, page);
  }

  /** In the order of `ids`; null where the workspace has none of that id. */
  async byIds({ workspaceId }: Caller, ids: readonly string[]): Promise<(Feedback | null)[]> {
    const feedbackById = await this.parts.store.byIds(workspaceId, ids.filter(isUuid));
    return ids.map((id) => feedbackById.get(id) ?? null);
  }

  /** What stands on each answer, newest first; in the order of `answerIds`. */
  async ofAnswers({ workspaceId }: Caller, answerIds: readonly string[]): Promise<Feedback[][]> {
    const feedbackByAnswer = await this.parts.store.ofAnswers(workspaceId, answerIds);
    return answerIds.map((id) => feedbackByAnswer.get(id) ?? []);
  }

  async report({ workspaceId }: Caller): Promise<FeedbackReport> {
    const figures = await this.parts.store.figures(workspaceId);
    const ratings = (await this.#ballots(workspaceId)).map(({ unit, verdict }) => ({
      unit,
      value: verdict === AS_ANSWERED ? AS_ANSWERED : NOT_AS_ANSWERED,
    }));
    return {
      ...figures,
      alpha: krippendorffAlpha(ratings),
      compared: new Set(ratings.map(({ unit }) => unit)).size,
    };
  }

  /** Everybody who gave feedback, those first who gave most, and what their verdicts count. */
  async sources({ workspaceId }: Caller): Promise<WeighedSource[]> {
    const { reliability } = await this.estimate(workspaceId);
    return (await this.parts.store.sources(workspaceId)).map((source) => ({
      ...source,
      ...(reliability.get(voterOf(source)) ?? UNKNOWN),
    }));
  }

  /** How far each voter can be believed, by `voterOf`. */
  async estimate(workspaceId: WorkspaceId): Promise<WeightEstimate> {
    return estimateReliability(await this.#ballots(workspaceId));
  }

  /** The votes on answers that several voters judged. */
  async #ballots(workspaceId: WorkspaceId): Promise<Ballot[]> {
    const statements = groupBy(
      await this.parts.store.statements(workspaceId, COMPARED_ANSWERS),
      ({ answerId }) => answerId,
    );
    return [...statements].flatMap(([unit, group]) => {
      const votes = votesOf(group);
      return votes.length > 1 ? votes.map(({ voter, verdict }) => ({ unit, source: voter, verdict })) : [];
    });
  }

  /**
   * How probable it is that each answer is right, given what people and programs say of it and how far each can be believed; in the order of
   * `answerIds`, null where neither says anything of that.
   */
  async rightness(workspaceId: WorkspaceId, answerIds: readonly string[]): Promise<(number | null)[]> {
    const [{ reliability }, feedbackLists] = await Promise.all([
      this.estimate(workspaceId),
      this.ofAnswers({ workspaceId }, answerIds),
    ]);
    return feedbackLists.map((feedback) => {
      const votes = votesOf(feedback.filter(({ sourceKind }) => sourceKind !== 'MODEL'));
      const ballots = votes.map(({ voter, verdict }) => ({ source: voter, verdict }));
      return ballots.length === 0 ? null : (weighBallots(ballots, reliability).get(AS_ANSWERED) ?? 0);
    });
  }

  /** @throws BAD_USER_INPUT for a label or entity type that no dataset has, unless it is said to be new */
  async #requireLabels(workspaceId: WorkspaceId, entries: readonly CheckedFeedback[]): Promise<void> {
    const labels = entries.flatMap(({ expectation, field }) => labelsOf(expectation, field));
    for (const task of new Set(labels.map((label) => label.task))) {
      const taskLabels = labels.filter((label) => label.task === task);
      const knownLabels = await this.parts.datasets.knownLabels(workspaceId, task, [
        ...new Set(taskLabels.map(({ label }) => label)),
      ]);
      const strange = taskLabels.find(({ label }) => !knownLabels.has(label));
      if (!strange) continue;
      const [noun, hint] =
        task === 'EXTRACTION'
          ? ['type', 'Use a type of a dataset, or add rows that have it.']
          : [
              'label',
              'Use a label of a dataset, or say newLabel: true: it is kept then, and taught once a dataset has it.',
            ];
      throw badInput(strange.field, `No dataset for ${task} has the ${noun} ${JSON.stringify(strange.label)}.`, hint);
    }
  }

  async #requirePassages(workspaceId: WorkspaceId, entries: readonly CheckedFeedback[]): Promise<void> {
    const passages = entries.flatMap(({ expectation, field }) =>
      expectation?.kind === 'TEXT' && expectation.passageId !== null ? [{ id: expectation.passageId, field }] : [],
    );
    if (passages.length === 0) return;
    const chunks = await this.parts.documents.chunksByIds(workspaceId, [...new Set(passages.map(({ id }) => id))]);
    const existingIds = new Set(chunks.map(({ id }) => id));
    const missingPassage = passages.find(({ id }) => !existingIds.has(id));
    if (missingPassage) throw gone('The passage', missingPassage.id, `${missingPassage.field}.expectation.passage`);
  }
}

/** What feedback says of its answer. @throws BAD_USER_INPUT */
function judge(feedback: CheckedFeedback, answer: Answer | null): FeedbackColumns {
  const { score, field } = feedback;
  if (answer !== null && feedback.expectation !== null) {
    const expectation = fittedExpectation(feedback.expectation, answer, `${field}.expectation`);
    const verdict = verdictOf(expectation, answer);
    return { agrees: verdict === AS_ANSWERED, verdict, expectation };
  }
  if (answer === null || score === null || score === 0) return { agrees: null, verdict: null, expectation: null };
  return { agrees: score > 0, verdict: score > 0 ? AS_ANSWERED : NOT_AS_ANSWERED, expectation: null };
}

function labelsOf(expectation: Expectation | null, field: string): { task: TaskKind; label: string; field: string }[] {
  if (expectation?.kind === 'LABEL' && !expectation.isNew)
    return [{ task: 'CLASSIFICATION', label: expectation.label, field: `${field}.expectation.label` }];
  if (expectation?.kind === 'ENTITIES')
    return expectation.entities.map(({ type }) => ({
      task: 'EXTRACTION',
      label: type,
      field: `${field}.expectation.entities`,
    }));
  return [];
}

const named = (entries: readonly CheckedFeedback[], name: 'answerId' | 'conversationId'): string[] => [
  ...new Set(entries.flatMap((entry) => entry[name] ?? [])),
];

function gone(subject: string, id: string, field: string): GraftError {
  const { message } = notFound(subject, id);
  return new GraftError('NOT_FOUND', message, { field, hint: 'It was erased, or never was in this workspace.' });
}
