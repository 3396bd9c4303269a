import { MAX_ANSWER_TOKENS, StrategyChoiceValues, type AskInput, type StrategyChoice } from '../../answer/ask/index.js';
import { MOST_PROBABLE, type JsonForm } from '../../worker-protocol/index.js';
import { RefusedField } from './errors.js';
import { formOf } from './response-format.js';
import {
  fieldsOf,
  optionalFlag,
  optionalNumber,
  optionalText,
  refuseOthers,
  requiredText,
  type Fields,
  type Neutral,
} from './fields.js';

/** What a chat completion asks for, checked. */
export interface ChatRequest {
  model: string;
  /** What the user said last. */
  question: string;
  /** What the user said before, oldest first, and what was answered. */
  earlier: NonNullable<AskInput['earlier']>;
  /** System and developer messages, a paragraph each; null without any. */
  system: string | null;
  /** How many answers, each a choice. */
  n: number;
  generation: { maxTokens?: number; temperature?: number; seed?: number };
  sampling: NonNullable<AskInput['sampling']> | null;
  /** JSON that the answer is held to; null where it is text. */
  form: JsonForm | null;
  /** How many of the most probable tokens are told beside each; null where no log-probabilities are wanted. */
  probable: number | null;
  /** Who asks, for experiments. */
  unit: string | null;
  stream: boolean;
  includeUsage: boolean;
  /** Options of `ask` that OpenAI has no word for: the request's `graft` object. */
  more: Pick<AskInput, 'strategy' | 'collections' | 'dataset' | 'minConfidence' | 'maxErrorRate'>;
  /** Names of what was sent for the model's words: a quote or a label leaves it without effect. */
  options: ModelOption[];
  /** Names of what was sent and acts on no answer. */
  ignored: string[];
}

/** What acts on the words that a model writes; `system` stands for system and developer messages. */
const OPTIONS = [
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'seed',
  'stop',
  'top_p',
  'frequency_penalty',
  'presence_penalty',
  'logit_bias',
  'logprobs',
  'top_logprobs',
] as const;
export type ModelOption = (typeof OPTIONS)[number] | 'system';

const HONOURED = [
  'model',
  'messages',
  'stream',
  'stream_options',
  'n',
  ...OPTIONS,
  'response_format',
  'user',
  'safety_identifier',
  'graft',
];

/** What may be sent because it says nothing that would change the answer. */
const NEUTRAL: Record<string, Neutral> = {
  tools: [[]],
  tool_choice: ['none', 'auto'],
  functions: [[]],
  function_call: ['none', 'auto'],
  modalities: [['text']],
  audio: [],
  web_search_options: [],
  moderation: [],
  // They name, keep, place or hurry the request, or ask for an effort that no model here knows: an answer means the same.
  service_tier: 'any',
  reasoning_effort: 'any',
  verbosity: 'any',
  prediction: 'any',
  parallel_tool_calls: 'any',
  metadata: 'any',
  store: 'any',
  prompt_cache_key: 'any',
  prompt_cache_options: 'any',
  prompt_cache_retention: 'any',
};

export const MOST_MESSAGES = 200;
const MOST_CHOICES = 8;
const STRATEGIES: readonly StrategyChoice[] = Object.values(StrategyChoiceValues);

/**
 * Reads a body of `POST /v1/chat/completions`.
 * @throws RefusedField that names the first field which can't be honoured
 */
export function chatRequest(body: unknown): ChatRequest {
  const fields = fieldsOf(body);
  const ignored = refuseOthers(fields, HONOURED, NEUTRAL);
  const conversation = conversationOf(fields);
  const streamed = optionalFlag(fields, 'stream');
  return {
    model: requiredText(fields, 'model'),
    ...conversation,
    n: choicesOf(fields),
    generation: generationOf(fields),
    sampling: samplingOf(fields),
    form: formOf(fields),
    probable: probableOf(fields),
    unit: optionalText(fields, 'safety_identifier') ?? optionalText(fields, 'user'),
    stream: streamed,
    includeUsage: includesUsage(fields, streamed),
    more: moreOf(fields),
    options: [...(conversation.system ? ['system' as const] : []), ...OPTIONS.filter((name) => isSent(fields[name]))],
    ignored,
  };
}

