import { z } from 'zod';
import { readSchema, SchemaFault, type ToolUse } from '../../answer/ask/index.js';
import type { EarlierTurn, StepMessage, ToolCall } from '../../sources/prompting/index.js';
import { ANY_OBJECT, MOST_FUNCTIONS, type JsonForm } from '../../worker-protocol/index.js';
import { anything, filledText, madeOf, objectOf, only, variantsBy } from './fields.js';

/** A message with its calls, whoever says it. */
export interface Turn {
  role: 'user' | 'assistant' | 'system' | 'tool';
  text: string;
  calls: readonly ToolCall[];
}

const functionName = z.string().regex(/^[\w-]{1,64}$/, {
  error: 'must have 1 to 64 letters, digits, underscores or dashes.',
  // What is asked of all functions is asked only where each could be read.
  abort: true,
});

const DEFINITION = {
  name: functionName,
  description: z.string().optional(),
  parameters: z.record(z.string(), z.unknown()).optional(),
  strict: z.boolean().optional(),
};

const functionDefinition = madeOf(DEFINITION, ({ strict = false, parameters = NO_PARAMETERS, ...fields }, context) => ({
  definition: { ...fields, parameters },
  form: formOf(parameters, strict, (message) =>
    context.issues.push({ code: 'custom', path: ['parameters'], message, input: parameters }),
  ),
}));

const NO_PARAMETERS = { type: 'object', properties: {} };

/** What arguments are held to: their schema, or any object where it can't be kept and the client doesn't insist. */
function formOf(
  parameters: Readonly<Record<string, unknown>>,
  strict: boolean,
  refuse: (message: string) => void,
): JsonForm {
  try {
    const form = readSchema(parameters);
    return form[0]!.kind === 'object' || form[0]!.kind === 'map' ? form : ANY_OBJECT;
  } catch (error) {
    if (!(error instanceof SchemaFault)) throw error;
    if (strict)
      refuse(`No call can be held to this schema: ${error.message}. Leave strict out, and any object is taken.`);
    return ANY_OBJECT;
  }
}

const LIST = `must be a list of at most ${MOST_FUNCTIONS} functions, each name once.`;
const otherTool = (type: unknown): string =>
  `Tools of the type ${JSON.stringify(type)} are not supported; function is.`;

/** `tools` of a chat. */
export const toolList = z
  .array(
    variantsBy('type', [z.strictObject({ type: z.literal('function'), function: functionDefinition })], otherTool),
    LIST,
  )
  .max(MOST_FUNCTIONS, LIST)
  .refine((tools) => new Set(tools.map((tool) => tool.function.definition.name)).size === tools.length, LIST)
  .optional();

/** `tool_choice` of a chat. */
export const toolChoice = z
  .union(
    [
      z.enum(['none', 'auto', 'required']),
      objectOf({ type: z.literal('function'), function: objectOf({ name: functionName }) }),
    ],
    'must be "none", "auto", "required" or { "type": "function", "function": { "name": … } }.',
  )
  .default('auto');

/** `tool_calls` of an assistant's message. */
export const writtenCalls = z
  .array(
    objectOf({
      id: filledText,
      type: z.literal('function').default('function'),
      index: anything,
      function: objectOf({ name: functionName, arguments: z.string() }),
    }).transform(({ id, function: call }) => ({ id, ...call })),
  )
  .default([]);

/** What a function gave. */
export const toolMessage = <Content extends z.ZodType>(content: Content) =>
  z.strictObject({ role: z.literal('tool'), content, tool_call_id: filledText, name: anything });

/** `functions`, which `tools` took the place of. */
export const formerFunctions = only([[]], 'it was replaced by tools, which are');

/** Whether there is what has to be called. */
export function isOffered({ tools = [], tool_choice: choice }: Pick<ToolFields, 'tools' | 'tool_choice'>): boolean {
  if (typeof choice === 'string') return choice !== 'required' || tools.length > 0;
  return tools.some((tool) => tool.function.definition.name === choice.function.name);
}

interface ToolFields {
  tools?: z.output<typeof toolList>;
  tool_choice: z.output<typeof toolChoice>;
  parallel_tool_calls: boolean;
}

type Sent = { role: string; tool_calls?: z.output<typeof writtenCalls>; tool_call_id?: string };

/** The first message that is none here: each call has what it gave behind it, and the last word is the user's or a function's. */
export function faultOf(messages: readonly Sent[]): { path: PropertyKey[]; message: string } | null {
  let open: string[] = [];
  let isAsked = false;
  for (const [index, { role, tool_calls: calls = [], tool_call_id: id }] of messages.entries()) {
    if (role === 'tool' && !open.includes(id!))
      return { path: [index, 'tool_call_id'], message: 'must be the id of a call right before it, once.' };
    if (role !== 'tool' && open.length > 0)
      return {
        path: [index, 'role'],
        message: `must be "tool": the call ${open[0]!.slice(0, 64)} has no message yet.`,
      };
    if (calls.length > 0 && !isAsked)
      return { path: [index, 'tool_calls'], message: 'must stand behind a message of the user.' };
    isAsked ||= role === 'user';
    open = role === 'tool' ? open.filter((one) => one !== id) : calls.map((call) => call.id);
  }
  const last = messages.length - 1;
  if (last < 0 || (isAsked && open.length === 0 && ['user', 'tool'].includes(messages[last]!.role))) return null;
  return { path: [last, 'role'], message: 'The last message must be the user’s, or what a function gave.' };
}

/** What the model may call, with the steps that were taken; null where nothing of the kind was sent. */
export function toolsOf(
  { tools = [], tool_choice: choice, parallel_tool_calls: isParallel }: ToolFields,
  { earlier, steps }: { earlier: readonly EarlierTurn[]; steps: readonly StepMessage[] },
): ToolUse | null {
  const isCalled = steps.length > 0 || earlier.some((turn) => turn.steps !== undefined);
  if (!isCalled && (tools.length === 0 || choice === 'none')) return null;
  return {
    functions: tools.map(({ function: { definition, form } }) => ({
      definition: { type: 'function', function: definition },
      form,
    })),
    choice: choice === 'auto' ? 'AUTO' : choice === 'none' ? 'NONE' : 'REQUIRED',
    only: typeof choice === 'object' ? choice.function.name : null,
    isParallel,
    steps,
  };
}
