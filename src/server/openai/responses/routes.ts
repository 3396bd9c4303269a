import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import { type z } from 'zod';
import {
  checkQuestionLength,
  DELETED_TEXT,
  type Answer,
  type AskInput,
  type AskService,
} from '../../../answer/ask/index.js';
import type { Caller } from '../../../kernel/caller.js';
import { badInput, notFound } from '../../../kernel/errors.js';
import { sha256 } from '../../../kernel/hashing.js';
import { newId, type WorkspaceId } from '../../../kernel/ids.js';
import { streamWithin } from '../../../kernel/stream-within.js';
import { toGlobalId } from '../../../kit/graphql/index.js';
import { inScope } from '../../../platform/database/index.js';
import { ResponseLifetime } from '../../graphql/request-scope.js';
import { MOST_MESSAGES } from '../chat-request.js';
import { answersBegun, answersTo, askInput, comesWhole, eventBody, type AskingParts } from '../asking.js';
import type { OpenAiError } from '../errors.js';
import { event, headerOf, notedBy, ofId, type Addressing, type CheckedServer, type NotingParts } from '../http.js';
import { listOf } from '../lists.js';
import { targetOf, type ModelTarget, type Names } from '../model-names.js';
import { filesOfDocuments } from '../vector-stores/documents.js';
import { collectionOfStore, type StoreParts } from '../vector-stores/stores.js';
import { deletedShape, inputItemShape, pageShape, responseShape } from '../shapes.js';
import {
  itemsQuery,
  responseBody,
  responseQuery,
  responseRequest,
  searching,
  type InputItem,
  type KeptRequest,
  type ResponseRequest,
} from './request.js';
import { answerIdOf, inputItemOf, replayed, responseEvents, responseId, responseOf } from './response.js';
import type { ResponseStore } from './store.js';

export interface ResponseParts extends AskingParts, NotingParts, Pick<StoreParts, 'knowledge'> {
  asking: Pick<AskService, 'stream' | 'answer' | 'answersById' | 'deleteAnswers'>;
  /** Asks as `asking` does, and nothing of it is kept. */
  unkept: Pick<AskService, 'stream' | 'answer'>;
  responses: ResponseStore;
  names: Names;
}

/** Responses that are looked back on. */
const REMEMBERED = 20;

interface Kept {
  answer: Answer;
  /** `collection/name` of each document that it read. */
  readFrom: string[];
  request: KeptRequest;
}

const ASKED = ['idempotency-key', 'x-graft-unit'] as const;
const SHOWN = { answer: responseShape, streams: true };

/** `responses`: an answer as the newer of OpenAI's two forms has it, which can be kept and followed. */
export function addResponses(server: CheckedServer, parts: ResponseParts, addressing: Addressing): void {
  const { optionsFor, answer, shown } = addressing;
  const url = '/v1/responses';
  const asks = { summary: 'Answers what was said last', body: responseBody, headers: ASKED, ...SHOWN };
  server.post(url, optionsFor('ASK', asks), (request, reply) =>
    answer(reply, () => created(parts, { request, wish: responseRequest(request.body) }, reply, shown)),
  );
  const retrieves = { summary: 'Describes a response that is kept', params: ofId, query: responseQuery, ...SHOWN };
  server.get(`${url}/:id`, optionsFor('ASK', retrieves), (request, reply) =>
    answer(reply, async () => {
      const record = await keptResponse(parts, request.caller, request.params.id);
      return retrieved(parts, { request, record, query: request.query }, reply, shown);
    }),
  );
  const deletes = optionsFor('ASK', { summary: 'Deletes a response', params: ofId, answer: deletedShape('response') });
  server.delete(`${url}/:id`, deletes, (request, reply) =>
    answer(reply, () =>
      notedBy(parts)(request, `DELETE ${url}`, request.params, async (change) => {
        const { id } = (await keptResponse(parts, request.caller, request.params.id)).answer;
        change.subject = toGlobalId('Answer', id);
        await parts.asking.deleteAnswers(request.caller, { ids: [id] });
        return { id: responseId(id), object: 'response', deleted: true };
      }),
    ),
  );
  const lists = { summary: 'Lists the messages of a request', params: ofId, query: itemsQuery };
  server.get(
    `${url}/:id/input_items`,
    optionsFor('ASK', { ...lists, answer: pageShape(inputItemShape) }),
    ({ caller, params, query }, reply) =>
      answer(reply, async () => inputItems(parts, caller, await keptResponse(parts, caller, params.id), query)),
  );
  const cancels = optionsFor('ASK', {
    summary: 'Refuses, as nothing is made in the background',
    params: ofId,
    answer: 'none',
  });
  server.post(`${url}/:id/cancel`, cancels, ({ caller, params }, reply) =>
    answer(reply, async () => {
      await keptResponse(parts, caller, params.id);
      throw badInput(
        'response_id',
        'Only a response in the background is cancelled, and none is made there: close its stream.',
      );
    }),
  );
}

