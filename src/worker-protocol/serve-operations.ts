import { z } from 'zod';
import { chatForm, MOST_TEMPLATE_CHARACTERS } from './chat-form.js';
import { callBond, jsonForm } from './json-form.js';
import { actingAdapter, embedderFiles, modelFile, path } from './model-files.js';
import type { ChunkOf, OutputOf, RequestOf, WorkerRole } from './operation.js';
import { float32, int32 } from './typed-arrays.js';

const count = z.number().int().nonnegative();
const milliseconds = z.number().nonnegative();

/** How many threads llama.cpp uses for a batch of prompt tokens and for one decoded token; the best two often differ. */
export const threadChoice = z.object({ prefill: z.number().int().min(1), decode: z.number().int().min(1) });
export type ThreadChoice = z.infer<typeof threadChoice>;

/** Tokens/s at which the model was measured to read a prompt on this machine; left out, the worker guesses until it knows. */
const speed = z.number().positive().optional();

/**
 * A piece of a prompt. Special tokens (`<|im_start|>` and the like) are recognised only where `special` is true; text of users
 * and documents is always `special: false`, so whatever they contain stays text.
 */
const promptSegment = z.object({ text: z.string(), special: z.boolean() });
export type PromptSegment = z.infer<typeof promptSegment>;

/** Holds the answer to a span of these texts, from one word's beginning to another's end, or to the refusal. */
const spanCopy = z.strictObject({
  copyFrom: z.array(z.string().min(1).max(100_000)).max(64),
  /** What is said when the texts hold no answer; left out, a span is always copied. */
  refusal: z.string().min(1).max(256).optional(),
});

const symbol = z.string().min(1).max(8);
/** Holds the answer to a copy of the text in which stretches of whole words may be marked: `open`, words, `between`, type, `close`. */
const markedCopy = z.strictObject({
  mark: z.strictObject({
    text: z.string().min(1).max(100_000),
    open: symbol,
    between: symbol,
    close: symbol,
    types: z.array(z.string().min(1).max(256)).min(1).max(10_000),
  }),
});
export type MarkedCopy = z.infer<typeof markedCopy>['mark'];

export const stopText = z.string().min(1).max(256);

const MOST_BIASES = 300;

/** As many as OpenAI's `top_logprobs`. */
export const MOST_PROBABLE = 20;

const probableToken = z.object({
  /** Its bytes, one character for each (latin1): a token may end in the middle of a character. */
  bytes: z.string(),
  /** Natural logarithm of its probability among all that could be drawn at its place; -9999 for what is less than a number can say. */
  logProbability: z.number().max(0),
});
const writtenToken = probableToken.extend({ top: z.array(probableToken) });
/** A token of an answer, and what the model found most probable in its place, the most probable first. */
export type WrittenToken = z.infer<typeof writtenToken>;

/** So many seeds are told apart: llama.cpp reads the last number of 32 bits as a seed that it is to draw itself. */
export const SEEDS = 0xffff_ffff;

/** How the next token is drawn, as OpenAI's parameters of the same names say; what is missing is left at `SAMPLING`. */
export const sampling = z.strictObject({
  /** The least share of the probability that is drawn from, above a temperature of 0. */
  topP: z.number().min(0).max(1).optional(),
  /** What a token's logit loses for each time that the answer has it. */
  frequencyPenalty: z.number().min(-2).max(2).optional(),
  /** What the logit of a token loses that the answer has. */
  presencePenalty: z.number().min(-2).max(2).optional(),
  /** What is added to logits, by the ids of the model's tokens; one that ends an answer keeps its own. */
  logitBias: z
    .record(z.string().regex(/^\d{1,7}$/), z.number().min(-100).max(100))
    .refine((biases) => Object.keys(biases).length <= MOST_BIASES, `It has more than ${MOST_BIASES} tokens.`)
    .optional(),
});
export type Sampling = z.infer<typeof sampling>;

