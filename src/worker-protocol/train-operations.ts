import { z } from 'zod';
import { digest, modelFile, path } from './model-files.js';
import type { ChunkOf, InputOf, Operations, OutputOf, RequestOf, WorkerRole } from './operation.js';
import { threadChoice } from './serve-operations.js';
import { float32, int32 } from './typed-arrays.js';

const count = z.number().int().nonnegative();
const nats = z.number();

/** As prompts of the serve worker: special tokens are recognised only where `special` is true. */
const segment = z.object({ text: z.string(), special: z.boolean() });

/** The tokens of texts, by the tokenizer inside the model's own file: what is trained is cut as what is served. */
const tokenize = {
  input: z.object({
    model: modelFile,
    /** A text that stands in the middle of a prompt, or a whole prompt in segments. */
    texts: z.array(z.union([z.string(), z.array(segment)])).max(1_000_000),
  }),
  chunk: null,
  output: z.object({
    tokens: z.array(int32),
    /** For each text, whether its tokens give it back exactly; true for prompts. */
    roundTrips: z.array(z.boolean()),
    /** What ends an answer. */
    endToken: count,
  }),
};

/**
 * One tokenised example: everything before `answerFrom` is given, the rest is learned. Neighbours of one `group` go through the model
 * together, and what they begin with in common is computed once.
 */
const trainingExample = z.object({ ids: int32, answerFrom: z.number().int().min(1), group: count.optional() });

/** A group goes through the model at once: more take more memory, and save little more time. */
export const MOST_IN_GROUP = 24;

/** How a run learns. */
const trainingRecipe = z.object({
  lora: z.object({
    rank: z.number().int().min(1).max(256),
    /** The update is scaled by alpha / rank. */
    alpha: z.number().positive(),
    targets: z
      .array(z.enum(['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']))
      .min(1)
      .max(7),
  }),
  /** The largest, reached after the warm-up. */
  learningRate: z.number().positive(),
  warmupSteps: count,
  /** Of the largest, where the cosine ends. */
  finalLearningRate: z.number().min(0).max(1),
  weightDecay: z.number().min(0),
  /** Gradients longer than this are shortened to it. */
  clipNorm: z.number().positive(),
  /** Also a part of one. */
  epochs: z.number().positive(),
  /** Examples of a step. */
  batchExamples: z.number().int().min(1),
  /** Most tokens of a step, padding included. */
  batchTokens: z.number().int().min(1),
  /** Most tokens that are computed at once, padding included: between two such parts a run is held, paused or cancelled. */
  microBatchTokens: z.number().int().min(1),
  seed: z.number().int().min(0).max(0xffffffff),
  /** Steps between two looks at the validation examples. */
  validateEvery: z.number().int().min(1),
  /** Looks without improvement after which the run ends; null never ends it early. */
  patience: z.number().int().min(1).nullable(),
  /** Steps between two checkpoints. */
  checkpointEvery: z.number().int().min(1),
  /** Weight of staying near the base model on general text, beside the loss of the answers; 0 turns it off. */
  replayWeight: z.number().min(0),
  /** Of the weights at so many last looks at the validation examples the average is tried at the end; left out, it isn't. */
  averageLast: z.number().int().min(2).max(20).optional(),
});

/** What computes a run; all give the same numbers up to rounding. */
export const EXECUTORS = ['onnx', 'tensorflow'] as const;
export const executorName = z.enum(EXECUTORS);
export type ExecutorName = z.infer<typeof executorName>;

const file = z.object({ path, sha256: digest });
const identity = z.record(z.string(), z.union([z.string(), z.number()]));

