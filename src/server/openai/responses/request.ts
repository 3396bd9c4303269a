/** What `/v1/responses` is asked: checked, brought to a chat, and what is kept of it. */
import { z } from 'zod';
import type { StrategyChoice } from '../../../answer/ask/index.js';
import { anyJson, storedJson, type Json } from '../../../kernel/stored-json.js';
import { chatRequest, MOST_MESSAGES, roleOf, textOf, type ChatRequest, type ModelOption } from '../chat-request.js';
import { RefusedField } from '../errors.js';
import {
  fieldsOf,
  note,
  optionalNotes,
  optionalFlag,
  optionalNumber,
  optionalText,
  refuseOthers,
  requiredText,
  resultLimit,
  type Fields,
  type Neutral,
} from '../fields.js';
import type { ModelTarget } from '../model-names.js';

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

const HONOURED = ['model', 'input', 'instructions', 'previous_response_id', 'store', 'stream']
  .concat(['max_output_tokens', 'temperature', 'top_p', 'top_logprobs', 'include', 'metadata', 'text', 'tools'])
  .concat(['tool_choice', 'user', 'safety_identifier', 'graft']);

const NEUTRAL: Record<string, Neutral> = {
  background: [false],
  truncation: ['disabled'],
  moderation: [],
  context_management: [[]],
  service_tier: 'any',
  reasoning: 'any',
  parallel_tool_calls: 'any',
  stream_options: 'any',
  max_tool_calls: 'any',
  prompt_cache_key: 'any',
  prompt_cache_options: 'any',
  prompt_cache_retention: 'any',
};