/** @throws NOT_FOUND for one that isn't kept, and one of others */
async function keptResponse(parts: ResponseParts, caller: Caller, id: string): Promise<Kept> {
  const [record] = await keptBefore(parts, caller, [id], 1);
  if (!record) throw notFound('The response', id.slice(0, 200), 'response_id');
  return record;
}

/** Kept responses as far as the caller may see them, each before those that it follows. */
async function keptBefore(
  { responses, asking }: ResponseParts,
  caller: Caller,
  ids: readonly string[],
  length: number,
): Promise<Kept[]> {
  const rows = await responses.chains(
    caller,
    ids.flatMap((id) => answerIdOf(id) ?? []),
    length,
  );
  const answers = await asking.answersById(
    caller,
    rows.map(({ answerId }) => answerId),
  );
  return rows.flatMap(({ request, readFrom }, index) =>
    answers[index] ? [{ answer: answers[index], request, readFrom }] : [],
  );
}

type Shown = Addressing['shown'];

/** A conversation of its own for a response that follows none: the same one where it is asked again. */
const conversationOf = (requestId: string | null): string =>
  requestId === null ? newId() : sha256(`responses ${requestId}`);

async function created(
  parts: ResponseParts,
  { request, wish }: { request: FastifyRequest; wish: ResponseRequest },
  reply: FastifyReply,
  shown: Shown,
): Promise<unknown> {
  const { caller } = request;
  const requestId = headerOf(request, 'idempotency-key');
  if (requestId !== null && !wish.store)
    throw badInput('idempotency-key', 'Nothing is kept of this response, so none is answered twice.', 'Leave it out.');
  const { messages, conversationId, shownAnswers, link } = await before(parts, caller, wish);
  const chat = wish.chat(messages);
  const target = await targetIn(parts, caller.workspaceId, wish, chat.model);
  const input: AskInput = {
    ...askInput(chat, target, requestId, headerOf(request, 'x-graft-unit')),
    // What is deleted of a conversation leaves what was asked behind it, too.
    conversationId: wish.store ? (conversationId ?? conversationOf(requestId)) : null,
    shownAnswers,
  };
  checkQuestionLength(input);
  const { store, include, repeated, search, ignored } = wish;
  const record = { input: wish.input, repeated, options: chat.options, ignored, mostResults: search?.most ?? 0 };
  const settings = { request: { ...record, repeated: { ...repeated, ...wish.asker } }, include, store };
  const keep = async ({ id }: Answer): Promise<void> => {
    if (store) await parts.responses.keep(id, record, link);
  };
  const answering = { ...parts, asking: store ? parts.asking : parts.unkept };
  const filesOf = filesIn(parts, caller);
  const call = { caller, inputs: [input], signal: new ResponseLifetime(reply.raw).signal };
  if (chat.stream) {
    const [events] = answersBegun(answering, call);
    const holding = { comesWhole: comesWhole(chat), now: new Date(), keep, filesOf };
    const streaming = { ...settings, ...holding, shown: (error: unknown) => shown(request, error) };
    return eventsBody(caller, responseEvents(events!, streaming), reply, streaming.shown);
  }
  const [outcome] = await answersTo(answering, call);
  await keep(outcome!.answer);
  return responseOf(outcome!, { ...settings, fileOf: await filesOf(outcome!.answer) });
}

/** Behind what a request is asked: its own messages last. @throws NOT_FOUND for a response or a message that isn't kept */
async function before(parts: ResponseParts, caller: Caller, { input, previous }: ResponseRequest) {
  const chain = previous === null ? [] : await keptBefore(parts, caller, [previous], REMEMBERED);
  if (previous !== null && chain[0]?.answer.id !== answerIdOf(previous))
    throw notFound('The response', previous.slice(0, 200), 'previous_response_id');
  const { texts, sources } = await namedBy(parts, caller, [...chain.flatMap(({ request }) => request.input), ...input]);
  for (const { reference } of input)
    if (reference !== undefined && !texts.has(reference)) throw notFound('The item', reference, 'input');
  const history = chain
    .toReversed()
    .flatMap(({ answer, request }) => [...withTexts(request.input, texts), { role: 'assistant', text: answer.text }]);
  const messages = withTexts(input, texts);
  const last = chain[0]?.answer ?? null;
  const responses = [...new Map([...chain, ...sources].map((response) => [response.answer.id, response])).values()];
  return {
    messages: [...history.slice(Math.max(0, history.length + messages.length + 1 - MOST_MESSAGES)), ...messages],
    conversationId: last?.conversationId ?? null,
    shownAnswers: responses.map(({ answer, readFrom }) => ({ id: answer.id, question: answer.question, readFrom })),
    link: {
      previous: last?.id ?? null,
      answers: responses.map(({ answer: { id, text } }) => ({ id, isErased: text === DELETED_TEXT })),
    },
  };
}

