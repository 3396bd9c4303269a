import type { z } from 'zod';
import type { ErrorCode } from '../../kernel/error-codes.js';
import { GraftError } from '../../kernel/errors.js';
import { httpStatus, type ErrorPresenter } from '../graphql/errors.js';
import type { errorShape } from './shapes.js';

/** An error as OpenAI's clients read it. */
export type OpenAiError = z.infer<typeof errorShape>;

/** A field of the request that can't be honoured: refused by its name, never left out in silence. */
export class RefusedField extends GraftError {
  constructor(
    readonly param: string,
    readonly openAiCode: 'unknown_parameter' | 'unsupported_parameter' | 'unsupported_value' | 'invalid_value',
    message: string,
    hint?: string,
  ) {
    super('BAD_USER_INPUT', message, { field: param, ...(hint === undefined ? {} : { hint }) });
  }
}

/** Arguments of `ask` by the names that the request has for them. */
const PARAMS: Record<string, string> = {
  'input.question': 'messages',
  'input.system': 'messages',
  'input.adapter': 'model',
  'input.model': 'model',
  'input.collections': 'model',
  'input.generation.maxTokens': 'max_completion_tokens',
  'input.generation.temperature': 'temperature',
  'input.generation.seed': 'seed',
  'input.sampling.stop': 'stop',
  'input.sampling.topP': 'top_p',
  'input.sampling.frequencyPenalty': 'frequency_penalty',
  'input.sampling.presencePenalty': 'presence_penalty',
  'input.sampling.logitBias': 'logit_bias',
  'input.form': 'response_format',
  'input.probable': 'logprobs',
  'input.documents.0.file': 'file_id',
  'input.unit': 'user',
  'input.requestId': 'idempotency-key',
  'input.name': 'suffix',
  'input.files': 'training_file',
  'input.validationFiles': 'validation_file',
  'input.recipe.epochs': 'hyperparameters.n_epochs',
  'input.recipe.batchExamples': 'hyperparameters.batch_size',
  'input.recipe.learningRate': 'hyperparameters.learning_rate_multiplier',
  'input.recipe.seed': 'seed',
};

/** What OpenAI calls it, where it has a word that clients act on. */
const CODES: Partial<Record<ErrorCode, string>> = {
  QUESTION_TOO_LONG: 'context_length_exceeded',
  OVERLOADED: 'rate_limit_exceeded',
  BUDGET_EXCEEDED: 'insufficient_quota',
  UNAUTHENTICATED: 'invalid_api_key',
};

const TYPES: Record<number, string> = {
  401: 'authentication_error',
  403: 'permission_error',
  429: 'rate_limit_error',
};

/**
 * @param presented what may be told of the error (`ErrorPresenter.presentPlain`)
 * @param status the HTTP status that it goes with
 * @param names of the fields of a chat, where the address has others for them
 */
function openAiError(
  error: unknown,
  presented: { message: string; extensions: { code: ErrorCode; field?: string; hint?: string } },
  status: number,
  names: Readonly<Record<string, string>> = {},
): OpenAiError {
  const { code, field, hint } = presented.extensions;
  const ofChat = field === undefined ? null : (PARAMS[field] ?? field.replace(/^input\./, ''));
  const param = ofChat && (names[ofChat.replace(/[[.].*/, '')] ?? ofChat);
  const fieldName =
    error instanceof RefusedField
      ? error.openAiCode
      : code === 'NOT_FOUND' && param === 'model'
        ? 'model_not_found'
        : (CODES[code] ?? code.toLowerCase());
  return {
    error: {
      message: hint === undefined ? presented.message : `${presented.message} ${hint}`,
      type: TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'server_error'),
      param,
      code: fieldName,
    },
  };
}

/** An error with the status that it goes with, as an address with these names of fields answers it. */
export function answeredError(
  presenter: ErrorPresenter,
  error: unknown,
  { requestId, names }: { requestId: string; names?: Readonly<Record<string, string>> },
): { status: number; body: OpenAiError } {
  const presented = presenter.presentPlain(error, requestId);
  const status = httpStatus(presented.extensions.code);
  return { status, body: openAiError(error, presented, status, names) };
}
