import { z } from 'zod';
import { enumeration } from '../../kernel/enumeration.js';
import { own } from '../../kernel/own.js';
import { storedJson } from '../../kernel/stored-json.js';
import { counted, noCounts, type CategoryCounts } from '../sequential/categories.js';
import { CLUSTERS, type Cells } from './cells.js';
import { watching } from './watching.js';
import { percent } from '../../kernel/text.js';

export const DriftKind = enumeration('QUESTIONS', 'LABELS');
export type DriftKind = keyof typeof DriftKind;

/** Answers whose questions make the cells of a workspace: the first of them are the landmarks. */
export const LEARNED_FROM = 384;
export const LANDMARKS = 256;
/** Labels from which their categories are made. */
export const LABELS_LEARNED_FROM = 200;
/** Labels that have a category of their own; the others share one. */
const MOST_LABELS = 40;

const state = z.discriminatedUnion('phase', [
  /** Answers whose questions will make the cells; those whose training rows do so stay empty. */
  z.object({ phase: z.literal('LEARNING'), answers: z.array(z.string()) }),
  z.object({ phase: z.literal('LEARNING_LABELS'), counts: z.record(z.string(), z.number().int()) }),
  z.object({
    phase: z.literal('ON'),
    /** Thresholds of questions' cells. */
    far: z.array(z.number()),
    /** Answers whose questions are the landmarks, so that they go with them; empty where those are training rows, and of labels. */
    landmarks: z.array(z.string()),
    /** Categories of labels, the last of which is all others; null of questions. */
    labels: z.array(z.string()).nullable(),
    watching,
  }),
  /** There is nothing to hold questions against. */
  z.object({ phase: z.literal('OFF') }),
]);
export type StreamState = z.infer<typeof state>;
export type On = Extract<StreamState, { phase: 'ON' }>;
export const storedStream = storedJson(state);

export interface StreamRecord {
  id: string;
  workspaceId: string;
  kind: DriftKind;
  /** `name@3`; empty for all questions of a workspace. */
  name: string;
  adapterVersionId: string | null;
  embedderDigest: string | null;
  cells: Pick<Cells, 'clusters' | 'landmarks' | 'dimensions'> | null;
  state: StreamState;
  updatedAt: Date;
}

export const sourceOfStream = ({ kind, name }: Pick<StreamRecord, 'kind' | 'name'>): string =>
  `drift:${kind.toLowerCase()}${name === '' ? '' : `:${name}`}`;

/** Stands for labels without a category of their own. */
const OTHERS = '…';

/** Where a label belongs among categories, of which the last is all others. */
export const categoryOf = (labels: readonly string[], label: string): number => {
  const found = labels.indexOf(label);
  return found === -1 ? labels.length - 1 : found;
};

/** Learns another label. @returns the categories and what is expected of them once there are enough */
export function learnLabel(
  counts: Readonly<Record<string, number>>,
  label: string,
): { counts: Record<string, number>; learned: { labels: string[]; expected: CategoryCounts } | null } {
  const next = { ...counts, [label]: (own(counts, label) ?? 0) + 1 };
  const all = Object.values(next).reduce((sum, count) => sum + count, 0);
  if (all < LABELS_LEARNED_FROM) return { counts: next, learned: null };
  const frequent = Object.entries(next)
    .sort(([, a], [, b]) => b - a)
    .slice(0, MOST_LABELS);
  const labels = [...frequent.map(([name]) => name), OTHERS];
  let expected = noCounts(labels.length);
  for (const [name, count] of Object.entries(next))
    for (let i = 0; i < count; i++) expected = counted(expected, [categoryOf(labels, name)]);
  return { counts: next, learned: { labels, expected } };
}

/** What a category by distance holds, in words. */
const FARTHEST = ['half of those', 'most of those', 'nearly all'] as const;

/** What has changed, in words. */
export function sentenceOfShift(
  { kind, name }: Pick<StreamRecord, 'kind' | 'name'>,
  { labels, watching: before }: On,
  { category, was, is, observations }: { category: number; was: number; is: number; observations: number },
): string {
  const fixed = before.phase === 'WATCHING' && before.fixed;
  const against = fixed ? 'in the rows that it was trained on' : 'before';
  const of = `went from ${percent(was)} ${against} to ${percent(is)} of ${observations}`;
  if (kind === 'LABELS') {
    const label = labels![category]!;
    return `Labels that ${name} predicts have changed: ${label === OTHERS ? 'rare labels' : JSON.stringify(label)} ${of} answers.`;
  }
  const whose = name === '' ? 'Questions' : `Questions that ${name} answers`;
  const what =
    category < CLUSTERS
      ? `one of ${CLUSTERS} groups of like questions`
      : `questions unlike ${FARTHEST[category - CLUSTERS]!} that are known`;
  return `${whose} are about other things: ${what} ${of} questions.`;
}