const train = {
  input: z.object({
    model: modelFile,
    recipe: trainingRecipe,
    examples: z.array(trainingExample),
    validation: z.array(trainingExample),
    /** Windows of general text; each step replays one. Empty only where `replayWeight` is 0. */
    replay: z.array(int32),
    /** For an adapter that answers by one token: the tokens to choose among. */
    labelTokens: z.array(count).min(2).nullable(),
    /** A folder of the run's own, where checkpoints and the adapter go. */
    folder: path,
    /** The checkpoint to go on from. */
    resume: file.nullable(),
    /** PEFT's two files of the adapter whose weights are where it begins, at the strength at which it acts; left out, it begins as one that changes nothing. */
    parent: z.object({ config: file, weights: file, scale: z.number().nonnegative() }).optional(),
    executor: executorName.default('onnx'),
    /** The most that it may take by the estimate, in bytes; left out, what the machine has. */
    memoryBytes: count.optional(),
    /** Left out, as many as there are cores. A resumed run needs the same number. */
    threads: z.number().int().min(1).optional(),
  }),
  chunk: z.discriminatedUnion('type', [
    z.object({
      type: z.literal('started'),
      step: count,
      steps: count,
      /** Numbers that are trained. */
      parameters: count,
      /** What decides the bits of the result beside the job. */
      identity,
      /** What the run was estimated to take, in bytes. */
      memoryBytes: z.number().nonnegative().optional(),
    }),
    z.object({
      type: z.literal('step'),
      step: count,
      epoch: count,
      /** Mean cross-entropy of the answers' tokens. */
      loss: nats,
      smoothedLoss: nats,
      /** Mean KL divergence from the base model on the replayed window; null without one. */
      replayKl: nats.nullable(),
      learningRate: z.number(),
      /** Before clipping. */
      gradientNorm: z.number(),
      /** Real ones, without padding. */
      tokens: count,
      milliseconds: z.number(),
      /** Memory of the process; a page of a file that is mapped several times counts once where the system tells. */
      memoryBytes: count,
    }),
    /** How many of the validation examples were looked at, in a look that is still going on. */
    z.object({ type: z.literal('validating'), step: count, done: count, examples: count }),
    z.object({
      type: z.literal('validation'),
      step: count,
      loss: nats,
      /** Mean KL divergence from the base model at the answers' places: what predicts forgetting. */
      klToBase: nats,
      /** Share of examples whose label token is the most probable one; null without label tokens. */
      accuracy: z.number().min(0).max(1).nullable(),
      best: z.boolean(),
    }),
    z.object({ type: z.literal('checkpoint'), step: count, ...file.shape }),
  ]),
  output: z.object({
    /** `paused` when asked to: `checkpoint` says how to go on, and there is no adapter yet. */
    outcome: z.enum(['finished', 'stoppedEarly', 'paused']),
    step: count,
    /** The step whose weights the adapter has: the best on validation, or the last. Of an average, its last step. */
    adapterStep: count,
    /** Whether the adapter is the average of the last looks, because that is better on validation than each of them. */
    averaged: z.boolean().default(false),
    bestValidationLoss: nats.nullable(),
    checkpoint: file.nullable(),
    /** PEFT's two files, and the form that llama.cpp serves. */
    adapter: z.object({ config: file, weights: file, gguf: file }).nullable(),
  }),
};

/** What an adapter changes, by the engine that trained it: to be held against what it changes where it is served. */
const probe = {
  input: z.object({
    model: modelFile,
    /** PEFT's two files, and the form made from them that is served. */
    adapter: z.object({ config: file, weights: file, gguf: file }),
    /** What the change is multiplied by. */
    scale: z.number().min(0).max(4),
    prompts: z.array(int32).min(1).max(64),
    /** Tokens whose logits are wanted, as the next one of each prompt. */
    candidates: z.array(count).min(1).max(4_096),
    /** For what is needed only meanwhile. */
    folder: path,
    executor: executorName.default('onnx'),
    threads: z.number().int().min(1).optional(),
  }),
  chunk: null,
  output: z.object({
    /** Row-major, [prompts, candidates]: without the adapter, and with it. */
    off: float32,
    on: float32,
    /** Linear layers that the PEFT files and the served form both change, and all that an adapter of these targets can change. */
    modules: z.object({ matched: count, expected: count }),
  }),
};

/** What a training would take at its largest micro-batch; answered beside a training that is under way. */
const estimateMemory = {
  input: z.object({
    model: modelFile,
    recipe: trainingRecipe,
    /** Tokens of the longest and the shortest example, of the longest answer, and of a window of general text (0: none). */
    longest: z.number().int().min(2),
    shortest: z.number().int().min(2),
    answer: z.number().int().min(1),
    /** Neighbours that share what they begin with, at most; 1: each is alone. */
    together: z.number().int().min(1).max(MOST_IN_GROUP),
    replay: count,
    /** Whether it looks at validation rows, and whether answers are label tokens. */
    validates: z.boolean(),
    labelTokens: z.boolean(),
  }),
  chunk: null,
  /** In bytes: what it takes, and what the machine has for it. */
  output: z.object({ bytes: z.number().nonnegative(), availableBytes: z.number().nonnegative() }),
};

/** How fast each installed executor takes a step of a model here. */
const measureExecutors = {
  input: z.object({
    model: modelFile,
    /** For what is needed only meanwhile. */
    folder: path,
    threads: z.number().int().min(1).optional(),
  }),
  chunk: null,
  output: z.object({
    /** Tokens/s of each, forward and backward, and what it computes on. One that can't be loaded is not among them. */
    measured: z
      .array(
        z.object({ executor: executorName, device: z.enum(['cpu', 'gpu']), tokensPerSecond: z.number().positive() }),
      )
      .min(1),
    /** False when other programs kept the processors busy meanwhile. */
    quiet: z.boolean(),
  }),
};

/** Types that a model can be quantized to, from the most precise to the smallest. */
export const QUANTIZATION_TYPES = ['Q8_0', 'Q5_K_M', 'Q4_K_M', 'Q4_0'] as const;
export type QuantizationType = (typeof QUANTIZATION_TYPES)[number];

/** Writes a model in a smaller type, by llama.cpp's own quantizer in a process of its own. */
const quantize = {
  input: z.object({
    model: modelFile,
    type: z.enum(QUANTIZATION_TYPES),
    /** The file that is written. */
    target: path,
    threads: z.number().int().min(1).optional(),
  }),
  chunk: null,
  output: z.object({ bytes: count }),
};