const generate = {
  input: z.object({
    model: modelFile,
    /** Left out, the worker guesses. */
    threads: threadChoice.optional(),
    speed,
    prompt: z.array(promptSegment).min(1),
    /** Upper bound of generated tokens. */
    maxTokens: z.number().int().min(1),
    /** 0 always takes the most probable token. */
    temperature: z.number().min(0).max(5),
    seed: z.number().int().min(0).max(SEEDS).optional(),
    /** Not with `constraint`. */
    sampling: sampling.optional(),
    /** Texts that end the answer; they are not part of it. */
    stop: z.array(stopText).max(16),
    /** GBNF; the rule `root` is where it starts. */
    grammar: z.string().max(100_000).optional(),
    /** Holds the answer to JSON of this form, without white space; not with `grammar`. */
    json: jsonForm.optional(),
    /** Lets the answer call functions; not with `grammar` or `json`. */
    calls: callBond.optional(),
    /** Not with `grammar`, `json` or `calls`. */
    constraint: z.union([spanCopy, markedCopy]).optional(),
    /** Tells how probable each token was, and so many of the most probable ones at its place; not with `constraint`. */
    probable: z.number().int().min(0).max(MOST_PROBABLE).optional(),
  }),
  chunk: z.discriminatedUnion('type', [
    z.object({ type: z.literal('started'), promptTokens: count, reusedTokens: count }),
    z.object({ type: z.literal('delta'), text: z.string() }),
  ]),
  output: z.object({
    text: z.string(),
    /** `repeated`: the text ended in the same piece over and over. */
    reason: z.enum(['eos', 'stop', 'length', 'repeated']),
    /** With `repeated` only: the UTF-16 length of the text up to the end of the piece's first occurrence. */
    repeatedFrom: count.optional(),
    promptTokens: count,
    /** Tokens of the prompt that an earlier prompt had in common and that were not computed again. */
    reusedTokens: count,
    generatedTokens: count,
    /** From the start of the work (not of the wait) to the first token. */
    prefillMs: milliseconds,
    /** From the first token to the last. */
    decodeMs: milliseconds,
    /** What really acted while it was computed, read back from the context. */
    adapters: z.array(actingAdapter).optional(),
    /** Under a constraint: share of the refusal's first token among all that could begin the answer, 0 to 1. */
    refusalProbability: z.number().min(0).max(1).nullable().optional(),
    /** With `probable`: the tokens of the text, in order. */
    tokens: z.array(writtenToken).optional(),
  }),
};

const scoreNext = {
  input: z.object({
    model: modelFile,
    threads: threadChoice.optional(),
    speed,
    prompt: z.array(promptSegment).min(1),
    /** What could follow the prompt: ids of tokens, or texts that are one token each. */
    candidates: z
      .array(z.union([count, z.string().min(1).max(256)]))
      .min(1)
      .max(4_096),
    /** Computes every token anew: the same request then gives the same bits, whatever was asked before. */
    fresh: z.boolean().optional(),
  }),
  chunk: null,
  /** One value a candidate, in their order. */
  output: z.object({
    tokens: z.array(count),
    logits: z.array(z.number()),
    /** Natural logarithms of the probabilities among all tokens of the vocabulary; a softmax over them compares the candidates alone. */
    logProbabilities: z.array(z.number()),
    promptTokens: count,
    reusedTokens: count,
    prefillMs: milliseconds,
    adapters: z.array(actingAdapter),
  }),
};

/**
 * How probable a text is, token by token: what a model has forgotten of it shows as another perplexity.
 * @throws BAD_USER_INPUT for fewer than two tokens, QUESTION_TOO_LONG
 */
const scoreText = {
  input: z.object({
    model: modelFile,
    threads: threadChoice.optional(),
    /** What comes before the text and is not scored; without it the text's first token is not scored either. */
    given: z.array(promptSegment).optional(),
    text: z.string().min(1).max(20_000),
    /** How many of the most probable tokens are told at each place. */
    top: z.number().int().min(1).max(64),
    /** Tokens whose probabilities are wanted too, row-major [places, wanted / places]. */
    wanted: int32.optional(),
  }),
  chunk: null,
  output: z.object({
    /** Natural logarithms of the probabilities of the text's own tokens, [places]. */
    logProbabilities: float32,
    /** The most probable tokens at each place and the logarithms of their probabilities, [places, top], the most probable first. */
    top: int32,
    topLogProbabilities: float32,
    /** Of `wanted`, in its order. */
    wantedLogProbabilities: float32,
    adapters: z.array(actingAdapter),
  }),
};

const embed = {
  input: z.object({ embedder: embedderFiles, texts: z.array(z.string()).max(100_000) }),
  chunk: null,
  /** `vectors` is row-major, [texts, dimensions]; `truncated` are the places of the texts that were longer than `maxTokens`; `tokens` were read. */
  output: z.object({ vectors: float32, truncated: z.array(count), tokens: count }),
};