/** The answers whose messages these items name, and their texts by the names. */
async function namedBy(parts: ResponseParts, caller: Caller, items: readonly InputItem[]) {
  const ids = items.flatMap(({ reference, source }) => reference ?? source ?? []);
  const sources = ids.length === 0 ? [] : await keptBefore(parts, caller, [...new Set(ids)], 1);
  const texts = new Map<string, string>();
  for (const id of ids) {
    const source = sources.find(({ answer }) => answer.id === answerIdOf(id));
    if (source) texts.set(id, source.answer.text);
  }
  return { texts, sources };
}

/** The messages of items; one that names another's message has its text, none where that is gone. */
const withTexts = (items: readonly InputItem[], texts: ReadonlyMap<string, string>): InputItem[] =>
  items.flatMap((item) => {
    if (item.reference === undefined) return [item];
    const text = texts.get(item.reference);
    return text === undefined ? [] : [{ ...item, text }];
  });

async function targetIn(
  { names }: ResponseParts,
  workspaceId: WorkspaceId,
  { search }: ResponseRequest,
  model: string,
): Promise<ModelTarget> {
  const target = await targetOf(names, workspaceId, model);
  if (!search) return target;
  const field = 'tools[0].vector_store_ids';
  const stores = search.stores.map((id) => collectionOfStore(names.collections, workspaceId, id, field));
  const collections = await Promise.all(stores);
  return searching(
    target,
    collections.map(({ name }) => name),
    search.isRequired,
  );
}

const filesIn =
  (parts: ResponseParts, { workspaceId }: Caller) =>
  ({ citations, evidence }: Answer) =>
    filesOfDocuments(
      parts,
      workspaceId,
      [...citations, ...evidence].map(({ documentId }) => documentId),
    );

function eventsBody(
  { workspaceId }: Caller,
  events: AsyncGenerator<object>,
  reply: FastifyReply,
  shown: (error: unknown) => OpenAiError,
): Promise<Readable> {
  const write = (value: object) => `event: ${(value as { type: string }).type}\n${event(value)}`;
  return eventBody(
    streamWithin((work) => inScope(workspaceId, work), events),
    reply,
    { write, shown, end: '' },
  );
}

async function retrieved(
  parts: ResponseParts,
  { request, record, query }: { request: FastifyRequest; record: Kept; query: z.output<typeof responseQuery> },
  reply: FastifyReply,
  shown: Shown,
): Promise<unknown> {
  const { caller } = request;
  const { answer } = record;
  const include = [query.include ?? [], query['include[]'] ?? []].flat();
  const settings = { request: record.request, include, store: true };
  const filesOf = filesIn(parts, caller);
  if (query.stream !== 'true') return responseOf({ answer }, { ...settings, fileOf: await filesOf(answer) });
  const holding = { comesWhole: () => true, now: answer.createdAt, keep: () => Promise.resolve(), filesOf };
  const streaming = { ...settings, ...holding, shown: (error: unknown) => shown(request, error) };
  const events = after(query.starting_after, responseEvents(replayed(answer), streaming));
  return eventsBody(caller, events, reply, streaming.shown);
}

async function* after(last: number, events: AsyncGenerator<object>): AsyncGenerator<object> {
  for await (const event of events) if ((event as { sequence_number: number }).sequence_number > last) yield event;
}

/** The messages of a request, the last first unless it is asked for otherwise. */
async function inputItems(
  parts: ResponseParts,
  caller: Caller,
  { answer, request }: Kept,
  { limit, after: last, order }: z.output<typeof itemsQuery>,
) {
  const { texts } = await namedBy(parts, caller, request.input);
  const items = request.input.map(({ role, text, reference }, index) =>
    inputItemOf(answer.id, { role, text: reference === undefined ? text : (texts.get(reference) ?? '') }, index),
  );
  if (order === 'desc') items.reverse();
  const first = last === undefined ? 0 : items.findIndex(({ id }) => id === last) + 1;
  if (last !== undefined && first === 0) throw notFound('The item', last.slice(0, 200), 'after');
  return listOf(items.slice(first, first + limit), items.length > first + limit);
}
