import { badInput } from '../../kernel/errors.js';
import { isUuid, newId } from '../../kernel/ids.js';
import type { Page, PageRequest } from '../../kernel/pagination.js';
import { EVERYBODY, type Caller as AnyCaller } from '../../kernel/caller.js';
import { untraced } from '../../platform/tracing/index.js';
import type { Answer, RoutePreview } from './answer.js';
import { ask, type AskRequest } from './ask.js';
import type { AnswerEvent, AskEvent } from './events.js';
import type { AskParts } from './parts.js';
import { STRATEGIES, Strategy } from './strategies.js';
import { checkedKey, checkedQuestion, MAX_KEY_CHARACTERS, questionDigest, type AskInput } from './question.js';
import { checkedFilter, type AnswerFilter } from './record/answer-filter.js';
import { noSuchArm, type Assigner, type Drawing } from './route/assignment.js';
import { requestIdTaken, withdrawn } from './record/claim.js';
import { sharingReads } from './read/shared-reads.js';
import { SharedStream } from './record/shared-stream.js';
import { previewRoute } from './route/route-question.js';
import { Stopwatch } from './stopwatch.js';

/** What answering looks at of whoever asks. An operation's context is no caller, though it has a workspace: it would see what everybody sees. */
type Caller = Pick<AnyCaller, 'workspaceId'> & Partial<Pick<AnyCaller, 'groups' | 'key'>> & { readonly caller?: never };

/** What `askAll` puts behind a request id: a colon and a strategy. */
const LONGEST_SUFFIX = 1 + Math.max(...Object.values(Strategy).map(({ length }) => length));

/** Answers per deletion by id; a conversation may have any number. */
const MOST_DELETED = 100;

/** Questions of a list whose routes are looked up at once: people's questions come between. */
const PREVIEWED_AT_ONCE = 4;

/** Names of arms are no longer than other names. */
const MAX_ARM_CHARACTERS = 63;

/** The last event of an answer in the making. @throws CANCELLED when there is none */
async function lastOf(events: AsyncIterable<AskEvent>): Promise<AnswerEvent> {
  for await (const event of events) if (event.type === 'answer') return event;
  throw withdrawn();
}

const answered = async (events: AsyncIterable<AskEvent>): Promise<Answer> => (await lastOf(events)).answer;

/** Answers questions and finds answers again. */
export class AskService {
  /** Answers in the making that have a request id, by workspace and request id: who asks the same meanwhile joins them. */
  readonly #running = new Map<string, { digest: string; stream: SharedStream<AskEvent> }>();

  #assigner: Assigner | null = null;

  constructor(private readonly parts: AskParts) {}

  /** From now on questions of `ask` and `askStream` are drawn into what this one runs. */
  assignBy(assigner: Assigner): void {
    this.#assigner = assigner;
  }

  /**
   * The answer to a question.
   * @throws what `stream` throws; CANCELLED when `signal` aborts
   */
  async ask(caller: Caller, input: AskInput, signal: AbortSignal): Promise<Answer> {
    return answered(this.stream(caller, input, signal));
  }

  /**
   * The answer to a question, with the tokens that the model wrote where they were asked for.
   * @throws what `ask` throws
   */
  answer(caller: Caller, input: AskInput, signal: AbortSignal): Promise<AnswerEvent> {
    return lastOf(this.stream(caller, input, signal));
  }

  /**
   * The answer to a question, as it comes into being. Leaving the loop or aborting `signal` stops the work, unless someone
   * else waits for the same request id.
   * @throws BAD_USER_INPUT, QUESTION_TOO_LONG, CONFLICT and IDEMPOTENCY_CONFLICT at once; the rest of what `ask` throws on the way
   */
  stream(caller: Caller, input: AskInput, signal: AbortSignal): AsyncGenerator<AskEvent, void> {
    return this.#stream(caller, input, signal, this.parts, this.#drawing(input));
  }