const countTokens = {
  input: z.object({
    model: modelFile,
    /** A plain text, or a prompt in segments. */
    texts: z.array(z.union([z.string(), z.array(promptSegment)])).max(10_000),
  }),
  chunk: null,
  output: z.object({ counts: z.array(count) }),
};

/** The tokens of prompts, as `generate` and `scoreNext` read them: engines elsewhere are sent these and no text. */
const tokenize = {
  input: z.object({ model: modelFile, prompts: z.array(z.array(promptSegment).min(1)).min(1).max(1_000) }),
  chunk: null,
  output: z.object({ tokens: z.array(int32) }),
};

/** What is found in a GGUF file that llama.cpp could really load. */
export const fileDescription = z.object({
  architecture: z.string(),
  /** Number of weights. */
  parameters: count,
  /** Of most weights, in GGUF's words: `Q4_1`, `F16`. */
  quantization: z.string(),
  /** Tokens the model was trained for. */
  contextLength: count,
  /** Number of tokens in the vocabulary. */
  vocabulary: count,
  chatTemplate: z.string().nullable(),
  bosToken: z.string(),
  eosToken: z.string(),
  licence: z.string().nullable(),
  name: z.string().nullable(),
  bytes: count,
});
/** What its header says and its loader did. */
export type FileDescription = z.infer<typeof fileDescription>;

const INSPECTION_DEADLINE_MS = 600_000;

/**
 * Loads the file in a process of its own, where the model's template is run, too: how it reads a conversation.
 * @throws MODEL_FILE_INVALID, MODEL_UNSUPPORTED
 */
const inspectModel = {
  deadlineMs: INSPECTION_DEADLINE_MS,
  input: z.object({ path }),
  chunk: null,
  output: fileDescription.extend({ chat: chatForm }),
};

/** The same for the template of a model that was inspected before templates were; `unusable` when it fails. */
const readChat = {
  deadlineMs: INSPECTION_DEADLINE_MS,
  input: z.object({
    template: z.string().max(MOST_TEMPLATE_CHARACTERS).nullable(),
    bosToken: z.string(),
    eosToken: z.string(),
  }),
  chunk: null,
  output: z.object({ chat: chatForm }),
};
export type ChatSource = z.infer<typeof readChat.input>;

export const calibration = z.object({
  threads: threadChoice,
  /** False when other programs kept the processors busy meanwhile: good enough for now, not worth keeping. */
  quiet: z.boolean(),
  measurements: z.array(
    z.object({
      threads: z.number().int().min(1),
      prefillTokensPerSecond: z.number(),
      decodeTokensPerSecond: z.number(),
    }),
  ),
});
export type ThreadCalibration = z.infer<typeof calibration>;

const calibrate = { deadlineMs: 180_000, input: z.object({ model: modelFile }), chunk: null, output: calibration };

/** How words are drawn, by whoever answers, where there is a temperature: engines have defaults of their own, which models bring along. */
export const SAMPLING = { topK: 40, topP: 0.95, minP: 0 } as const;

/** What the worker that answers questions can be asked. */
export const serveOperations = {
  generate,
  scoreNext,
  scoreText,
  embed,
  countTokens,
  tokenize,
  inspectModel,
  readChat,
  calibrate,
};
export type ServeOperations = typeof serveOperations;
export type ModelDescription = OutputOf<ServeOperations['inspectModel']>;
export const serveRole: WorkerRole<ServeOperations> = { name: 'serve', operations: serveOperations };

/** A request of the gateway's: what the operation needs, less what the client adds, and on whose behalf. */
export type ServeRequest<O extends keyof ServeOperations> = Omit<RequestOf<ServeOperations[O]>, 'threads' | 'speed'> & {
  workspaceId: string;
};
export type ScoreNextRequest = ServeRequest<'scoreNext'>;
export type TextScores = OutputOf<ServeOperations['scoreText']>;
export type NextScores = OutputOf<ServeOperations['scoreNext']>;
export type GenerateRequest = ServeRequest<'generate'>;
export type GenerateChunk = ChunkOf<ServeOperations['generate']>;
export type GenerateDone = { type: 'done' } & OutputOf<ServeOperations['generate']>;
export type GenerateEvent = GenerateChunk | GenerateDone;
