import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { checkQuestionLength } from '../../answer/ask/index.js';
import { httpStatus, retryAfterSeconds, transportError } from '../graphql/errors.js';
import { ResponseLifetime } from '../graphql/request-scope.js';
import type { ServerKit } from '../graphql/server.js';
import { GraftError, isGraftError } from '../../kernel/errors.js';
import { answersBegun, answersTo, askInput, comesWhole, eventBody } from './asking.js';
import { chatRequest } from './chat-request.js';
import { choiceInputs } from './choices.js';
import { chunksOf, completionOf, type CompletionContext } from './completion.js';
import { DONE, event, headerOf } from './http.js';
import { addFiles, addJobs, type FineTuningRouteParts } from './fine-tuning-routes.js';
import { embeddingsOf, type EmbeddingParts } from './embeddings.js';
import { openAiError } from './errors.js';
import { listedModels, targetOf } from './model-names.js';
import { refuseByName } from './not-here.js';
import { rerankOf } from './rerank.js';
import { addStores } from './vector-stores/routes.js';
import type { StoreParts } from './vector-stores/stores.js';
import { NAMES } from './responses/request.js';
import { addResponses, type ResponseParts } from './responses/routes.js';

export interface OpenAiParts extends EmbeddingParts, FineTuningRouteParts, StoreParts, ResponseParts {
  names: ResponseParts['names'];
  paying: ResponseParts['paying'];
}

/** An error as clients read it, and the status that it goes with. */
function shownBy(presenter: ServerKit['presenter'], request: FastifyRequest, error: unknown, names = {}) {
  const presented = presenter.presentPlain(error, request.id);
  const status = httpStatus(presented.extensions.code);
  return { status, body: openAiError(error, presented, status, names) };
}

const errorHandlerOf =
  (presenter: ServerKit['presenter'], names = {}) =>
  (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const cause = isGraftError(error) ? error : (transportError(error) ?? error);
    const { status, body } = shownBy(presenter, request, cause, names);
    const wait = retryAfterSeconds(cause, status);
    if (wait !== null) void reply.header('retry-after', `${wait}`);
    // A client that still sends would see a broken pipe and no answer.
    if (status === 413) reply.removeHeader('connection');
    return reply.code(status).header('cache-control', 'no-store').send(body);
  };

/**
 * The addresses that OpenAI's clients speak, beside GraphQL and on the same answers, records and rules: `chat/completions`, `responses`,
 * `embeddings`, `models`, `rerank`, `files`, `fine_tuning/jobs`, `vector_stores`. A field is honoured or refused by its name.
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
    working(async () => uncached(reply).send(await work()));
  addFiles(server, parts, { options: editing, answer });
  addJobs(server, parts, { options: editing, answer });
  addStores(server, parts, { options: editing, answer });
  addResponses(server, parts, {
    options: { ...options, errorHandler: errorHandlerOf(kit.presenter, NAMES) },
    answer,
    shown: (request, error) => shownBy(kit.presenter, request, error, NAMES).body,
  });
  const signalOf = (reply: FastifyReply): AbortSignal => new ResponseLifetime(reply.raw).signal;
  const uncached = (reply: FastifyReply) => reply.header('cache-control', 'no-store');

  for (const url of ['/v1', '/v1/*'])
    server.all(url, options, ({ method, url: address }) => refuseByName(method, address.split('?')[0]!));
  server.get('/v1/models', options, (request, reply) =>
    working(async () =>
      uncached(reply).send({ object: 'list', data: await listedModels(parts.names, request.caller.workspaceId) }),
    ),
  );
  server.get<{ Params: { '*': string } }>('/v1/models/*', options, (request, reply) =>
    working(async () => {
      const id = request.params['*'];
      const { workspaceId } = request.caller;
      await targetOf(parts.names, workspaceId, id);
      const listed = (await listedModels(parts.names, workspaceId)).find((model) => model.id === id);
      return uncached(reply).send(listed ?? { id, object: 'model', created: 0, owned_by: 'graft' });
    }),
  );
  server.post('/v1/embeddings', options, (request, reply) =>
    working(async () => {
      const { caller } = request;
      const embeddings = embeddingsOf(parts, caller.workspaceId, request.body);
      const work = () => embeddings(signalOf(reply));
      return uncached(reply).send(await parts.paying.paid({ caller, spends: 'SEARCH', request: request.body }, work));
    }),
  );
  server.post('/v1/rerank', options, (request, reply) =>
    working(async () => {
      const { caller } = request;
      const rerank = rerankOf(parts, caller.workspaceId, request.body);
      const work = () => rerank(signalOf(reply));
      return uncached(reply).send(await parts.paying.paid({ caller, spends: 'SEARCH', request: request.body }, work));
    }),
  );
  server.post('/v1/chat/completions', options, (request, reply) =>
    answer(reply, async () => {
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
      const call = { caller, inputs, signal };
      if (!chat.stream) return completionOf(await answersTo(parts, call), context);
      const chunks = chunksOf(answersBegun(parts, call), {
        ...context,
        includeUsage: chat.includeUsage,
        now: new Date(),
        comesWhole: comesWhole(chat),
      });
      const bodyOf = (error: unknown) => shownBy(kit.presenter, request, error).body;
      return eventBody(chunks, reply, { write: event, shown: bodyOf, end: DONE });
    }),
  );
}

/** Where the caller reaches this gateway, for links into the console. */
export const originOf = (request: FastifyRequest): string => `${request.protocol}://${request.host}`;
