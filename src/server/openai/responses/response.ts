/** An answer as `/v1/responses` tells it, whole or as events. */
import { STRATEGIES, type Answer, type AnswerEvent, type AskEvent, type Strategy } from '../../../answer/ask/index.js';
import { isUuid } from '../../../kernel/ids.js';
import { finishOf, graftOf, refusalOf, restOf, tokensOf } from '../completion.js';
import type { OpenAiError } from '../errors.js';
import { secondsOf } from '../http.js';
import type { filesOfDocuments } from '../vector-stores/documents.js';
import { NAMES, RESULTS, type InputItem, type KeptRequest } from './request.js';

/** What is told of an answer beside it. */
export interface ResponseSettings {
  request: KeptRequest;
  include: readonly string[];
  store: boolean;
}

/** The file that a document is to clients. */
export type FileOf = Awaited<ReturnType<typeof filesOfDocuments>>;

interface ResponseContext extends ResponseSettings {
  fileOf: FileOf;
}

export const responseId = (answerId: string): string => `resp_${answerId}`;
const messageId = (answerId: string): string => `msg_${answerId}`;

/** The row id in the id of a response, or of its message; null in any other. */
export function answerIdOf(id: string): string | null {
  const row = /^(?:resp|msg)_(.+)$/.exec(id)?.[1] ?? '';
  return isUuid(row) ? row.toLowerCase() : null;
}

/** Text, and where each quote stands that it rests on: marks belong behind it. */
const textPart = ({ text, citations }: Answer, tokens: AnswerEvent['tokens'], fileOf: FileOf) => ({
  type: 'output_text',
  text,
  annotations: citations.map((citation) => {
    const { file_id, filename } = fileOf(citation);
    return { type: 'file_citation', file_id, filename, index: text.length };
  }),
  logprobs: tokens ? tokensOf(tokens) : [],
});

/** The search in documents, where they were asked. */
function searchCall(answer: Answer, { request, include, fileOf }: ResponseContext) {
  const results = answer.evidence.filter(({ sourceDeleted }) => !sourceDeleted);
  return {
    id: `fs_${answer.id}`,
    type: 'file_search_call',
    status: 'completed',
    queries: [answer.askedAs ?? answer.question],
    results: include.includes(RESULTS)
      ? results.slice(0, request.mostResults).map((sentence) => ({
          ...fileOf(sentence),
          score: Math.min(1, Math.max(0, sentence.answerability ?? sentence.similarity ?? sentence.coverage)),
          text: sentence.quote,
        }))
      : null,
  };
}

const searched = ({ route }: Answer, { request }: ResponseSettings): boolean =>
  request.mostResults > 0 && STRATEGIES[route.strategy].reads;

const cutOff = (answer: Answer): boolean => finishOf(answer) === 'length';

/** All but what the answer says. */
const frameOf = (answerId: string, created: Date, { request, store }: ResponseSettings) => ({
  id: responseId(answerId),
  object: 'response',
  created_at: secondsOf(created),
  background: false,
  error: null,
  incomplete_details: null,
  ...request.repeated,
  parallel_tool_calls: true,
  reasoning: { effort: null, summary: null },
  service_tier: 'default',
  truncation: 'disabled',
  store,
});

function usageOf({ usage: { promptTokens, generatedTokens, reusedTokens } }: Answer) {
  return {
    input_tokens: promptTokens,
    input_tokens_details: { cached_tokens: reusedTokens },
    output_tokens: generatedTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: promptTokens + generatedTokens,
  };
}

/** A response whose answer is there. */
export function responseOf({ answer, tokens }: Pick<AnswerEvent, 'answer' | 'tokens'>, context: ResponseContext) {
  const refusal = refusalOf(answer);
  const status = cutOff(answer) ? 'incomplete' : 'completed';
  const { ignored, ...graft } = graftOf({ type: 'answer', answer, ...(tokens && { tokens }) }, context.request);
  const content = refusal === null ? textPart(answer, tokens, context.fileOf) : { type: 'refusal', refusal };
  return {
    ...frameOf(answer.id, answer.createdAt, context),
    status,
    ...(cutOff(answer) && { incomplete_details: { reason: 'max_output_tokens' } }),
    output: [
      ...(searched(answer, context) ? [searchCall(answer, context)] : []),
      { id: messageId(answer.id), type: 'message', role: 'assistant', status, content: [content] },
    ],
    usage: usageOf(answer),
    graft: { ...graft, ignored: ignored.map((name) => NAMES[name] ?? name) },
  };
}

/** How a stream is told. */
export interface Streaming extends ResponseSettings {
  filesOf: (answer: Answer) => Promise<FileOf>;
  /** Whether the text is held until it can't be replaced any more. */
  comesWhole: (strategy: Strategy) => boolean;
  now: Date;
  /** Keeps what is to be kept, before the response is told as complete. */
  keep: (answer: Answer) => Promise<void>;
  shown: (error: unknown) => OpenAiError;
}