const speed = z.object({
  /** Tokens/s, each with the number of threads that is fastest for it. */
  prefill: z.number().positive(),
  decode: z.number().positive(),
  threads: threadChoice,
  /** False when other programs kept the processors busy meanwhile. */
  quiet: z.boolean(),
});

/** How two forms of a model agree about the next token, place by place, as both are served. */
const agreement = z.object({
  places: count,
  /** Of the texts' own tokens. */
  referencePerplexity: z.number().positive(),
  perplexity: z.number().positive(),
  /** Mean of KL(reference ‖ model) over the whole vocabulary, and the standard error of that mean. */
  meanKl: nats,
  klStandardError: nats,
  /** Share of places where both find the same token most probable. */
  topAgreement: z.number().min(0).max(1),
});

/** What two forms of a model say of the next token at every place of some texts, and how fast they are here. */
const compare = {
  input: z.object({
    reference: modelFile,
    model: modelFile,
    texts: z.array(z.string().min(1)).min(1).max(64),
    /** Tokens of each text that are read, from its beginning. */
    windowTokens: z.number().int().min(2).max(1_024),
  }),
  chunk: null,
  output: agreement.extend({ speed: z.object({ reference: speed, model: speed }) }),
};

/** The same as `compare` without speed, for forms one of which may be a model with adapters. */
const agree = {
  input: z.object({
    reference: modelFile,
    model: modelFile,
    /** A text, or a whole prompt in segments. */
    texts: z
      .array(z.union([z.string().min(1), z.array(segment).min(1)]))
      .min(1)
      .max(64),
    windowTokens: z.number().int().min(2).max(1_024),
  }),
  chunk: null,
  output: agreement,
};

/** Types that the merged layers of a model can be written in. */
export const MERGE_PRECISIONS = ['F16', 'F32'] as const;
export type MergePrecision = (typeof MERGE_PRECISIONS)[number];

/** Adds an adapter to its base model's weights, and writes a model of its own. */
const mergeAdapter = {
  input: z.object({
    model: modelFile,
    adapter: z.object({ config: file, weights: file }),
    /** What the change is multiplied by. */
    scale: z.number().min(0).max(4),
    /** null: as precise as the base model's own type asks for. */
    type: z.enum(MERGE_PRECISIONS).nullable(),
    /** What the model calls itself. */
    name: z.string().min(1).max(200),
    /** The file that is written; there must be none yet. */
    target: path,
  }),
  chunk: null,
  output: file.extend({ bytes: count, modules: count }),
};

/** Checks that an adapter in PEFT's form fits a model, and writes the form that is served into `folder`. */
const importAdapter = {
  input: z.object({
    model: modelFile,
    /** PEFT's two files, or a ZIP archive of the folder that they are in. */
    adapter: z.union([z.object({ config: file, weights: file }), z.object({ archive: file })]),
    folder: path,
  }),
  chunk: null,
  output: z.object({
    rank: count,
    alpha: z.number(),
    /** PEFT's names. */
    targets: z.array(z.string()),
    /** As its configuration names it; empty when it doesn't. */
    baseModel: z.string(),
    gguf: file,
    /** What an archive held, in `folder`; null where the files were given. */
    unpacked: z.object({ config: file, weights: file, notes: file.nullable() }).nullable(),
  }),
};

/** What the worker that trains can be asked; its handlers are in `gpu-worker/train.ts`. */
const trainOperations = {
  tokenize,
  train,
  probe,
  importAdapter,
  measureExecutors,
  quantize,
  compare,
  agree,
  mergeAdapter,
  estimateMemory,
} satisfies Operations;
export type TrainOperations = typeof trainOperations;
export const trainRole: WorkerRole<TrainOperations> = { name: 'train', operations: trainOperations };

export type TrainingExample = z.infer<typeof trainingExample>;
export type TrainingRecipe = z.infer<typeof trainingRecipe>;
export type TrainRequest = RequestOf<typeof train>;
export type TrainInput = InputOf<typeof train>;
export type TrainEvent = ChunkOf<typeof train>;
export type TrainOutput = OutputOf<typeof train>;
export type ProbeInput = InputOf<typeof probe>;
export type ProbeOutput = OutputOf<typeof probe>;
export type MeasureExecutorsInput = InputOf<typeof measureExecutors>;
export type MeasuredExecutors = OutputOf<typeof measureExecutors>;
export type ImportAdapterInput = InputOf<typeof importAdapter>;
export type ImportAdapterOutput = OutputOf<typeof importAdapter>;
export type QuantizeInput = InputOf<typeof quantize>;
export type QuantizeOutput = OutputOf<typeof quantize>;
export type CompareInput = InputOf<typeof compare>;
export type CompareOutput = OutputOf<typeof compare>;
export type AgreeInput = InputOf<typeof agree>;
export type AgreeOutput = OutputOf<typeof agree>;
export type MergeAdapterInput = InputOf<typeof mergeAdapter>;
export type MergeAdapterOutput = OutputOf<typeof mergeAdapter>;
export type EstimateMemoryInput = InputOf<typeof estimateMemory>;
export type EstimateMemoryOutput = OutputOf<typeof estimateMemory>;
