import { z } from 'zod';
import { MAX_ANSWER_TOKENS, StrategyChoiceValues, type AskInput } from '../../answer/ask/index.js';
import type { EarlierTurn, StepMessage } from '../../sources/prompting/index.js';
import { MOST_PROBABLE, type JsonForm } from '../../worker-protocol/index.js';
import { anything, checked, filledText, flag, ignoredOf, objectOf, only, variantsBy, wholeNumber } from './fields.js';
import { responseFormat } from './response-format.js';
import {
  faultOf,
  formerFunctions,
  isOffered,
  toolChoice,
  toolList,
  toolMessage,
  toolsOf,
  writtenCalls,
  type Turn,
} from './tools.js';

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
  /** Functions that the model may call; null where there are none. */
  tools: NonNullable<AskInput['tools']> | null;
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

/** They name, keep, place or hurry the request, or ask for an effort that no model here knows: an answer means the same. */
const IGNORED = {
  service_tier: anything,
  reasoning_effort: anything,
  verbosity: anything,
  prediction: anything,
  metadata: anything,
  store: anything,
  prompt_cache_key: anything,
  prompt_cache_options: anything,
  prompt_cache_retention: anything,
};

export const MOST_MESSAGES = 200;
const MOST_CHOICES = 8;

/** OpenAI's newer name of a system message is `developer`. */
const ROLES = { user: 'user', assistant: 'assistant', system: 'system', developer: 'system' } as const;

/** A message's text: a string, or parts of these types, of which other fields say nothing. A refusal is one, too. */
const contentOf = (types: [string, ...string[]]) =>
  z.union(
    [
      z.string(),
      z
        .array(
          variantsBy(
            'type',
            [
              z.looseObject({ type: z.literal(types), text: z.string() }),
              z.looseObject({ type: z.literal('refusal'), refusal: z.string() }),
            ],
            (type) => `Parts of the type ${JSON.stringify(type)} are not supported; ${types[0]} is.`,
          ),
        )
        .transform((parts) => parts.map((part) => ('text' in part ? part.text : part.refusal) as string).join('\n')),
    ],
    'must be a string or a list of text parts.',
  );

/** A message with parts of these types, and these other fields. Only an assistant may have said nothing. */
export const messageOf = <Shape extends z.ZodRawShape>(types: [string, ...string[]], shape: Shape) =>
  [
    z.strictObject({ ...shape, role: z.enum(['user', 'system', 'developer']), content: contentOf(types) }),
    z.strictObject({ ...shape, role: z.literal('assistant'), content: contentOf(types).optional() }),
  ] as const;

export const otherRole = (role: unknown): string => `Messages of the role ${JSON.stringify(role)} are not supported.`;

const MESSAGE = { name: anything, refusal: anything, annotations: anything, tool_calls: writtenCalls };
const message = variantsBy('role', [...messageOf(['text'], MESSAGE), toolMessage(contentOf(['text']))], otherRole);

/** Options of `ask` that OpenAI has no word for. */
export const graftOptions = objectOf({
  strategy: z.enum(StrategyChoiceValues).optional(),
  collections: z.array(z.string()).optional(),
  dataset: z.string().optional(),
  minConfidence: z.number().optional(),
  maxErrorRate: z.number().optional(),
});

const COUNT = `must be a list of 1 to ${MOST_MESSAGES} messages.`;

/** A body of `POST /v1/chat/completions`. Ranges are those of `ask`, which tells of them by the same names. */
export const chatBody = objectOf({
  model: filledText,
  messages: z
    .array(message, COUNT)
    .min(1, COUNT)
    .max(MOST_MESSAGES, COUNT)
    .superRefine((messages, context) => {
      const fault = messages.length === 0 ? null : faultOf(messages);
      if (fault) context.addIssue({ code: 'custom', params: { code: 'unsupported_value' }, ...fault });
    }),
  stream: flag,
  stream_options: objectOf({ include_usage: flag, include_obfuscation: only([false]) }).optional(),
  n: wholeNumber(1, MOST_CHOICES).default(1),
  max_tokens: z.int().optional(),
  max_completion_tokens: z.int().optional(),
  temperature: z.number().optional(),
  seed: z.int().optional(),
  stop: z.union([z.string(), z.array(z.string())], 'must be a text or a list of texts.').optional(),
  top_p: z.number().optional(),
  frequency_penalty: z.number().optional(),
  presence_penalty: z.number().optional(),
  logit_bias: z.record(z.string(), z.number()).optional(),
  logprobs: flag,
  top_logprobs: wholeNumber(0, MOST_PROBABLE).optional(),
  response_format: responseFormat.optional(),
  user: z.string().optional(),
  safety_identifier: z.string().optional(),
  graft: graftOptions.optional(),
  tools: toolList,
  tool_choice: toolChoice,
  parallel_tool_calls: flag.default(true),
  functions: formerFunctions,
  function_call: only(['none', 'auto']),
  modalities: only([['text']]),
  audio: only([]),
  web_search_options: only([]),
  moderation: only([]),
  ...IGNORED,
})
  .refine(({ stream, stream_options: options }) => stream || options === undefined, {
    path: ['stream_options'],
    error: 'goes with stream: true only. Leave it out.',
  })
  .refine(({ logprobs, top_logprobs: top = 0 }) => logprobs || top === 0, {
    path: ['top_logprobs'],
    error: 'goes with logprobs: true only.',
  })
  .refine(isOffered, {
    path: ['tool_choice'],
    error: 'asks for a function that tools don’t have.',
  });
