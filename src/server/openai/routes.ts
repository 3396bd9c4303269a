import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import type { PaidCall } from '../../operate/access/index.js';
import {
  checkQuestionLength,
  STRATEGIES,
  type AnswerEvent,
  type AskEvent,
  type AskInput,
  type AskService,
} from '../../answer/ask/index.js';
import { httpStatus, retryAfterSeconds, transportError } from '../graphql/errors.js';
import { ResponseLifetime } from '../graphql/request-scope.js';
import type { ServerKit } from '../graphql/server.js';
import { GraftError, isGraftError } from '../../kernel/errors.js';
import { streamWithin } from '../../kernel/stream-within.js';
import { inScope } from '../../platform/database/index.js';
import { chatRequest, type ChatRequest } from './chat-request.js';
import { choiceInputs } from './choices.js';
import { chunksOf, completionOf, type CompletionContext } from './completion.js';
import { event, headerOf } from './http.js';
import { addFiles, addJobs, type FineTuningRouteParts } from './fine-tuning-routes.js';
import { embeddingsOf, type EmbeddingParts } from './embeddings.js';
import { openAiError } from './errors.js';
import { listedModels, targetOf, type Names, type ModelTarget } from './model-names.js';
import { rerankOf } from './rerank.js';
import { addStores } from './store-routes.js';
import type { StoreParts } from './stores.js';

