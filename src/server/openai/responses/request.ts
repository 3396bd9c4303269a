/** What `/v1/responses` is asked: checked, brought to a chat, and what is kept of it. */
import { z } from 'zod';
import type { StrategyChoice } from '../../../answer/ask/index.js';
import { anyJson, storedJson, type Json } from '../../../kernel/stored-json.js';
import {
  chatRequest,
  graftOptions,
  messageOf,
  MOST_MESSAGES,
  otherRole,
  type ChatRequest,
  type ModelOption,
} from '../chat-request.js';
import {
  anything,
  filledText,
  flag,
  ignoredOf,
  note,
  notesOf,
  objectOf,
  only,
  resultLimit,
  variantsBy,
  type Fields,
} from '../fields.js';
import { listQuery } from '../lists.js';
import type { ModelTarget } from '../model-names.js';
import { textFormat } from '../response-format.js';

/**
 * A message of `input`. `reference` is the id of an assistant's message that is kept, whose text stands there alone; `source` that of one
 * whose text a program sends back.
 */
const item = z.object({
  role: z.string(),
  text: z.string(),
  reference: z.string().optional(),
  source: z.string().optional(),
});
export type InputItem = z.infer<typeof item>;

/** What is kept of a request: to show it again, and to go on from it. */
export const keptRequest = storedJson(
  z.object({
    input: z.array(item),
    /** Fields of a response that repeat its request. */
    repeated: z.record(z.string(), anyJson),
    options: z.array(z.custom<ModelOption>((name) => typeof name === 'string')),
    ignored: z.array(z.string()),
    mostResults: z.number(),
  }),
);
export type KeptRequest = z.infer<(typeof keptRequest)['schema']>;

/** What a response is asked for, checked. */
export interface ResponseRequest {
  input: InputItem[];
  previous: string | null;
  search: FileSearch | null;
  store: boolean;
  include: string[];
  ignored: string[];
  repeated: Record<string, Json>;
  asker: Record<string, Json>;
  /** The chat that it comes to. */
  chat: (messages: readonly Pick<InputItem, 'role' | 'text'>[]) => ChatRequest;
}

interface FileSearch {
  stores: string[];
  /** How many results are told. */
  most: number;
  /** Whether documents must be asked. */
  isRequired: boolean;
}

const IGNORED = {
  service_tier: anything,
  reasoning: anything,
  parallel_tool_calls: anything,
  stream_options: anything,
  max_tool_calls: anything,
  prompt_cache_key: anything,
  prompt_cache_options: anything,
  prompt_cache_retention: anything,
};

/** Fields of a chat by the names that they have here. */
export const NAMES: Readonly<Record<string, string>> = {
  messages: 'input',
  system: 'instructions',
  max_completion_tokens: 'max_output_tokens',
  response_format: 'text.format',
  logprobs: 'include',
};

export const RESULTS = 'file_search_call.results';
const LOGPROBS = 'message.output_text.logprobs';
/** Nothing here reasons in words of its own, so there is nothing to include. */
const INCLUDED = [RESULTS, LOGPROBS, 'reasoning.encrypted_content'];

const MOST_STORES = 50;
/** Of an id that a program sends back. */
const LONGEST_ID = 200;
const COUNT = `must be a text, or a list of 1 to ${MOST_MESSAGES} messages.`;

const INPUT_MESSAGE = { type: z.literal('message').optional(), id: anything, status: anything, phase: anything };

/** A message of the input. What else a response gave says nothing of its own, where a program sends all of it back. */
const inputItem = variantsBy(
  'type',
  [
    z.discriminatedUnion('role', messageOf(['input_text', 'output_text'], INPUT_MESSAGE), {
      error: ({ input }) => otherRole((input as Fields)['role']),
    }),
    z.strictObject({ type: z.literal('item_reference'), id: z.string() }),
    z.looseObject({ type: z.literal(['file_search_call', 'reasoning']) }).transform(() => null),
  ],
  (type) => `Items of the type ${JSON.stringify(type)} are not supported: there are messages, and references to them.`,
);

const fileSearch = objectOf({
  type: z.literal('file_search', {
    error: ({ input }) =>
      `Tools of the type ${JSON.stringify(input)} are not supported: there is file_search, over collections.`,
  }),
  vector_store_ids: z.array(z.string()).min(1).max(MOST_STORES),
  max_num_results: resultLimit,
  filters: only([]),
  ranking_options: only([]),
});

const TOOL_CHOICE =
  'must be "none", "auto", or, with file_search among the tools, "required" or { "type": "file_search" }.';

const SAYS_WHAT_IS_SEARCHED = 'Leave it out: file_search says what is searched.';

