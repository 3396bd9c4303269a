import type { ErrorCode } from '../../kernel/error-codes.js';
import type { DataFile } from '../importing/records.js';
import type { FileShape, ShapeHints } from '../importing/sniff.js';
import type { MadeVersion } from './make-version.js';
import type { Recipe } from './recipe.js';

/** What the gateway asks of the maker process: one task, then it ends. */
export type MakerTask =
  | { kind: 'make'; recipe: Recipe; folder: string; parent: readonly string[]; counts: boolean }
  | { kind: 'sniff'; file: DataFile; folder: string; hints: ShapeHints };

export type MakerMessage =
  | { kind: 'task'; task: MakerTask }
  /** Answer to `count`: tokens of each text, or null when they could not be counted. */
  | { kind: 'counted'; id: number; counts: number[] | null };

export type MakerReply =
  | { kind: 'progress'; fraction: number; message: string }
  /** Texts whose tokens only the model's tokenizer knows. */
  | { kind: 'count'; id: number; texts: string[] }
  | { kind: 'made'; version: MadeVersion }
  | { kind: 'sniffed'; shape: FileShape }
  | { kind: 'failed'; code: ErrorCode; message: string; hint?: string; field?: string; detail: string };