/**
 * The events of a streamed response, in OpenAI's order. Text is held as in a chat's chunks; where words were taken back all the same, those that stand are in
 * `response.output_text.done` and in all behind it.
 * @throws what fails before the first event; later it is `response.failed`
 */
export async function* responseEvents(events: AsyncIterable<AskEvent>, streaming: Streaming): AsyncGenerator<object> {
  let count = 0;
  const numbered = (type: string, body: object) => ({ type, sequence_number: count++, ...body });
  let frame: ReturnType<typeof frameOf> | null = null;
  let sentText = '';
  let holds = true;
  try {
    for await (const event of events) {
      if (event.type === 'route') {
        holds = streaming.comesWhole(event.route.strategy);
        if (frame) continue;
        frame = frameOf(event.answerId, streaming.now, streaming);
        const response = { ...frame, status: 'in_progress', output: [], usage: null };
        yield numbered('response.created', { response });
        yield numbered('response.in_progress', { response });
      }
      if (event.type === 'delta' && event.text !== '' && !holds && frame) {
        const place = { item_id: frame.id.replace('resp_', 'msg_'), output_index: 0, content_index: 0 };
        if (sentText === '') for (const [type, body] of begunMessage(place, 'output_text')) yield numbered(type, body);
        sentText += event.text;
        yield numbered('response.output_text.delta', { ...place, delta: event.text, logprobs: [] });
      }
      if (event.type !== 'answer') continue;
      await streaming.keep(event.answer);
      const context = { ...streaming, fileOf: await streaming.filesOf(event.answer) };
      for (const [type, body] of endedMessage(event, sentText, context)) yield numbered(type, body);
    }
  } catch (error) {
    if (!frame) throw error;
    const { message, code } = streaming.shown(error).error;
    const failed = { ...frame, status: 'failed', output: [], usage: null, error: { code, message } };
    yield numbered('response.failed', { response: failed });
  }
}

type Told = [type: string, body: object];

interface Place {
  item_id: string;
  output_index: number;
  content_index: number;
}

function begunMessage({ item_id, output_index, content_index }: Place, kind: 'output_text' | 'refusal'): Told[] {
  const item = { id: item_id, type: 'message', role: 'assistant', status: 'in_progress', content: [] };
  const part =
    kind === 'refusal' ? { type: kind, refusal: '' } : { type: kind, text: '', annotations: [], logprobs: [] };
  return [
    ['response.output_item.added', { output_index, item }],
    ['response.content_part.added', { item_id, output_index, content_index, part }],
  ];
}

function* searchEvents(item: object & { id: string }): Generator<Told> {
  const place = { output_index: 0, item_id: item.id };
  yield ['response.output_item.added', { output_index: 0, item: { ...item, status: 'in_progress', results: null } }];
  for (const state of ['in_progress', 'searching', 'completed']) yield [`response.file_search_call.${state}`, place];
  yield ['response.output_item.done', { output_index: 0, item }];
}

/** From what was sent of the text to the end of the response. */
function* endedMessage(event: AnswerEvent, sentText: string, context: ResponseContext): Generator<Told> {
  const { answer, tokens } = event;
  const response = responseOf(event, context);
  const item = response.output.at(-1)!;
  // Text that was sent is of a message without a search before it.
  if (sentText !== '') response.output.splice(0, response.output.length - 1);
  const place = { item_id: item.id, output_index: response.output.length - 1, content_index: 0 };
  if (place.output_index > 0) yield* searchEvents(response.output[0]!);
  const refusal = refusalOf(answer);
  if (sentText === '') yield* begunMessage(place, refusal === null ? 'output_text' : 'refusal');
  if (refusal === null) {
    const part = textPart(answer, tokens, context.fileOf);
    const rest = restOf(part.text, sentText);
    if (rest !== '') yield ['response.output_text.delta', { ...place, delta: rest, logprobs: [] }];
    for (const [annotation_index, annotation] of part.annotations.entries())
      yield ['response.output_text.annotation.added', { ...place, annotation_index, annotation }];
    yield ['response.output_text.done', { ...place, text: part.text, logprobs: part.logprobs }];
    yield ['response.content_part.done', { ...place, part }];
  } else {
    yield ['response.refusal.delta', { ...place, delta: refusal }];
    yield ['response.refusal.done', { ...place, refusal }];
    yield ['response.content_part.done', { ...place, part: { type: 'refusal', refusal } }];
  }
  yield ['response.output_item.done', { output_index: place.output_index, item }];
  yield [`response.${response.status}`, { response }];
}

/** The events of a response that is kept. */
export async function* replayed(answer: Answer): AsyncGenerator<AskEvent> {
  yield { type: 'route', answerId: answer.id, route: answer.route };
  yield await Promise.resolve({ type: 'answer', answer });
}

/** A message of the input as it is listed. */
export const inputItemOf = (answerId: string, { role, text }: InputItem, index: number) => ({
  id: `${messageId(answerId)}_${index}`,
  type: 'message',
  role,
  status: 'completed',
  content: [
    role === 'assistant' ? { type: 'output_text', text, annotations: [], logprobs: [] } : { type: 'input_text', text },
  ],
});