/** A body of `POST /v1/responses`. */
export const responseBody = objectOf({
  model: filledText,
  input: z.union([z.string(), z.array(inputItem, COUNT).min(1, COUNT).max(MOST_MESSAGES, COUNT)], COUNT),
  instructions: z.string().optional(),
  previous_response_id: z.string().optional(),
  store: z.boolean().default(true),
  stream: flag,
  max_output_tokens: z.number().optional(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  top_logprobs: z.number().optional(),
  include: z.array(z.enum(INCLUDED)).default([]),
  metadata: notesOf(note).default({}),
  text: objectOf({ format: textFormat.optional(), verbosity: anything }).default({}),
  tools: z.array(fileSearch).max(1, 'must be a list of at most one file_search, over any stores.').default([]),
  tool_choice: z
    .union([z.enum(['none', 'auto', 'required']), z.strictObject({ type: z.literal('file_search') })], TOOL_CHOICE)
    .default('auto'),
  user: z.string().optional(),
  safety_identifier: z.string().optional(),
  graft: graftOptions.optional(),
  background: only([false], 'no response is made in the background, so stream it'),
  conversation: only([], 'no conversations are kept here, so go on with previous_response_id'),
  prompt: only([], 'no prompts are kept here, so send instructions and input'),
  truncation: only(['disabled']),
  moderation: only([]),
  context_management: only([[]]),
  ...IGNORED,
})
  .refine(({ tools, tool_choice: choice }) => tools.length > 0 || choice === 'none' || choice === 'auto', {
    path: ['tool_choice'],
    error: TOOL_CHOICE,
    params: { code: 'unsupported_value' },
  })
  .superRefine(({ graft = {}, ...fields }, context) => {
    if (!searchOf(fields)) return;
    for (const name of ['collections', 'strategy'] as const)
      if (graft[name] !== undefined)
        context.addIssue({ code: 'custom', path: ['graft', name], message: SAYS_WHAT_IS_SEARCHED });
  });
type ResponseBody = z.output<typeof responseBody>;

/** What a list of input items may be asked for, and a response: clients write lists in both ways. */
const including = { include: anything, 'include[]': anything };
export const itemsQuery = listQuery(20, including);

/** The query of `GET /v1/responses/:id`. */
export const responseQuery = objectOf({
  include: z.union([z.string(), z.array(z.string())]).optional(),
  'include[]': z.union([z.string(), z.array(z.string())]).optional(),
  stream: z.enum(['true', 'false']).default('false'),
  starting_after: z.coerce.number().int().default(-1),
  include_obfuscation: anything,
});

/** What a body that was checked asks for. */
export const responseRequest = (fields: ResponseBody): ResponseRequest => ({
  input: typeof fields.input === 'string' ? [{ role: 'user', text: fields.input }] : fields.input.flatMap(itemOf),
  previous: fields.previous_response_id ?? null,
  search: searchOf(fields),
  store: fields.store,
  include: fields.include,
  ignored: [...ignoredOf(fields, IGNORED), ...(fields.text.verbosity === undefined ? [] : ['text.verbosity'])],
  repeated: repeatedOf(fields),
  asker: askerOf(fields),
  chat: (messages) => chatRequest(chatBodyOf(fields, messages)),
});

/** The same as a chat asks for it. */
function chatBodyOf(fields: ResponseBody, messages: readonly Pick<InputItem, 'role' | 'text'>[]): Fields {
  const { model, stream, temperature, top_p, top_logprobs, user, safety_identifier, graft, instructions } = fields;
  const { type, ...schema } = fields.text.format ?? { type: 'text' };
  const system = instructions === undefined ? [] : [{ role: 'system', text: instructions }];
  return {
    ...{ model, stream, temperature, top_p, user, safety_identifier, graft },
    max_completion_tokens: fields.max_output_tokens,
    ...((fields.include.includes(LOGPROBS) || Boolean(top_logprobs)) && { logprobs: true, top_logprobs }),
    response_format: type === 'json_schema' ? { type, json_schema: schema } : { type },
    messages: [...system, ...messages].map(({ role: sayer, text }) => ({ role: sayer, content: text })),
  };
}

/** What a response says of its request. */
const repeatedOf = (fields: ResponseBody): Record<string, Json> => ({
  model: fields.model,
  instructions: fields.instructions ?? null,
  previous_response_id: fields.previous_response_id ?? null,
  max_output_tokens: fields.max_output_tokens ?? null,
  temperature: fields.temperature ?? 0,
  top_p: fields.top_p ?? 1,
  top_logprobs: fields.top_logprobs ?? 0,
  metadata: fields.metadata,
  text: { format: (fields.text.format ?? { type: 'text' }) as Json },
  tools: fields.tools as Json,
  tool_choice: fields.tool_choice,
});

/** Who asks, which a response repeats once: what is kept of it is a hash. */
const askerOf = ({ safety_identifier, user }: ResponseBody): Record<string, Json> => ({
  ...(safety_identifier !== undefined && { safety_identifier }),
  ...(user !== undefined && { user }),
});

function itemOf(item: z.output<typeof inputItem>): InputItem[] {
  if (item === null) return [];
  if (item.type === 'item_reference') return [{ role: 'assistant', text: '', reference: item.id.slice(0, LONGEST_ID) }];
  const { role: sayer, content = '', id } = item;
  const isSentBack = sayer === 'assistant' && typeof id === 'string';
  return [{ role: sayer, text: content, ...(isSentBack && { source: id.slice(0, LONGEST_ID) }) }];
}

function searchOf({ tools, tool_choice: choice }: Pick<ResponseBody, 'tools' | 'tool_choice'>): FileSearch | null {
  const [tool] = tools;
  if (!tool || choice === 'none') return null;
  return { stores: tool.vector_store_ids, most: tool.max_num_results, isRequired: choice !== 'auto' };
}

/** What is to answer where these collections are searched, too: a base model words what they say, an adapter reads them. */
export function searching(target: ModelTarget, collections: readonly string[], isRequired: boolean): ModelTarget {
  const strategies: Partial<Record<StrategyChoice, StrategyChoice>> = {
    BASE: 'RAG',
    ADAPTER: 'HYBRID',
    ...(isRequired && { AUTO: 'RAG' }),
  };
  const strategy = target.strategy ?? 'AUTO';
  return {
    ...target,
    strategy: strategies[strategy] ?? strategy,
    collections: [...(target.collections ?? []), ...collections],
  };
}
