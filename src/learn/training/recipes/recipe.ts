import { z } from 'zod';
import { hasLabel, taskOf, type TaskKind } from '../../../sources/data/index.js';
import { badInput } from '../../../kernel/errors.js';
import { choice, record, oneOf } from '../../../kernel/record.js';
import { storedJson } from '../../../kernel/stored-json.js';

/** The linear layers of a decoder block that LoRA can adapt, by PEFT's names. */
const TARGETS = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;

/** How an answer is learned: as its text, or as one token that stands for the label. */
export const AnswerForm = choice('AnswerForm', 'How an adapter learns to answer.', {
  TEXT: 'The answer as text, token by token.',
  LABEL_TOKEN: 'A label as one token of its own: no decoding, and a probability for each label.',
});
export type AnswerForm = keyof typeof AnswerForm;

/**
 * What keeps an adapter from forgetting what the base model could: a KL term towards the base model's own predictions on a window
 * of general text in each step (Li & Hoiem 2016, learning without forgetting, on text instead of images).
 */
const retention = z.object({
  weight: z
    .number()
    .min(0)
    .max(10)
    .describe('Weight of staying near the base model on general text, 0 (off) to 10; 1 by default.'),
  tokens: z.number().int().min(16).max(512).describe('Tokens of general text a step, 16 to 512; 64 by default.'),
});

/**
 * How a run trains. Every field is bounded: a recipe that can't work is refused before anything starts. Who asks for a training may want those
 * fields otherwise that say what they are by default.
 */
export const recipe = z.object({
  answer: oneOf(AnswerForm, 'How answers are learned; `LABEL_TOKEN` for classification, else `TEXT`.'),
  /** Columns of A and rows of B (Hu et al. 2021). */
  rank: z.number().int().min(1).max(256).describe('Rank of the updates, 1 to 256; 16 by default.'),
  alpha: z.number().positive().max(1024).describe('Updates are scaled by alpha / rank; up to 1024, 32 by default.'),
  targets: z
    .array(z.enum(TARGETS))
    .min(1)
    .max(TARGETS.length)
    .describe('At most 7 linear layers by PEFT’s names (`q_proj` … `down_proj`); all by default.'),
  learningRate: z
    .number()
    .positive()
    .max(0.1)
    .describe('Largest learning rate, up to 0.1; 0.001 by default. It matters most.'),
  warmupSteps: z.number().int().min(0).max(10_000).describe('Steps until it is reached, 0 to 10,000; 20 by default.'),
  /** The cosine falls to this share of the learning rate. */
  finalRateShare: z.number().min(0).max(1),
  epochs: z.number().positive().max(100).describe('Passes over the rows, up to 100, also a part of one; 1 by default.'),
  batchExamples: z.number().int().min(1).max(256).describe('Rows of a step, 1 to 256; 16 by default.'),
  /** With padding; a longer example goes alone. More at once may be faster (`npm run bench -- training`). */
  batchTokens: z
    .number()
    .int()
    .min(64)
    .max(32_768)
    .describe(
      'Most tokens that go through the model at once, 64 to 32,768: memory, and how long a question waits, grow with it.',
    ),
  maxTokens: z
    .number()
    .int()
    .min(16)
    .max(8_192)
    .describe('Longest example in tokens, 16 to 8,192; longer ones are left out.'),
  /** Largest norm of the gradient. */
  clip: z.number().positive().max(100),
  weightDecay: z.number().min(0).max(1),
  retention: retention.describe('What keeps it from forgetting.'),
  validateEvery: z
    .number()
    .positive()
    .max(1)
    .describe('Share of a pass between two measurements on validation rows, up to 1; 0.25 by default.'),
  validationRows: z
    .number()
    .int()
    .min(0)
    .max(10_000)
    .describe('Validation rows that are measured, 0 to 10,000; 200 by default.'),
  patience: z
    .number()
    .int()
    .min(0)
    .max(100)
    .describe('Measurements without a better one after which training stops, 0 (never) to 100; 0 by default.'),
  averageCheckpoints: z
    .number()
    .int()
    .min(0)
    .max(20)
    .default(0)
    .describe(
      'Of the weights at so many last measurements, 2 to 20, the average is tried at the end and kept if it is better on validation rows; 0 (none) by default.',
    ),
  seed: z
    .number()
    .int()
    .min(0)
    .max(0xffff_ffff)
    .describe('The same seed gives the same weights on the same machine; 0 to 4294967295, 1 by default.')
    .meta({ shown: 'Float' }),
});
export type Recipe = z.infer<typeof recipe>;
/** The column `recipe` of an adapter version. */
export const storedRecipe = storedJson(recipe);

/** What a caller wants otherwise; what is left out or null stays as the preset has it. Checked by `recipeFor`. */
export const recipeOverrides = record(
  'RecipeInput',
  'What is to be other than in the preset of the task. Every field is checked before a run exists.',
  recipe
    .extend({
      retention: record(
        'RetentionInput',
        'What keeps an adapter from forgetting what its base model can.',
        retention.partial().shape,
      ).describe('What keeps it from forgetting.'),
    })
    .partial().shape,
);
type Wanted<T> = { [Field in keyof T]?: T[Field] | null };
export type RecipeOverrides = Wanted<Omit<Recipe, 'retention' | 'targets'>> & {
  targets?: readonly string[] | null;
  retention?: Wanted<Recipe['retention']> | null;
};

/**
 * What all presets have in common. The learning rate matters most: on SmolLM2-135M 1e-3 learns in one epoch what 2e-4 doesn't in
 * three; larger models want less, which `findLearningRate` finds out. 256 tokens at a time learn at full speed on two cores (128 lose
 * a sixth, 448 win nothing) and are done in about a second, after which a question may go first.
 */
const COMMON: Recipe = {
  answer: 'TEXT',
  rank: 16,
  alpha: 32,
  targets: [...TARGETS],
  learningRate: 1e-3,
  warmupSteps: 20,
  finalRateShare: 0.02,
  epochs: 1,
  batchExamples: 16,
  batchTokens: 256,
  maxTokens: 512,
  clip: 1,
  weightDecay: 0,
  retention: { weight: 1, tokens: 64 },
  validateEvery: 0.25,
  validationRows: 200,
  patience: 0,
  averageCheckpoints: 0,
  seed: 1,
};

/** The preset of a kind of task: what all have in common, and what the task says of itself. */
export const presetOf = (task: TaskKind): Recipe => ({ ...COMMON, ...taskOf(task).training });

/** The preset with what the caller wants otherwise. @throws BAD_USER_INPUT that names the field */
export function recipeFor(task: TaskKind, overrides: RecipeOverrides, field = 'input.recipe'): Recipe {
  const preset = presetOf(task);
  const changes = definedOnly(overrides);
  const draft = {
    ...preset,
    ...changes,
    retention: { ...preset.retention, ...definedOnly(overrides.retention ?? {}) },
  };
  const parsed = recipe.safeParse(draft);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = [field, ...(issue?.path ?? [])].join('.');
    throw badInput(path, `${path}: ${issue?.message ?? 'is not valid'}.`);
  }
  if (parsed.data.averageCheckpoints === 1)
    throw badInput(`${field}.averageCheckpoints`, 'An average is of two at least; 0 takes none.');
  if (parsed.data.answer === 'LABEL_TOKEN' && !hasLabel(task))
    throw badInput(`${field}.answer`, 'Only labels can be learned as one token each.', 'Use TEXT for this task.');
  return parsed.data;
}

/** Without what was left out or given as null, which GraphQL treats alike. */
export const definedOnly = <T extends object>(values: T): Partial<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== undefined)) as Partial<T>;