/** What stands for what isn't here. */
const INSTEAD: Readonly<Record<string, string>> = {
  background: 'No response is made in the background: stream it.',
  conversation: 'No conversations are kept here: go on with previous_response_id.',
  prompt: 'No prompts are kept here: send instructions and input.',
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

/**
 * Reads a body of `POST /v1/responses`.
 * @throws RefusedField that names the first field which can't be honoured
 */
export function responseRequest(body: unknown): ResponseRequest {
  const fields = fieldsOf(body);
  for (const [name, sentence] of Object.entries(INSTEAD))
    if (fields[name]) throw new RefusedField(name, 'unsupported_parameter', sentence);
  const ignored = refuseOthers(fields, HONOURED, NEUTRAL);
  const { verbosity, format, ...otherFields } = fields['text'] == null ? {} : fieldsOf(fields['text'], 'text');
  refuseOthers(otherFields, [], {});
  const include = includedOf(fields);
  const search = searchOf(fields);
  if (search) refuseOtherSearch(fields);
  const repeated = repeatedOf(fields, format);
  const chat: ResponseRequest['chat'] = (messages) => chatRequest(chatBody(fields, { messages, format, include }));
  return {
    input: inputOf(fields),
    previous: optionalText(fields, 'previous_response_id'),
    search,
    store: fields['store'] == null || optionalFlag(fields, 'store'),
    include,
    ignored: verbosity == null ? ignored : [...ignored, 'text.verbosity'],
    repeated,
    asker: askerOf(fields),
    chat,
  };
}

/** The same as a chat asks for it. */
function chatBody(
  fields: Fields,
  {
    messages,
    format,
    include,
  }: { messages: readonly Pick<InputItem, 'role' | 'text'>[]; format: unknown; include: string[] },
): Fields {
  const { model, stream, temperature, top_p, top_logprobs, user, safety_identifier, graft, instructions } = fields;
  const { type, ...schema } = format == null ? { type: 'text' } : fieldsOf(format, 'text.format');
  const system = instructions == null ? [] : [{ role: 'system', text: instructions }];
  return {
    ...{ model, stream, temperature, top_p, user, safety_identifier, graft },
    max_completion_tokens: fields['max_output_tokens'],
    ...((include.includes(LOGPROBS) || Boolean(top_logprobs)) && { logprobs: true, top_logprobs }),
    response_format: type === 'json_schema' ? { type, json_schema: schema } : { type, ...schema },
    messages: [...system, ...messages].map(({ role, text }) => ({ role, content: text })),
  };
}

/** What a response says of its request. */
const repeatedOf = (fields: Fields, format: unknown): Record<string, Json> => ({
  model: requiredText(fields, 'model'),
  instructions: optionalText(fields, 'instructions'),
  previous_response_id: optionalText(fields, 'previous_response_id'),
  max_output_tokens: optionalNumber(fields, 'max_output_tokens'),
  temperature: optionalNumber(fields, 'temperature') ?? 0,
  top_p: optionalNumber(fields, 'top_p') ?? 1,
  top_logprobs: optionalNumber(fields, 'top_logprobs') ?? 0,
  metadata: optionalNotes(fields, 'metadata', note) ?? {},
  text: { format: (format ?? { type: 'text' }) as Json },
  tools: (fields['tools'] ?? []) as Json,
  tool_choice: (fields['tool_choice'] ?? 'auto') as Json,
});

/** Who asks, which a response repeats once: what is kept of it is a hash. */
const askerOf = (fields: Fields): Record<string, Json> =>
  Object.fromEntries(
    ['safety_identifier', 'user'].flatMap((name) => (fields[name] == null ? [] : [[name, optionalText(fields, name)]])),
  );

function inputOf({ input }: Fields): InputItem[] {
  if (typeof input === 'string') return [{ role: 'user', text: input }];
  if (!Array.isArray(input) || input.length === 0 || input.length > MOST_MESSAGES)
    throw new RefusedField(
      'input',
      'invalid_value',
      `input must be a text, or a list of 1 to ${MOST_MESSAGES} messages.`,
    );
  return input.flatMap((value, index) => itemOf(value, `input[${index}]`));
}

/** What else a response gave, where a program sends all of it back: it says nothing of its own. */
const BESIDE_MESSAGES = ['file_search_call', 'reasoning'];

function itemOf(value: unknown, param: string): InputItem[] {
  const { type = 'message', role, content, id, ...otherFields } = fieldsOf(value, param);
  if (type === 'item_reference') {
    if (typeof id !== 'string') throw new RefusedField(`${param}.id`, 'invalid_value', 'The id must be a string.');
    return [{ role: 'assistant', text: '', reference: id.slice(0, 200) }];
  }
  if (BESIDE_MESSAGES.includes(type as string)) return [];
  if (type !== 'message')
    throw new RefusedField(
      `${param}.type`,
      'unsupported_value',
      `Items of the type ${JSON.stringify(type)} are not supported: there are messages, and references to them.`,
    );
  refuseOthers(otherFields, [], { status: 'any', phase: 'any' });
  const chatRole = roleOf(role, param);
  const text = textOf(content, `${param}.content`, chatRole === 'assistant', ['input_text', 'output_text']);
  const isSentBack = chatRole === 'assistant' && typeof id === 'string';
  return [{ role: role as string, text, ...(isSentBack && { source: id.slice(0, 200) }) }];
}

/** @throws RefusedField where `graft` says otherwise than `file_search` what is searched */
function refuseOtherSearch({ graft }: Fields): void {
  for (const name of ['collections', 'strategy'])
    if (graft != null && fieldsOf(graft, 'graft')[name] != null)
      throw new RefusedField(`graft.${name}`, 'invalid_value', `Leave it out: file_search says what is searched.`);
}

function includedOf({ include }: Fields): string[] {
  if (include == null) return [];
  const { data, error } = z.array(z.enum(INCLUDED)).safeParse(include);
  if (!error) return data;
  throw new RefusedField('include', 'unsupported_value', `Included can be ${INCLUDED.join(', ')}.`);
}

/** @throws RefusedField for any other tool */
function searchOf(fields: Fields): FileSearch | null {
  const tools = fields['tools'] ?? [];
  if (!Array.isArray(tools) || tools.length > 1)
    throw new RefusedField(
      'tools',
      'invalid_value',
      'tools must be a list of at most one file_search, over any stores.',
    );
  const [tool] = tools.map((value) => searchTool(fieldsOf(value, 'tools[0]')));
  const choice = fields['tool_choice'] ?? 'auto';
  const isRequired =
    choice === 'required' || ((choice as Fields)['type'] === 'file_search' && Object.keys(choice).length === 1);
  if (isRequired ? !tool : choice !== 'auto' && choice !== 'none')
    throw new RefusedField(
      'tool_choice',
      'unsupported_value',
      'tool_choice must be "none", "auto", or, with file_search among the tools, "required" or { "type": "file_search" }.',
    );
  return tool && choice !== 'none' ? { ...tool, isRequired } : null;
}

function searchTool({ type, ...toolFields }: Fields): Omit<FileSearch, 'isRequired'> {
  if (type !== 'file_search')
    throw new RefusedField(
      'tools[0].type',
      'unsupported_value',
      `Tools of the type ${JSON.stringify(type)} are not supported: there is file_search, over collections.`,
    );
  refuseOthers(toolFields, ['vector_store_ids', 'max_num_results'], { filters: [], ranking_options: [] });
  const { data: stores, error } = z.array(z.string()).min(1).max(MOST_STORES).safeParse(toolFields['vector_store_ids']);
  if (error)
    throw new RefusedField('tools[0].vector_store_ids', 'invalid_value', `1 to ${MOST_STORES} ids are searched.`);
  return { stores, most: resultLimit(toolFields, 'tools[0].max_num_results') };
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
