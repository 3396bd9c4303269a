import type { FileMapping } from '../importing/mapping.js';
import type { DataFile } from '../files/records.js';
import type { Split, SplitRule } from '../importing/splits.js';
import type { FeatureHistory } from './join-features.js';
import type { PreprocessingStep } from '../preprocessing/steps.js';
import type { ValidationSettings } from '../validation/rule.js';

/** One uploaded file and what it is for. `pair` has the other side of a parallel corpus, read with the same mapping. */
export interface RecipeFile {
  file: DataFile;
  mapping: FileMapping;
  /** Split of all its rows; without it the split column or the hashed rule decides. */
  split: Split | null;
  pair: DataFile | null;
}

/** Rows of the version before that are carried over. */
export interface RecipeBase {
  /** Paths of its row groups, those of quarantined rows too: they are judged again. */
  rowGroups: readonly string[];
  /** SQL condition with `?` on stored columns: rows for which it holds are left out. */
  without: { sql: string; values: string[] } | null;
  /** What newer rows say of them; null: they stand beside newer rows as they are. */
  revision: Revision | null;
}

/** Newer rows know better: one of the same words takes the place of an older one, and these labels have another meaning now. */
export interface Revision {
  /** `to` null: rows with the label are left out. */
  labels: readonly { from: string; to: string | null }[];
}

/** Everything that decides what a version holds. */
export interface VersionRecipe {
  settings: ValidationSettings;
  files: readonly RecipeFile[];
  base: RecipeBase | null;
  steps: readonly PreprocessingStep[];
  splitRule: SplitRule;
  /** Feature views to join point-in-time; null: rows keep what was joined to them. */
  features: readonly FeatureHistory[] | null;
}
