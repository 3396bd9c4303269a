/**
 * The names of attributes, as OpenTelemetry's conventions have them at present: those for GenAI of semantic-conventions-genai 0.1.0, the
 * others of semantic-conventions 1.45. The former are in development and change; they are changed here and nowhere else.
 */
export const GEN_AI = {
  OPERATION: 'gen_ai.operation.name',
  PROVIDER: 'gen_ai.provider.name',
  /** `name@3` of an adapter, else the model's name. */
  MODEL: 'gen_ai.request.model',
  MAX_TOKENS: 'gen_ai.request.max_tokens',
  TEMPERATURE: 'gen_ai.request.temperature',
  SEED: 'gen_ai.request.seed',
  FINISH_REASONS: 'gen_ai.response.finish_reasons',
  INPUT_TOKENS: 'gen_ai.usage.input_tokens',
  /** Of these, not computed again. */
  CACHED_TOKENS: 'gen_ai.usage.cache_read.input_tokens',
  OUTPUT_TOKENS: 'gen_ai.usage.output_tokens',
  CONVERSATION: 'gen_ai.conversation.id',
  TOP_K: 'gen_ai.retrieval.top_k',
  /** Only where text is asked for. */
  INPUT_MESSAGES: 'gen_ai.input.messages',
  OUTPUT_MESSAGES: 'gen_ai.output.messages',
} as const;

/** Values of `gen_ai.operation.name`. */
export const GEN_AI_OPERATION = { CHAT: 'chat', RETRIEVAL: 'retrieval' } as const;

/** The value of `gen_ai.provider.name`: the conventions list no provider that serves a team's own models. */
export const PROVIDER = 'graft';

/** `gen_ai.client.inference.duration`, as Prometheus writes the name. */
export const INFERENCE_DURATION = 'gen_ai_client_inference_duration_seconds';

export const HTTP = {
  METHOD: 'http.request.method',
  ROUTE: 'http.route',
  STATUS: 'http.response.status_code',
  SERVER: 'server.address',
  PORT: 'server.port',
} as const;

export const GRAPHQL = { TYPE: 'graphql.operation.type', NAME: 'graphql.operation.name' } as const;

/** A code of Graft's closed list, else the error's class. */
export const ERROR_TYPE = 'error.type';

/** Graft's own. */
export const GRAFT = {
  WORKSPACE: 'graft.workspace',
  /** As in log lines and in answered errors. */
  REQUEST_ID: 'graft.request_id',
  TRANSPORT: 'graft.transport',
  ANSWER: 'graft.answer_id',
  /** The strategy that answers. */
  ROUTE: 'graft.route',
  CHOSEN_BY: 'graft.route.chosen_by',
  /** Of an experiment or a rollout: its kind and id, the arm, and how probable the arm was. */
  TEST: 'graft.test',
  TEST_ID: 'graft.test.id',
  ARM: 'graft.arm',
  PROPENSITY: 'graft.propensity',
  /** Of everything but question and documents that the answer depends on. */
  CONFIGURATION: 'graft.configuration.digest',
  WORDING: 'graft.wording',
  REFUSED: 'graft.refused',
  CITATIONS: 'graft.citations',
  PASSAGES: 'graft.passages',
  DEGRADED: 'graft.degraded',
  /** Only where text is asked for. */
  QUESTION: 'graft.question',
  RESULTS: 'graft.results',
  PRIORITY: 'graft.worker.priority',
  ROLE: 'graft.worker.role',
  DROPPED_SPANS: 'graft.worker.dropped_spans',
  RUN: 'graft.run.id',
  RUN_KIND: 'graft.run.kind',
  RUN_ATTEMPT: 'graft.run.attempt',
  RUN_STATUS: 'graft.run.status',
  /** Row id of what the run is about. */
  RUN_SUBJECT: 'graft.run.subject',
  /** 0 to 1. */
  FRACTION: 'graft.run.fraction',
} as const;