type ChatBody = z.output<typeof chatBody>;

/**
 * What a body of `POST /v1/chat/completions` asks for.
 * @throws RefusedField that names the first field which can't be honoured
 */
export const chatRequest = (body: unknown): ChatRequest => chatOf(checked(chatBody, body));

/** The same of a body that was checked. */
export function chatOf(fields: ChatBody): ChatRequest {
  const conversation = conversationOf(fields.messages);
  const isSystem = conversation.system !== null;
  return {
    model: fields.model,
    question: conversation.question,
    earlier: conversation.earlier,
    system: conversation.system,
    n: fields.n,
    generation: generationOf(fields),
    sampling: samplingOf(fields),
    form: fields.response_format ?? null,
    tools: toolsOf(fields, conversation),
    probable: fields.logprobs ? (fields.top_logprobs ?? 0) : null,
    unit: fields.safety_identifier ?? fields.user ?? null,
    stream: fields.stream,
    includeUsage: fields.stream_options?.include_usage ?? false,
    more: fields.graft ?? {},
    options: [...(isSystem ? ['system' as const] : []), ...OPTIONS.filter((name) => isSent(fields[name]))],
    ignored: ignoredOf(fields, IGNORED),
  };
}

/** What asks for nothing counts as left out, as null does. */
const ASKS_NOTHING = new Set(['null', 'false', '[]', '{}', '""']);
const isSent = (value: unknown): boolean => value !== undefined && !ASKS_NOTHING.has(JSON.stringify(value));

/** What the user said, in order, and what the program says to it; behind the user's last message there may be calls, and what they gave. */
function conversationOf(
  messages: ChatBody['messages'],
): Pick<ChatRequest, 'question' | 'earlier' | 'system'> & { steps: readonly StepMessage[] } {
  const turns = messages.map((item): Turn => {
    const { role: name, content = '' } = item;
    return {
      role: name === 'tool' ? 'tool' : ROLES[name],
      text: content,
      calls: 'tool_calls' in item ? item.tool_calls : [],
    };
  });
  const instructions = turns.flatMap(({ role: sayer, text }) => (sayer === 'system' ? [text] : []));
  const exchanges = exchangesOf(turns);
  const { question, steps = [] } = exchanges.at(-1)!;
  return { question, earlier: exchanges.slice(0, -1), system: instructions.join('\n\n') || null, steps };
}

/** Each message of the user, with what an assistant said to it at last, and the calls in between. */
function exchangesOf(messages: readonly Turn[]): EarlierTurn[] {
  const turns: { question: string; answer: string | null; steps?: StepMessage[] }[] = [];
  for (const { role: sayer, text, calls } of messages) {
    const last = turns.at(-1);
    if (sayer === 'user') turns.push({ question: text, answer: null });
    else if (!last || sayer === 'system') continue;
    else if (sayer === 'tool') (last.steps ??= []).push({ role: 'tool', content: text });
    else if (calls.length > 0) {
      // What was said in a message before goes on here.
      const content = last.answer === null ? text : `${last.answer}\n\n${text}`;
      last.answer = null;
      (last.steps ??= []).push({ role: 'assistant', content, calls });
    } else if (text !== '') last.answer = last.answer === null ? text : `${last.answer}\n\n${text}`;
  }
  return turns;
}

function generationOf(fields: ChatBody): ChatRequest['generation'] {
  const { max_tokens: limit, max_completion_tokens: maxTokens = limit, temperature, seed } = fields;
  return {
    // A bound from above: the gateway's own, where it is lower, keeps it too, and `finish_reason` says when it was met.
    ...(maxTokens !== undefined && { maxTokens: Math.min(maxTokens, MAX_ANSWER_TOKENS) }),
    ...(temperature !== undefined && { temperature }),
    ...(seed !== undefined && { seed }),
  };
}

function samplingOf({ stop, logit_bias: logitBias, ...fields }: ChatBody): ChatRequest['sampling'] {
  const { top_p: topP, frequency_penalty: frequencyPenalty, presence_penalty: presencePenalty } = fields;
  const sampling = {
    ...(topP !== undefined && { topP }),
    ...(frequencyPenalty !== undefined && { frequencyPenalty }),
    ...(presencePenalty !== undefined && { presencePenalty }),
    ...(isSent(stop) && { stop: [stop!].flat() }),
    ...(isSent(logitBias) && { logitBias }),
  };
  return Object.keys(sampling).length === 0 ? null : sampling;
}