export interface OpenAiParts extends EmbeddingParts, FineTuningRouteParts, StoreParts {
  asking: Pick<AskService, 'stream' | 'answer'>;
  names: Names;
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

const errorHandlerOf =
  (presenter: ServerKit['presenter']) =>
  (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const cause = isGraftError(error) ? error : (transportError(error) ?? error);
    const shown = presenter.presentPlain(cause, request.id);
    const status = httpStatus(shown.extensions.code);
    const wait = retryAfterSeconds(cause, status);
    if (wait !== null) void reply.header('retry-after', `${wait}`);
    // A client that still sends would see a broken pipe and no answer.
    if (status === 413) reply.removeHeader('connection');
    return reply
      .code(status)
      .header('cache-control', 'no-store')
      .send(openAiError(cause, shown, status));
  };

/**
 * The addresses that OpenAI's clients speak, beside GraphQL and on the same answers, records and rules: `chat/completions`, `embeddings`,
 * `models`, `rerank`, `files`, `fine_tuning/jobs`, `vector_stores`. A field is honoured or refused by its name.
 */
export function addOpenAi(server: FastifyInstance, parts: OpenAiParts, kit: ServerKit): void {
  const errorHandler = errorHandlerOf(kit.presenter);
  const options = { errorHandler, config: { role: 'ASK' as const } };
  const editing = { errorHandler, config: { role: 'EDIT' as const } };
  const working = <T>(work: () => Promise<T>): Promise<T> => {
    if (kit.isDraining()) throw new GraftError('SHUTTING_DOWN', 'The gateway is shutting down.');
    return kit.underWay(work());
  };
  const answer = (reply: FastifyReply, work: () => Promise<unknown>) =>
    working(async () => told(reply).send(await work()));
  addFiles(server, parts, { options: editing, answer });
  addJobs(server, parts, { options: editing, answer });
  addStores(server, parts, { options: editing, answer });
  const signalOf = (reply: FastifyReply): AbortSignal => new ResponseLifetime(reply.raw).signal;
  const told = (reply: FastifyReply) => reply.header('cache-control', 'no-store');

  for (const url of ['/v1', '/v1/*'])
    server.all(url, options, (request) => {
      throw new GraftError('NOT_FOUND', `There is no ${request.method} ${request.url.split('?')[0]} here.`, {
        hint: 'There are /v1/chat/completions, /v1/embeddings, /v1/rerank, /v1/models, /v1/files, /v1/fine_tuning/jobs and /v1/vector_stores.',
      });
    });
  server.get('/v1/models', options, (request, reply) =>
    working(async () =>
      told(reply).send({ object: 'list', data: await listedModels(parts.names, request.caller.workspaceId) }),
    ),
  );
  server.get<{ Params: { '*': string } }>('/v1/models/*', options, (request, reply) =>
    working(async () => {
      const id = request.params['*'];
      const { workspaceId } = request.caller;
      await targetOf(parts.names, workspaceId, id);
      const listed = (await listedModels(parts.names, workspaceId)).find((model) => model.id === id);
      return told(reply).send(listed ?? { id, object: 'model', created: 0, owned_by: 'graft' });
    }),
  );
  server.post('/v1/embeddings', options, (request, reply) =>
    working(async () => {
      const { caller } = request;
      const embeddings = embeddingsOf(parts, caller.workspaceId, request.body);
      const work = () => embeddings(signalOf(reply));
      return told(reply).send(await parts.paying.paid({ caller, spends: 'SEARCH', request: request.body }, work));
    }),
  );
  server.post('/v1/rerank', options, (request, reply) =>
    working(async () => {
      const { caller } = request;
      const rerank = rerankOf(parts, caller.workspaceId, request.body);
      const work = () => rerank(signalOf(reply));
      return told(reply).send(await parts.paying.paid({ caller, spends: 'SEARCH', request: request.body }, work));
    }),
  );
  server.post('/v1/chat/completions', options, (request, reply) =>
    working(async () => {
      const chat = chatRequest(request.body);
      const caller = request.caller;
      const target = await targetOf(parts.names, caller.workspaceId, chat.model);
      const inputs = choiceInputs(
        chat.n,
        askInput(chat, target, headerOf(request, 'idempotency-key'), headerOf(request, 'x-graft-unit')),
      );
      checkQuestionLength(inputs[0]!);
      const context: CompletionContext = { request: chat, origin: originOf(request) };
      const signal = signalOf(reply);
      const asked = { caller, inputs, signal };
      if (!chat.stream) return told(reply).send(completionOf(await answersTo(parts, asked), context));
      const chunks = streamedChunks(answersBegun(parts, asked), chat, context);
      endWithReply(chunks, reply);
      // What fails before the first chunk has a status of its own.
      const first = await chunks.next();
      const shown = (error: unknown) => {
        const presented = kit.presenter.presentPlain(error, request.id);
        return openAiError(error, presented, httpStatus(presented.extensions.code));
      };
      return told(reply)
        .header('content-type', 'text/event-stream; charset=utf-8')
        .send(Readable.from(eventStream(first, chunks, reply, shown)));
    }),
  );
}

interface AskedChoices {
  caller: FastifyRequest['caller'];
  inputs: readonly AskInput[];
  signal: AbortSignal;
}

/** One after another; each is paid for by itself. */
async function answersTo({ paying, asking }: OpenAiParts, { caller, inputs, signal }: AskedChoices) {
  const answers: AnswerEvent[] = [];
  for (const request of inputs)
    answers.push(
      await paying.paid({ caller, spends: 'ANSWER', request }, () => asking.answer(caller, request, signal)),
    );
  return answers;
}

/** The same as streams: each is asked for, and paid, once it is read. */
const answersBegun = ({ paying, asking }: OpenAiParts, { caller, inputs, signal }: AskedChoices) =>
  inputs.map((request) => {
    const open = () => asking.stream(caller, request, signal);
    const paid = paying.paidStream({ caller, spends: 'ANSWER', request }, open);
    // Whoever reads the body asks for what follows.
    return streamWithin((work) => inScope(caller.workspaceId, work), paid);
  });

const streamedChunks = (choices: AsyncIterable<AskEvent>[], chat: ChatRequest, context: CompletionContext) =>
  chunksOf(choices, {
    ...context,
    includeUsage: chat.includeUsage,
    now: new Date(),
    // Words of an adapter take the form of its task at the end; with a bound on errors, JSON that was written may still be refused.
    comesWhole: (strategy) =>
      STRATEGIES[strategy].reads || (chat.form === null ? STRATEGIES[strategy].adapts : chat.more.maxErrorRate != null),
  });

/** Ends the chunks when the client leaves: before it reads the body, no iteration has begun that could end by itself. */
function endWithReply(chunks: AsyncGenerator<object>, reply: FastifyReply): void {
  const leave = (): void => void chunks.return(undefined).catch(() => undefined);
  // Who has left already has had its `close`.
  if (reply.raw.destroyed) leave();
  else reply.raw.once('close', leave);
}

/** Server-sent events as OpenAI writes them, `[DONE]` last; an error behind the first is an event, too. */
async function* eventStream(
  first: IteratorResult<object, unknown>,
  rest: AsyncGenerator<object>,
  { raw }: FastifyReply,
  shown: (error: unknown) => object,
): AsyncGenerator<string> {
  const comments = setInterval(() => raw.writableLength === 0 && raw.write(COMMENT), COMMENT_EVERY_MS);
  try {
    if (first.done !== true) yield event(first.value);
    for await (const chunk of rest) yield event(chunk);
    yield 'data: [DONE]\n\n';
  } catch (error) {
    yield event(shown(error));
  } finally {
    clearInterval(comments);
    await rest.return(undefined);
  }
}

/** Where the caller reaches this gateway, for links into the console. */
export const originOf = (request: FastifyRequest): string => `${request.protocol}://${request.host}`;

/** The question of a chat; where it is a follow-up, it is put together with what it follows by the rules of every conversation. */
function askInput(chat: ChatRequest, target: ModelTarget, requestId: string | null, unit: string | null): AskInput {
  return {
    ...target,
    ...chat.more,
    question: chat.question,
    earlier: chat.earlier,
    system: chat.system,
    generation: chat.generation,
    sampling: chat.sampling,
    form: chat.form,
    probable: chat.probable,
    requestId,
    unit: unit ?? chat.unit,
  };
}
