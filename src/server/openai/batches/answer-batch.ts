import { setTimeout as sleep } from 'node:timers/promises';
import { EVERYBODY, type Caller } from '../../../kernel/caller.js';
import type { Clock } from '../../../kernel/clock.js';
import { HOUR_MS } from '../../../kernel/duration.js';
import { badInput, isGraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { FileService } from '../../../platform/artifacts/index.js';
import { isPassing, type RunRow } from '../../../platform/runs/index.js';
import type { ErrorPresenter } from '../../graphql/errors.js';
import { answersTo, chatInputs, type AskingParts } from '../asking.js';
import { chatBody, chatOf } from '../chat-request.js';
import { completionOf } from '../completion.js';
import { embeddingsBody, embeddingsOf, type EmbeddingParts } from '../embeddings.js';
import { answeredError, RefusedField } from '../errors.js';
import { checked } from '../fields.js';
import type { Names } from '../model-names.js';
import type { BatchContext, Fault } from './batch-run.js';
import { linesIn } from './read-lines.js';
import { resultOf, type BatchRow, type BatchStore, type Unanswered } from './store.js';

export interface AnswerBatchParts extends AskingParts, Omit<EmbeddingParts, 'names'> {
  names: Names;
  batches: BatchStore;
  files: Pick<FileService, 'open'>;
  presenter: ErrorPresenter;
  clock: Clock;
}

/** The only window that OpenAI offers, too. */
export const WINDOW_MS = 24 * HOUR_MS;
const EXPIRED: Unanswered = {
  code: 'batch_expired',
  message: 'This request was not answered within the completion window.',
};

/** Requests that are asked beside each other: models that write read several at once. */
const AT_ONCE = 4;
/** Requests after which others have their turn. */
const PAGE = 16;
/** How long it waits at most, in ms, before it asks again for room or for a budget. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Answers the requests of a file, each once, and makes files of the answers. A request that is refused has its error in the file; what isn't answered
 * within 24 h of the beginning is given up. It reads what everybody may read: whoever may edit reads its files.
 * @throws BAD_USER_INPUT for a file with a fault, of which nothing is asked
 */
export async function answerBatch(parts: AnswerBatchParts, context: BatchContext) {
  const { run, signal } = context;
  const { batches, clock } = parts;
  const workspaceId = run.workspaceId as WorkspaceId;
  const { total } = (await batches.byId(workspaceId, run.id)) ?? (await begun(parts, context));
  const isExpired = () => clock.now().getTime() >= expiryOf(run);
  for (;;) {
    const lines = isExpired() ? [] : await batches.waiting(workspaceId, run.id, PAGE);
    if (lines.length === 0) break;
    const queue = [...lines];
    const answer = async (): Promise<void> => {
      for (let line = queue.shift(); line !== undefined; line = queue.shift()) {
        const outcome = await outcomeOf(parts, context, line);
        await context.fenced((tx) => batches.answer(tx, line, outcome));
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, answer));
    } finally {
      queue.length = 0;
    }
    const { completed, failed } = await batches.require(workspaceId, run.id);
    await context.progress((completed + failed) / total, `${completed + failed} of ${total} requests`);
    await context.takeTurns();
  }
  signal.throwIfAborted();
  const expired = (await batches.waiting(workspaceId, run.id, 1)).length > 0;
  await batches.collect(workspaceId, run.id, expired ? EXPIRED : null);
  const { completed, failed } = await batches.require(workspaceId, run.id);
  return { completed, failed, expired };
}

/** In ms since 1970. */
export const expiryOf = ({ createdAt }: Pick<RunRow, 'createdAt'>): number => createdAt.getTime() + WINDOW_MS;

async function begun({ files, batches }: AnswerBatchParts, context: BatchContext): Promise<BatchRow> {
  const { run, input } = context;
  const workspaceId = run.workspaceId as WorkspaceId;
  const faults: Fault[] = [];
  const { content } = await files.open(workspaceId, input.fileId);
  const total = await batches.load(workspaceId, run.id, linesIn(await content(), input.endpoint, faults));
  const [first] = faults;
  if (first === undefined) return context.fenced((tx) => batches.begin(tx, workspaceId, run.id, total));
  await batches.forget(workspaceId, run.id);
  await context.checkpoint({ faults });
  throw badInput('input_file_id', first.line === null ? first.message : `Line ${first.line}: ${first.message}`);
}

type Line = Awaited<ReturnType<BatchStore['waiting']>>[number];

async function outcomeOf(parts: AnswerBatchParts, context: BatchContext, line: Line) {
  const request_id = `batch-${line.batchId}-${line.number}`;
  try {
    const body = await answerTo(parts, context, { request: JSON.parse(line.request), requestId: request_id });
    return { result: resultOf(line, { response: { status_code: 200, request_id, body } }), failed: false };
  } catch (error) {
    context.signal.throwIfAborted();
    if (isPassing(error)) throw error;
    const { status, body } = answeredError(parts.presenter, error, { requestId: request_id });
    return { result: resultOf(line, { response: { status_code: status, request_id, body } }), failed: true };
  }
}

async function answerTo(
  parts: AnswerBatchParts,
  { run, input: { endpoint, key, origin }, signal }: BatchContext,
  { request, requestId }: { request: unknown; requestId: string },
): Promise<unknown> {
  const workspaceId = run.workspaceId as WorkspaceId;
  const caller = { workspaceId, role: 'ASK', groups: EVERYBODY, key } as Caller;
  const within = <T>(work: () => Promise<T>) => inTurn(work, { signal, until: expiryOf(run), clock: parts.clock });
  if (endpoint === '/v1/embeddings') {
    const body = checked(embeddingsBody, request);
    const work = embeddingsOf(parts, workspaceId, body);
    return within(() => parts.paying.paid({ caller, spends: 'SEARCH', request: body }, () => work(signal)));
  }
  const chat = chatOf(checked(chatBody, request));
  if (chat.stream)
    throw new RefusedField('stream', 'unsupported_value', 'A batch is answered as a whole.', 'Leave it out.');
  const inputs = await chatInputs(parts.names, workspaceId, chat, { requestId, unit: null });
  const answers = await within(() => answersTo(parts, { caller, inputs, signal }));
  return completionOf(answers, { request: chat, origin });
}

/** Waits until there is room and a budget: nobody sits before a batch. @throws what the work throws, and at last that it is full */
async function inTurn<T>(
  work: () => Promise<T>,
  { signal, until, clock }: { signal: AbortSignal; until: number; clock: Clock },
): Promise<T> {
  for (;;)
    try {
      return await work();
    } catch (error) {
      const isFull = isGraftError(error, 'OVERLOADED') || isGraftError(error, 'BUDGET_EXCEEDED');
      if (!isFull || clock.now().getTime() >= until) throw error;
      await sleep(Math.min((error.retryAfterSeconds ?? 1) * 1_000, LONGEST_WAIT_MS), undefined, { signal });
    }
}