  #stream(
    { workspaceId, groups = EVERYBODY, key = null }: Caller,
    input: AskInput,
    signal: AbortSignal,
    parts: AskParts,
    drawing: Drawing | null,
  ): AsyncGenerator<AskEvent, void> {
    const question = checkedQuestion(input);
    const requestId = checkedKey(input.requestId, 'input.requestId');
    const askedBy = key?.lineId ?? null;
    // Arms are compared by the answers of those who ask for text; one that quotes or labels has no JSON to give, and calls nothing.
    const textDrawing = question.form || question.tools ? null : drawing;
    const request = { workspaceId, groups, askedBy, question, requestId, drawing: textDrawing, recorded: true };
    return requestId === null ? ask(parts, request, signal) : this.shared(request, parts).read(signal);
  }

  /** @throws BAD_USER_INPUT for a unit or an arm that can’t be one */
  #drawing({ unit, forceArm, requestId }: AskInput): Drawing | null {
    const asker = {
      unit: checkedKey(unit, 'input.unit'),
      forceArm: checkedKey(forceArm, 'input.forceArm', MAX_ARM_CHARACTERS),
      requestKey: requestId ?? newId(),
    };
    if (this.#assigner) return { ...asker, assigner: this.#assigner };
    if (asker.forceArm === null) return null;
    throw noSuchArm(asker.forceArm);
  }

  /**
   * The answer as `ask` would give it, of which nothing is kept: for measuring.
   * @throws what `ask` throws
   */
  async tryOut(
    { workspaceId, groups = EVERYBODY, key = null }: Caller,
    input: AskInput,
    signal: AbortSignal,
  ): Promise<Answer> {
    const question = checkedQuestion(input);
    const askedBy = key?.lineId ?? null;
    const request = { workspaceId, groups, askedBy, question, requestId: null, drawing: null, recorded: false };
    return untraced(() => answered(ask(this.parts, request, signal)));
  }

  /**
   * Where each of these questions would go: nobody is asked for an answer, and nothing is recorded.
   * @throws BAD_USER_INPUT, QUESTION_TOO_LONG, NOT_FOUND for a collection, and what retrieval throws
   */
  async previewRoutes(
    { workspaceId, groups = EVERYBODY }: Caller,
    inputs: readonly Pick<AskInput, 'question' | 'collections'>[],
    signal: AbortSignal,
  ): Promise<RoutePreview[]> {
    const questions = inputs.map(checkedQuestion);
    const watch = new Stopwatch(this.parts.clock);
    const work = { ...sharingReads(this.parts), workspaceId, groups, askedBy: null, watch, signal };
    const previews: RoutePreview[] = [];
    while (previews.length < questions.length) {
      signal.throwIfAborted();
      const next = questions.slice(previews.length, previews.length + PREVIEWED_AT_ONCE);
      previews.push(...(await Promise.all(next.map((question) => previewRoute(work, question)))));
    }
    return previews;
  }

  /**
   * The same question through every strategy, one after the other, of which each thing is looked up once; without an adapter through those
   * that need none. Nothing is tried on it: what it compares are the strategies.
   */
  async askAll(caller: Caller, input: AskInput, signal: AbortSignal): Promise<Answer[]> {
    const answers: Answer[] = [];
    const sharing = sharingReads(this.parts);
    const common = checkedKey(input.requestId, 'input.requestId', MAX_KEY_CHARACTERS - LONGEST_SUFFIX);
    for (const strategy of Object.values(Strategy)) {
      const { adapts, reads } = STRATEGIES[strategy];
      if (adapts && !input.adapter) continue;
      const dataset = reads ? input.dataset : null;
      const requestId = common === null ? null : `${common}:${strategy}`;
      const adapter = adapts ? input.adapter : null;
      const put = { ...input, strategy, adapter, dataset, requestId };
      answers.push(await answered(this.#stream(caller, put, signal, sharing, null)));
    }
    return answers;
  }

  /** In the order of `ids`; null where the workspace has no complete answer of that id that the caller may see. */
  async answersById({ workspaceId, groups = EVERYBODY }: Caller, ids: readonly string[]): Promise<(Answer | null)[]> {
    const answers = await this.parts.answers.byIds(workspaceId, ids.filter(isUuid), groups);
    return ids.map((id) => answers.get(id) ?? null);
  }

  /**
   * Deletes recorded answers with their questions: those of a conversation, or those with these row ids, as far as the caller may see them.
   * @returns how many @throws BAD_USER_INPUT unless exactly one of both is given
   */
  async deleteAnswers(
    { workspaceId, groups = EVERYBODY }: Caller,
    { ids, conversationId }: { ids?: readonly string[] | null; conversationId?: string | null },
  ): Promise<number> {
    const conversation = checkedKey(conversationId, 'input.conversationId');
    if ((ids ?? null) === null ? conversation === null : conversation !== null)
      throw badInput('input', 'Give exactly one of ids and conversationId.');
    if (ids && ids.length > MOST_DELETED)
      throw badInput('input.ids', `At most ${MOST_DELETED} answers are deleted at once.`);
    return this.parts.answers.remove(workspaceId, { ids: ids ?? [], conversationId: conversation }, groups);
  }

  /** Newest first. @throws BAD_USER_INPUT for a conversation id or cursor that can’t be one, and for what no answer can meet */
  async answers(
    { workspaceId, groups = EVERYBODY }: Caller,
    filter: AnswerFilter,
    page: PageRequest,
  ): Promise<Page<Answer>> {
    const conversationId = checkedKey(filter.conversationId, 'filter.conversationId');
    return this.parts.answers.list(workspaceId, { ...checkedFilter(filter), conversationId }, page, groups);
  }

  private shared(request: AskRequest, parts: AskParts): SharedStream<AskEvent> {
    const key = `${request.workspaceId} ${request.requestId}`;
    const digest = questionDigest(request.question, request.drawing?.forceArm, request.groups, request.askedBy);
    const running = this.#running.get(key);
    if (running && running.digest !== digest) throw requestIdTaken();
    if (running?.stream.joinable) return running.stream;
    const stream = new SharedStream((signal) => ask(parts, request, signal));
    const entry = { digest, stream };
    this.#running.set(key, entry);
    void stream.settled.then(() => {
      if (this.#running.get(key) === entry) this.#running.delete(key);
    });
    return stream;
  }
}