/** What asks for nothing counts as left out, as null does. */
const ASKS_NOTHING = new Set(['null', 'false', '[]', '{}', '""']);
const isSent = (value: unknown): boolean => value !== undefined && !ASKS_NOTHING.has(JSON.stringify(value));

/** What the user said, in order, and what the program says to it; the last message is the user's. */
function conversationOf({ messages }: Fields): Pick<ChatRequest, 'question' | 'earlier' | 'system'> {
  if (!Array.isArray(messages) || messages.length === 0)
    throw new RefusedField('messages', 'invalid_value', 'messages must be a list with at least one message.');
  if (messages.length > MOST_MESSAGES)
    throw new RefusedField(
      'messages',
      'invalid_value',
      `At most ${MOST_MESSAGES} messages are read, not ${messages.length}.`,
    );
  const turns = messages.map((message, index) => messageOf(message, `messages[${index}]`));
  if (turns.at(-1)!.role !== 'user')
    throw new RefusedField(
      `messages[${turns.length - 1}].role`,
      'unsupported_value',
      'The last message must be the user’s.',
    );
  const instructions = turns.flatMap(({ role, text }) => (role === 'system' ? [text] : []));
  return { question: turns.at(-1)!.text, earlier: earlierOf(turns), system: instructions.join('\n\n') || null };
}

/** Each message of the user but the last, with what an assistant said to it. */
function earlierOf(said: readonly Message[]): { question: string; answer: string | null }[] {
  const turns: { question: string; answer: string | null }[] = [];
  for (const { role, text } of said.slice(0, -1)) {
    const last = turns.at(-1);
    if (role === 'user') turns.push({ question: text, answer: null });
    else if (role === 'assistant' && last && text !== '')
      last.answer = last.answer === null ? text : `${last.answer}\n\n${text}`;
  }
  return turns;
}

interface Message {
  role: 'user' | 'assistant' | 'system';
  text: string;
}

/** OpenAI's newer name of a system message is `developer`. */
const ROLES: Readonly<Record<string, Message['role']>> = {
  user: 'user',
  assistant: 'assistant',
  system: 'system',
  developer: 'system',
};

function messageOf(message: unknown, param: string): Message {
  const {
    role,
    content,
    name: _name,
    refusal: _refusal,
    annotations: _annotations,
    ...others
  } = fieldsOf(message, param);
  for (const [key, value] of Object.entries(others))
    if (value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0))
      throw new RefusedField(`${param}.${key}`, 'unsupported_parameter', `"${key}" of a message is not supported.`);
  const knownRole = roleOf(role, param);
  return { role: knownRole, text: textOf(content, `${param}.content`, knownRole === 'assistant') };
}

/** @throws RefusedField */
export function roleOf(role: unknown, param: string): Message['role'] {
  const knownRole = typeof role === 'string' && Object.hasOwn(ROLES, role) ? ROLES[role] : undefined;
  if (knownRole !== undefined) return knownRole;
  throw new RefusedField(
    `${param}.role`,
    'unsupported_value',
    `Messages of the role ${JSON.stringify(role)} are not supported.`,
  );
}

/** A message's text: a string, or parts of these types. @throws RefusedField */
export function textOf(content: unknown, param: string, mayBeMissing: boolean, types = ['text']): string {
  if (typeof content === 'string') return content;
  if (content === null && mayBeMissing) return '';
  if (!Array.isArray(content))
    throw new RefusedField(param, 'invalid_value', 'content must be a string or a list of text parts.');
  return content
    .map((part: unknown, index) => {
      const { type, text, refusal } = fieldsOf(part, `${param}[${index}]`);
      if (types.includes(type as string) && typeof text === 'string') return text;
      if (type === 'refusal' && typeof refusal === 'string' && mayBeMissing) return refusal;
      throw new RefusedField(
        `${param}[${index}].type`,
        'unsupported_value',
        `Parts of the type ${JSON.stringify(type)} are not supported; ${types[0]} is.`,
      );
    })
    .join('\n');
}

