import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { retryAfterSeconds, transportError } from '../graphql/errors.js';
import { ResponseLifetime } from '../graphql/request-scope.js';
import type { ServerKit } from '../graphql/server.js';
import { GraftError, isGraftError } from '../../kernel/errors.js';
import { answersBegun, answersTo, chatInputs, comesWhole, eventBody } from './asking.js';
import { chatBody, chatOf } from './chat-request.js';
import { chunksOf, completionOf, type CompletionContext } from './completion.js';
import {
  DONE,
  event,
  headerOf,
  optionsWith,
  originOf,
  type Addressing,
  type Checked,
  type CheckedServer,
} from './http.js';
import { addBatches } from './batches/routes.js';
import type { BatchParts } from './batches/batches.js';
import { addFiles, addJobs, type FineTuningRouteParts } from './fine-tuning-routes.js';
import { embeddingsBody, embeddingsOf, type EmbeddingParts } from './embeddings.js';
import { answeredError } from './errors.js';
import { addDocument } from './document.js';
import { listedModels, targetOf } from './model-names.js';
import { refuseByName } from './not-here.js';
import { rerankBody, rerankOf } from './rerank.js';
import { completionShape, embeddingsShape, modelShape, modelsShape, rerankShape } from './shapes.js';
import { addStores } from './vector-stores/routes.js';
import type { StoreParts } from './vector-stores/stores.js';
import { addUploads, type UploadParts } from './uploads/routes.js';
import { NAMES } from './responses/request.js';
import { addResponses, type ResponseParts } from './responses/routes.js';

export interface OpenAiParts
  extends EmbeddingParts, FineTuningRouteParts, StoreParts, ResponseParts, UploadParts, BatchParts {
  names: ResponseParts['names'];
  paying: ResponseParts['paying'];
}

/** How addresses are declared and answered that have these names for fields of a chat. */
function addressingOf({ presenter, isDraining, underWay }: ServerKit, names = {}): Addressing {
  const statusAndBody = (request: FastifyRequest, error: unknown) =>
    answeredError(presenter, error, { requestId: request.id, names });
  const errorHandler = (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const cause = isGraftError(error) ? error : (transportError(error) ?? error);
    const { status, body } = statusAndBody(request, cause);
    const wait = retryAfterSeconds(cause, status);
    if (wait !== null) void reply.header('retry-after', `${wait}`);
    // A client that still sends would see a broken pipe and no answer.
    if (status === 413) reply.removeHeader('connection');
    return reply.code(status).header('cache-control', 'no-store').send(body);
  };
  const working = async (reply: FastifyReply, work: () => Promise<unknown>) =>
    reply.header('cache-control', 'no-store').send(await work());
  return {
    errorHandler,
    optionsFor: optionsWith(errorHandler),
    answer: (reply, work) => {
      if (isDraining()) throw new GraftError('SHUTTING_DOWN', 'The gateway is shutting down.');
      return underWay(working(reply, work));
    },
    shown: (request, error) => statusAndBody(request, error).body,
  };
}

/**
 * The addresses that OpenAI's clients speak, beside GraphQL and on the same answers, records and rules: `chat/completions`, `responses`,
 * `embeddings`, `models`, `rerank`, `files`, `uploads`, `batches`, `fine_tuning/jobs`, `vector_stores`. A field is honoured or refused by its name.
 */
export function addOpenAi(fastify: FastifyInstance, parts: OpenAiParts, kit: ServerKit): void {
  const server: CheckedServer = fastify.withTypeProvider<Checked>();
  const addressing = addressingOf(kit);
  addDocument(server, addressing);
  const options = { errorHandler: addressing.errorHandler, config: { role: 'ASK' as const } };
  for (const url of ['/v1', '/v1/*'])
    fastify.all(url, options, ({ method, url: address }) => refuseByName(method, address.split('?')[0]!));
  for (const add of [addFiles, addUploads, addBatches, addJobs, addStores, addModels, addTexts, addChat])
    add(server, parts, addressing);
  addResponses(server, parts, addressingOf(kit, NAMES));
}

function addModels(server: CheckedServer, { names }: OpenAiParts, { optionsFor, answer }: Addressing): void {
  const lists = optionsFor('ASK', { summary: 'Lists what may stand as model', answer: modelsShape });
  server.get('/v1/models', lists, ({ caller: { workspaceId } }, reply) =>
    answer(reply, async () => ({ object: 'list', data: await listedModels(names, workspaceId) })),
  );
  const params = z.object({ '*': z.string() });
  const describes = optionsFor('ASK', { summary: 'Describes a model', params, answer: modelShape });
  server.get('/v1/models/*', describes, ({ caller: { workspaceId }, params: { '*': id } }, reply) =>
    answer(reply, async () => {
      await targetOf(names, workspaceId, id);
      const listed = (await listedModels(names, workspaceId)).find((model) => model.id === id);
      return listed ?? { id, object: 'model', created: 0, owned_by: 'graft' };
    }),
  );
}

const signalOf = (reply: FastifyReply): AbortSignal => new ResponseLifetime(reply.raw).signal;

/** What the workspace's embedder makes of texts. */
function addTexts(server: CheckedServer, parts: OpenAiParts, { optionsFor, answer }: Addressing): void {
  const embeds = { summary: 'Turns texts into vectors', body: embeddingsBody, answer: embeddingsShape };
  server.post('/v1/embeddings', optionsFor('ASK', embeds), ({ caller, body }, reply) =>
    answer(reply, async () => {
      const embeddings = embeddingsOf(parts, caller.workspaceId, body);
      const work = () => embeddings(signalOf(reply));
      return parts.paying.paid({ caller, spends: 'SEARCH', request: body }, work);
    }),
  );
  const ranks = { summary: 'Orders documents by a query', body: rerankBody, answer: rerankShape };
  server.post('/v1/rerank', optionsFor('ASK', ranks), ({ caller, body }, reply) =>
    answer(reply, async () => {
      const rerank = rerankOf(parts, caller.workspaceId, body);
      const work = () => rerank(signalOf(reply));
      return parts.paying.paid({ caller, spends: 'SEARCH', request: body }, work);
    }),
  );
}

function addChat(server: CheckedServer, parts: OpenAiParts, { optionsFor, answer, shown }: Addressing): void {
  const chats = { summary: 'Answers what a user says last', body: chatBody, answer: completionShape };
  const asks = optionsFor('ASK', { ...chats, streams: true, headers: ['idempotency-key', 'x-graft-unit'] });
  server.post('/v1/chat/completions', asks, (request, reply) =>
    answer(reply, async () => {
      const chat = chatOf(request.body);
      const caller = request.caller;
      const inputs = await chatInputs(parts.names, caller.workspaceId, chat, {
        requestId: headerOf(request, 'idempotency-key'),
        unit: headerOf(request, 'x-graft-unit'),
      });
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
      return eventBody(chunks, reply, { write: event, shown: (error) => shown(request, error), end: DONE });
    }),
  );
}
