import type { DataFile } from '../files/records.js';
import type { FileShape } from '../files/file-shape.js';
import type { ShapeHints } from '../files/sniff.js';
import type { MadeVersion } from './make-version.js';
import type { VersionRecipe } from './recipe.js';

/** What the maker process does. */
export interface MakerTask {
  input:
    | { kind: 'make'; recipe: VersionRecipe; folder: string; parent: readonly string[]; counts: boolean }
    | { kind: 'sniff'; file: DataFile; folder: string; hints: ShapeHints };
  output: { kind: 'made'; version: MadeVersion } | { kind: 'sniffed'; shape: FileShape };
  note: { fraction: number; message: string };
  /** Texts whose tokens only the model's tokenizer knows. */
  question: string[];
  /** Tokens of each text, or null when they could not be counted. */
  answer: number[] | null;
}