function choicesOf(fields: Fields): number {
  const n = optionalNumber(fields, 'n') ?? 1;
  if (Number.isInteger(n) && n >= 1 && n <= MOST_CHOICES) return n;
  throw new RefusedField('n', 'invalid_value', `n must be a whole number between 1 and ${MOST_CHOICES}, not ${n}.`);
}

function generationOf(fields: Fields): ChatRequest['generation'] {
  const limit = optionalNumber(fields, 'max_completion_tokens') ?? optionalNumber(fields, 'max_tokens');
  const temperature = optionalNumber(fields, 'temperature');
  const seed = optionalNumber(fields, 'seed');
  return {
    // A bound from above: the gateway's own, where it is lower, keeps it too, and `finish_reason` says when it was met.
    ...(limit === null ? {} : { maxTokens: Math.min(limit, MAX_ANSWER_TOKENS) }),
    ...(temperature === null ? {} : { temperature }),
    ...(seed === null ? {} : { seed }),
  };
}

/** Their ranges are those of `ask`, which tells of them by the same names. */
function samplingOf(fields: Fields): ChatRequest['sampling'] {
  const { stop, logit_bias: logitBias } = fields;
  const numbers = {
    topP: optionalNumber(fields, 'top_p'),
    frequencyPenalty: optionalNumber(fields, 'frequency_penalty'),
    presencePenalty: optionalNumber(fields, 'presence_penalty'),
  };
  const asked = {
    ...Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== null)),
    ...(isSent(stop) && { stop: (Array.isArray(stop) ? stop : [stop]) as string[] }),
    ...(isSent(logitBias) && { logitBias: fieldsOf(logitBias, 'logit_bias') as Record<string, number> }),
  };
  return Object.keys(asked).length === 0 ? null : asked;
}

/** @throws RefusedField for `top_logprobs` without `logprobs`, and beyond 20 */
function probableOf(fields: Fields): number | null {
  const wantsTokens = optionalFlag(fields, 'logprobs');
  const top = optionalNumber(fields, 'top_logprobs');
  if (top !== null && !(Number.isInteger(top) && top >= 0 && top <= MOST_PROBABLE))
    throw new RefusedField(
      'top_logprobs',
      'invalid_value',
      `top_logprobs must be a whole number between 0 and ${MOST_PROBABLE}, not ${top}.`,
    );
  if (top !== null && top > 0 && !wantsTokens)
    throw new RefusedField('top_logprobs', 'invalid_value', 'top_logprobs goes with logprobs: true only.');
  return wantsTokens ? (top ?? 0) : null;
}

function includesUsage({ stream_options: options }: Fields, streamed: boolean): boolean {
  if (options === null || options === undefined) return false;
  if (!streamed)
    throw new RefusedField(
      'stream_options',
      'invalid_value',
      'stream_options goes with stream: true only.',
      'Leave it out.',
    );
  const fields = fieldsOf(options, 'stream_options');
  refuseOthers(fields, ['include_usage'], { include_obfuscation: [false] });
  return optionalFlag(fields, 'include_usage');
}

function moreOf({ graft }: Fields): ChatRequest['more'] {
  if (graft === null || graft === undefined) return {};
  const fields = fieldsOf(graft, 'graft');
  refuseOthers(fields, ['strategy', 'collections', 'dataset', 'minConfidence', 'maxErrorRate'], {});
  const strategy = optionalText(fields, 'strategy');
  if (strategy !== null && !STRATEGIES.includes(strategy as StrategyChoice))
    throw new RefusedField('graft.strategy', 'invalid_value', `strategy must be one of ${STRATEGIES.join(', ')}.`);
  const collections = fields.collections ?? null;
  if (collections !== null && !(Array.isArray(collections) && collections.every((name) => typeof name === 'string')))
    throw new RefusedField('graft.collections', 'invalid_value', 'collections must be a list of names.');
  return {
    ...(strategy === null ? {} : { strategy: strategy as StrategyChoice }),
    ...(collections === null ? {} : { collections: collections }),
    dataset: optionalText(fields, 'dataset'),
    minConfidence: optionalNumber(fields, 'minConfidence'),
    maxErrorRate: optionalNumber(fields, 'maxErrorRate'),
  };
}
