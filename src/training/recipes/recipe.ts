import { z } from 'zod';
import { hasLabel, taskOf, type TaskKind } from '../../data/index.js';
import { badInput } from '../../kernel/errors.js';
import { storedJson } from '../../kernel/stored-json.js';

/** The linear layers of a decoder block that LoRA can adapt, by PEFT's names. */
export const TARGETS = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;

/** How an answer is learned: as its text, or as one token that stands for the label. */
export const ANSWER_FORMS = ['TEXT', 'LABEL_TOKEN'] as const;
export type AnswerForm = (typeof ANSWER_FORMS)[number];

/**
 * What keeps an adapter from forgetting what the base model could: a KL term towards the base model's own predictions on a window
 * of general text in each step (Li & Hoiem 2016, learning without forgetting, on text instead of images).
 */
const retention = z.object({
  /** Weight of the term beside the loss of the answers; 0 leaves it out. */
  weight: z.number().min(0).max(10),
  /** Tokens of general text a step. */
  tokens: z.number().int().min(16).max(512),
});

/** How a run trains. Every field is bounded: a recipe that can't work is refused before anything starts. */
export const recipe = z.object({
  answer: z.enum(ANSWER_FORMS),
  /** Columns of A and rows of B (Hu et al. 2021). */
  rank: z.number().int().min(1).max(256),
  /** The update is scaled by alpha / rank. */
  alpha: z.number().positive().max(1024),
  targets: z.array(z.enum(TARGETS)).min(1).max(TARGETS.length),
  learningRate: z.number().positive().max(0.1),
  /** Steps in which the rate rises from 0. */
  warmupSteps: z.number().int().min(0).max(10_000),
  /** The cosine falls to this share of the learning rate. */
  finalRateShare: z.number().min(0).max(1),
  epochs: z.number().positive().max(100),
  /** Examples that one update is made of. */
  batchExamples: z.number().int().min(1).max(256),
  /**
   * Most tokens, padding included, that go through the model at once; a longer example goes alone. It bounds memory and how long a
   * question waits; more at once may be faster (`npm run bench -- training`).
   */
  batchTokens: z.number().int().min(64).max(32_768),
  /** Longer examples are left out, and listed by the audit. */
  maxTokens: z.number().int().min(16).max(8_192),
  /** Largest norm of the gradient. */
  clip: z.number().positive().max(100),
  weightDecay: z.number().min(0).max(1),
  retention,
  /** Share of an epoch between two measurements on the validation split. */
  validateEvery: z.number().positive().max(1),
  /** Rows of the validation split that are measured each time. */
  validationRows: z.number().int().min(0).max(10_000),
  /** Measurements without a better one after which training stops; 0 never stops early. */
  patience: z.number().int().min(0).max(100),
  /** Of so many last measurements on validation rows the average of the weights is tried at the end; 0 tries none. */
  averageCheckpoints: z.number().int().min(0).max(20).default(0),
  seed: z.number().int().min(0).max(0xffff_ffff),
});
export type Recipe = z.infer<typeof recipe>;
/** The column `recipe` of an adapter version. */
export const storedRecipe = storedJson(recipe);
/** What a caller wants otherwise; what is left out or null stays as the preset has it. Checked by `recipeFor`. */
export type RecipeOverrides = Wanted<Omit<Recipe, 'retention' | 'targets'>> & {
  targets?: readonly string[] | null;
  retention?: Wanted<Recipe['retention']> | null;
};
type Wanted<T> = { [Field in keyof T]?: T[Field] | null };

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
  const given = definedOnly(overrides);
  const wanted = { ...preset, ...given, retention: { ...preset.retention, ...definedOnly(overrides.retention ?? {}) } };
  const parsed = recipe.safeParse(wanted);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const at = [field, ...(issue?.path ?? [])].join('.');
    throw badInput(at, `${at}: ${issue?.message ?? 'is not valid'}.`);
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
