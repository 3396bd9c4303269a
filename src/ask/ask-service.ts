import { badInput } from '../kernel/errors.js';
import { isUuid } from '../kernel/ids.js';
import type { Page, PageRequest } from '../kernel/pagination.js';
import type { Caller as AnyCaller } from '../kernel/caller.js';
import type { Answer } from './answer.js';
import { ask, type Asked, type AskParts } from './ask.js';
import type { AskEvent } from './events.js';
import { STRATEGIES, Strategy } from './strategies.js';
import { checkedKey, checkedQuestion, MAX_KEY_CHARACTERS, questionDigest, type AskInput } from './question.js';
import { checkedFilter, type AnswerFilter } from './record/answer-filter.js';
import { requestIdTaken, withdrawn } from './record/claim.js';
import { sharingReads } from './shared-reads.js';
import { SharedStream } from './shared-stream.js';

/** What answering looks at of whoever asks. */
type Caller = Pick<AnyCaller, 'workspaceId'>;

/** What `askAll` puts behind a request id: a colon and a strategy, of which ADAPTER has the longest name. */
const LONGEST_SUFFIX = 8;

/** Answers per deletion by id; a conversation may have any number. */
const MOST_DELETED = 100;

/** Answers questions and finds answers again. */
export class AskService {
  /** Answers in the making that have a request id, by workspace and request id: who asks the same meanwhile joins them. */
  readonly #running = new Map<string, { digest: string; stream: SharedStream<AskEvent> }>();

  constructor(private readonly parts: AskParts) {}

  /**
   * The answer to a question.
   * @throws what `stream` throws; CANCELLED when `signal` aborts
   */
  async ask(caller: Caller, input: AskInput, signal: AbortSignal, parts = this.parts): Promise<Answer> {
    for await (const event of this.stream(caller, input, signal, parts))
      if (event.type === 'answer') return event.answer;
    throw withdrawn();
  }

  /**
   * The answer to a question, as it comes into being. Leaving the loop or aborting `signal` stops the work, unless someone
   * else waits for the same request id.
   * @throws BAD_USER_INPUT, QUESTION_TOO_LONG, CONFLICT and IDEMPOTENCY_CONFLICT at once; the rest of what `ask` throws on the way
   */
  stream(
    caller: Caller,
    input: AskInput,
    signal: AbortSignal,
    parts: AskParts = this.parts,
  ): AsyncGenerator<AskEvent, void> {
    const question = checkedQuestion(input);
    const requestId = checkedKey(input.requestId, 'input.requestId');
    const { workspaceId } = caller;
    const asked = { workspaceId, question, requestId, assignment: input.assignment ?? null, recorded: true };
    return requestId === null ? ask(parts, asked, signal) : this.shared(asked, parts).read(signal);
  }

  /**
   * The answer as `ask` would give it, of which nothing is kept: for measuring.
   * @throws what `ask` throws
   */
  async tryOut({ workspaceId }: Caller, input: AskInput, signal: AbortSignal): Promise<Answer> {
    const asked = { workspaceId, question: checkedQuestion(input), requestId: null, assignment: null, recorded: false };
    for await (const event of ask(this.parts, asked, signal)) if (event.type === 'answer') return event.answer;
    throw withdrawn();
  }

  /**
   * The same question through every strategy, one after the other, of which each thing is looked up once; without an adapter through those
   * that need none.
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
      answers.push(await this.ask(caller, { ...input, strategy, adapter, dataset, requestId }, signal, sharing));
    }
    return answers;
  }

  /** In the order of `ids`; null where the workspace has no complete answer of that id. */
  async answersById({ workspaceId }: Caller, ids: readonly string[]): Promise<(Answer | null)[]> {
    const found = await this.parts.answers.byIds(workspaceId, ids.filter(isUuid));
    return ids.map((id) => found.get(id) ?? null);
  }

  /**
   * Deletes recorded answers with their questions: those of a conversation, or those with these row ids.
   * @returns how many @throws BAD_USER_INPUT unless exactly one of both is given
   */
  async deleteAnswers(
    { workspaceId }: Caller,
    { ids, conversationId }: { ids?: readonly string[] | null; conversationId?: string | null },
  ): Promise<number> {
    const conversation = checkedKey(conversationId, 'input.conversationId');
    if ((ids ?? null) === null ? conversation === null : conversation !== null)
      throw badInput('input', 'Give exactly one of ids and conversationId.');
    if (ids && ids.length > MOST_DELETED)
      throw badInput('input.ids', `At most ${MOST_DELETED} answers are deleted at once.`);
    return this.parts.answers.remove(workspaceId, { ids: ids ?? [], conversationId: conversation });
  }

  /** Newest first. @throws BAD_USER_INPUT for a conversation id or cursor that can’t be one, and for what no answer can meet */
  async answers({ workspaceId }: Caller, filter: AnswerFilter, page: PageRequest): Promise<Page<Answer>> {
    const conversationId = checkedKey(filter.conversationId, 'filter.conversationId');
    return this.parts.answers.list(workspaceId, { ...checkedFilter(filter), conversationId }, page);
  }

  private shared(asked: Asked, parts: AskParts): SharedStream<AskEvent> {
    const key = `${asked.workspaceId} ${asked.requestId}`;
    const digest = questionDigest(asked.question);
    const running = this.#running.get(key);
    if (running && running.digest !== digest) throw requestIdTaken();
    if (running?.stream.joinable) return running.stream;
    const stream = new SharedStream((signal) => ask(parts, asked, signal));
    const entry = { digest, stream };
    this.#running.set(key, entry);
    void stream.settled.then(() => {
      if (this.#running.get(key) === entry) this.#running.delete(key);
    });
    return stream;
  }
}
