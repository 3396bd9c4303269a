import { badInput } from '../../kernel/errors.js';
import type { StepMessage } from '../../sources/prompting/index.js';
import type { ServedVariant } from '../../sources/registry/index.js';
import type { CallBond, ChatFunction, JsonForm, ToolForm } from '../../worker-protocol/index.js';
import type { StrategyChoice } from './strategies.js';

/** Functions of the program that asks, which the model may call. */
export interface ToolUse {
  functions: readonly CallableFunction[];
  /** NONE: they are shown, and the answer is text. */
  choice: 'AUTO' | 'REQUIRED' | 'NONE';
  /** The one that has to be called; null: any. */
  only: string | null;
  /** Whether an answer may have several calls. */
  isParallel: boolean;
  /** Calls behind the question, and what they gave, oldest first. */
  steps: readonly StepMessage[];
}

interface CallableFunction {
  definition: ChatFunction;
  /** What its arguments are held to. */
  form: JsonForm;
}

const FIELD = 'input.tools';

/** Parts of all functions' forms together: llama.cpp reads a rule for each before the first token. */
const MOST_PARTS = 2_048;

/** @throws BAD_USER_INPUT */
export function checkedTools(
  strategy: StrategyChoice,
  { tools, form }: { tools?: ToolUse | null; form?: JsonForm | null },
): { tools?: ToolUse } {
  if (!tools) return {};
  if (strategy !== 'BASE')
    throw badInput(
      FIELD,
      'Functions are called by base models alone.',
      'Name a base model, or leave the functions out.',
    );
  if (form && tools.choice !== 'NONE')
    throw badInput('input.form', 'An answer is held to a schema or may call functions, not both.', 'Leave one out.');
  const parts = tools.functions.reduce((sum, { form: { length } }) => sum + length, 0);
  if (parts > MOST_PARTS)
    throw badInput(FIELD, `The functions’ schemas have ${parts} parts together; at most ${MOST_PARTS} are read.`);
  return { tools };
}

/** How the model takes functions. @throws BAD_USER_INPUT for a model that doesn't */
export function toolFormOf({ chat, model }: Pick<ServedVariant, 'chat' | 'model'>): ToolForm {
  if (chat.kind === 'wrapped' && chat.tools) return chat.tools;
  throw badInput(
    FIELD,
    `${model} calls no functions: its chat template has no form for them that Graft reads.`,
    'Name a base model whose template has one, or leave the functions out.',
  );
}

/** What the answer is held to; null where it may be text alone. */
export function bondOf(variant: ServedVariant, { functions, choice, only, isParallel }: ToolUse): CallBond | null {
  if (choice === 'NONE' || functions.length === 0) return null;
  const { call } = toolFormOf(variant);
  const offered = functions.filter(({ definition }) => only === null || definition.function.name === only);
  return {
    ...call,
    between: isParallel ? call.between : null,
    functions: offered.map(({ definition, form }) => ({ name: definition.function.name, arguments: form })),
    isRequired: choice === 'REQUIRED',
  };
}
