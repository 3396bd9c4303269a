import { z } from 'zod';

/** A Float32Array of any realm: `instanceof` fails for one that structured clone made in another (as under a test runner). */
const float32 = z.custom<Float32Array>(
  (value) => Object.prototype.toString.call(value) === '[object Float32Array]',
  'expected a Float32Array',
);
const path = z.string().min(1).max(4096);
const digest = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits');
const count = z.number().int().nonnegative();
const milliseconds = z.number().nonnegative();

/** How many threads llama.cpp uses for a batch of prompt tokens and for one decoded token; the best two often differ. */
export const threadChoice = z.object({ prefill: z.number().int().min(1), decode: z.number().int().min(1) });
export type ThreadChoice = z.infer<typeof threadChoice>;

/** A GGUF file; `contextLength` is in tokens. */
export const modelFile = z.object({ path, sha256: digest, contextLength: z.number().int().min(1) });
export type ModelFile = z.infer<typeof modelFile>;

/** An ONNX sentence encoder with its tokenizer; together they are the identity that an index is bound to. */
export const embedderFiles = z.object({
  name: z.string().min(1),
  modelPath: path,
  tokenizerPath: path,
  sha256: digest,
  tokenizerSha256: digest,
  dimensions: z.number().int().min(1),
  pooling: z.literal('mean'),
  normalised: z.literal(true),
  /** Texts are cut after this many tokens, special ones included. */
  maxTokens: z.number().int().min(3),
});
export type EmbedderFiles = z.infer<typeof embedderFiles>;

/** Special tokens are recognised only where `special` is true: text of users and documents is always `special: false`. */
export const promptSegment = z.object({ text: z.string(), special: z.boolean() });
export type PromptSegment = z.infer<typeof promptSegment>;

const servedModel = modelFile.extend({ threads: threadChoice.optional() });

export const generateInput = z.object({
  model: servedModel,
  prompt: z.array(promptSegment).min(1),
  maxTokens: z.number().int().min(1),
  /** 0 always takes the most probable token. */
  temperature: z.number().min(0).max(5),
  seed: z.number().int().min(0).max(0xffffffff).optional(),
  /** Texts that end the answer; they are not part of it. */
  stop: z.array(z.string().min(1).max(256)).max(16),
  /** GBNF; the rule `root` is where it starts. */
  grammar: z.string().max(100_000).optional(),
});

export const generateChunk = z.discriminatedUnion('type', [
  z.object({ type: z.literal('started'), promptTokens: count, reusedTokens: count }),
  z.object({ type: z.literal('delta'), text: z.string() }),
]);

export const generateOutput = z.object({
  text: z.string(),
  reason: z.enum(['eos', 'stop', 'length']),
  promptTokens: count,
  /** Tokens of the prompt that an earlier prompt had in common and that were not computed again. */
  reusedTokens: count,
  generatedTokens: count,
  /** From the start of the work (not of the wait) to the first token. */
  prefillMs: milliseconds,
  /** From the first token to the last. */
  decodeMs: milliseconds,
});

export const embedInput = z.object({ embedder: embedderFiles, texts: z.array(z.string()).max(100_000) });
/** `vectors` is row-major, [texts, dimensions]. */
export const embedOutput = z.object({ vectors: float32, truncated: count });

export const countTokensInput = z.object({
  model: modelFile,
  /** A plain text, or a prompt in segments. */
  texts: z.array(z.union([z.string(), z.array(promptSegment)])).max(10_000),
});
export const countTokensOutput = z.object({ counts: z.array(count) });

export const inspectModelInput = z.object({ path });
export const modelDescription = z.object({
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
export type ModelDescription = z.infer<typeof modelDescription>;

export const calibrateInput = z.object({ model: modelFile });
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
export type Calibration = z.infer<typeof calibration>;

/** Every operation with the check of its input and output, and of its chunks if it streams. */
export const OPERATIONS = {
  generate: { input: generateInput, output: generateOutput, chunk: generateChunk },
  embed: { input: embedInput, output: embedOutput, chunk: null },
  countTokens: { input: countTokensInput, output: countTokensOutput, chunk: null },
  inspectModel: { input: inspectModelInput, output: modelDescription, chunk: null },
  calibrate: { input: calibrateInput, output: calibration, chunk: null },
} as const;

export type Operation = keyof typeof OPERATIONS;
export type InputOf<O extends Operation> = z.infer<(typeof OPERATIONS)[O]['input']>;
export type OutputOf<O extends Operation> = z.infer<(typeof OPERATIONS)[O]['output']>;
export type GenerateChunk = z.infer<typeof generateChunk>;

/** What a caller of the gateway's worker client asks for; the client adds the thread counts. */
export interface GenerateRequest {
  workspaceId: string;
  model: ModelFile;
  prompt: PromptSegment[];
  /** Upper bound of generated tokens. */
  maxTokens: number;
  temperature: number;
  seed?: number;
  stop: string[];
  grammar?: string;
}

export type GenerateDone = { type: 'done' } & OutputOf<'generate'>;
export type GenerateEvent = GenerateChunk | GenerateDone;
