import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import type { PaidCall } from '../../operate/access/index.js';
import {
  checkQuestionLength,
  STRATEGIES,
  type AnswerEvent,
  type AskInput,
  type AskService,
  type Strategy,
} from '../../answer/ask/index.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { streamWithin } from '../../kernel/stream-within.js';
import { inScope } from '../../platform/database/index.js';
import type { ChatRequest } from './chat-request.js';
import { choiceInputs } from './choices.js';
import { targetOf, type ModelTarget, type Names } from './model-names.js';

/** What answers, and asks budgets before paid work. */
export interface AskingParts {
  asking: Pick<AskService, 'stream' | 'answer'>;
  /** Asks budgets before paid work and counts what it comes to. */
  paying: Paying;
}

/** `AccessHooks` of the access domain. @throws OVERLOADED, BUDGET_EXCEEDED before anything is done */
export interface Paying {
  paid<T>(call: PaidCall, begin: () => Promise<T>): Promise<T>;
  paidStream<T>(call: PaidCall, open: () => AsyncIterable<T>): AsyncIterable<T>;
}

/** Keeps proxies from closing a silent connection. */
const COMMENT = ': working\n\n';
const COMMENT_EVERY_MS = 12_000;

export interface AskedChoices {
  caller: FastifyRequest['caller'];
  inputs: readonly AskInput[];
  signal: AbortSignal;
}

/** One after another; each is paid for by itself. */
export async function answersTo({ paying, asking }: AskingParts, { caller, inputs, signal }: AskedChoices) {
  const answers: AnswerEvent[] = [];
  for (const request of inputs)
    answers.push(
      await paying.paid({ caller, spends: 'ANSWER', request }, () => asking.answer(caller, request, signal)),
    );
  return answers;
}

/** The same as streams: each is asked for, and paid, once it is read. */
export const answersBegun = ({ paying, asking }: AskingParts, { caller, inputs, signal }: AskedChoices) =>
  inputs.map((request) => {
    const open = () => asking.stream(caller, request, signal);
    const paid = paying.paidStream({ caller, spends: 'ANSWER', request }, open);
    // Whoever reads the body asks for what follows.
    return streamWithin((work) => inScope(caller.workspaceId, work), paid);
  });

/**
 * Whether the text of a strategy is held until it can't be replaced any more: words of an adapter take the form of its task at the end; with a bound
 * on errors, JSON that was written may still be refused.
 */
export const comesWhole =
  ({ form, more }: ChatRequest) =>
  (strategy: Strategy): boolean =>
    STRATEGIES[strategy].reads || (form === null ? STRATEGIES[strategy].adapts : more.maxErrorRate != null);

/** How server-sent events are written. */
interface EventForm {
  write: (value: object) => string;
  /** An error behind the first event, as an event. */
  shown: (error: unknown) => object;
  /** What stands behind the last event. */
  end: string;
}

/** The body of a stream. @throws what fails before the first event, which has a status of its own */
export async function eventBody(
  events: AsyncGenerator<object>,
  reply: FastifyReply,
  form: EventForm,
): Promise<Readable> {
  endWithReply(events, reply);
  const first = await events.next();
  void reply.type('text/event-stream; charset=utf-8');
  return Readable.from(eventStream(first, events, reply, form));
}

/** Ends the chunks when the client leaves: before it reads the body, no iteration has begun that could end by itself. */
function endWithReply(chunks: AsyncGenerator<object>, reply: FastifyReply): void {
  const leave = (): void => void chunks.return(undefined).catch(() => undefined);
  // Who has left already has had its `close`.
  if (reply.raw.destroyed) leave();
  else reply.raw.once('close', leave);
}

async function* eventStream(
  first: IteratorResult<object, unknown>,
  rest: AsyncGenerator<object>,
  { raw }: FastifyReply,
  form: EventForm,
): AsyncGenerator<string> {
  const comments = setInterval(() => raw.writableLength === 0 && raw.write(COMMENT), COMMENT_EVERY_MS);
  try {
    if (first.done !== true) yield form.write(first.value);
    for await (const chunk of rest) yield form.write(chunk);
    yield form.end;
  } catch (error) {
    yield form.write(form.shown(error));
  } finally {
    clearInterval(comments);
    await rest.return(undefined);
  }
}

/** The questions of a chat, one for each choice. @throws NOT_FOUND, BAD_USER_INPUT, QUESTION_TOO_LONG */
export async function chatInputs(
  names: Names,
  workspaceId: WorkspaceId,
  chat: ChatRequest,
  { requestId, unit }: { requestId: string | null; unit: string | null },
): Promise<AskInput[]> {
  const target = await targetOf(names, workspaceId, chat.model);
  const inputs = choiceInputs(chat.n, askInput(chat, target, requestId, unit));
  checkQuestionLength(inputs[0]!);
  return inputs;
}

/** The question of a chat; where it is a follow-up, it is put together with what it follows by the rules of every conversation. */
export function askInput(
  chat: ChatRequest,
  target: ModelTarget,
  requestId: string | null,
  unit: string | null,
): AskInput {
  return {
    ...target,
    ...chat.more,
    question: chat.question,
    earlier: chat.earlier,
    system: chat.system,
    generation: chat.generation,
    sampling: chat.sampling,
    form: chat.form,
    tools: chat.tools,
    probable: chat.probable,
    requestId,
    unit: unit ?? chat.unit,
  };
}
