import { z } from 'zod';
import { own } from '../../../kernel/own.js';
import { choice } from '../../../kernel/record.js';
import { storedJson } from '../../../kernel/stored-json.js';
import { counted, noCounts, type CategoryCounts } from '../../../kernel/sequential/categories.js';
import { percent } from '../../../kernel/text.js';
import { course, detector, UNLIKE, type Course } from './unlike.js';
import { watching } from './watching.js';

export const DriftKind = choice('DriftKind', 'What is watched for change.', {
  QUESTIONS: 'What questions are about, by where the embedder places them.',
  LABELS: 'The labels that an adapter version predicts.',
});
export type DriftKind = keyof typeof DriftKind;

/** Answers whose questions become the known ones of a workspace. */
export const LEARNED_FROM = 768;
/** Labels from which their categories are made. */
export const LABELS_LEARNED_FROM = 200;
/** Labels that have a category of their own; the others share one. */
const MOST_LABELS = 40;

const state = z.discriminatedUnion('phase', [
  /** Answers whose questions will be the known ones; empty where those are training rows. */
  z.object({ phase: z.literal('LEARNING'), answers: z.array(z.string()) }),
  z.object({ phase: z.literal('LEARNING_LABELS'), counts: z.record(z.string(), z.number().int()) }),
  z.object({
    phase: z.literal('ON'),
    /** Answers whose questions are the known ones, so that they go with them; empty where those are training rows. */
    known: z.array(z.string()),
    detector,
    course,
  }),
  /** Categories of labels, the last of which is all others. */
  z.object({ phase: z.literal('ON_LABELS'), labels: z.array(z.string()), watching }),
  /** There is nothing to hold questions against. */
  z.object({ phase: z.literal('OFF') }),
]);
export type StreamState = z.infer<typeof state>;
export type On = Extract<StreamState, { phase: 'ON' }>;
export type OnLabels = Extract<StreamState, { phase: 'ON_LABELS' }>;
export const storedStream = storedJson(state);

export interface StreamRecord {
  id: string;
  workspaceId: string;
  kind: DriftKind;
  /** `name@3`; empty for all questions of a workspace. */
  name: string;
  adapterVersionId: string | null;
  embedderDigest: string | null;
  dimensions: number | null;
  state: StreamState;
  updatedAt: Date;
}

export const sourceOfStream = ({ kind, name }: Pick<StreamRecord, 'kind' | 'name'>): string =>
  `drift:${kind.toLowerCase()}${name === '' ? '' : `:${name}`}`;

/** Stands for labels without a category of their own. */
const OTHERS = '…';

/** Where a label belongs among categories, of which the last is all others. */
export const categoryOf = (labels: readonly string[], label: string): number => {
  const index = labels.indexOf(label);
  return index === -1 ? labels.length - 1 : index;
};

/** Learns another label. @returns the categories and what is expected of them once there are enough */
export function learnLabel(
  counts: Readonly<Record<string, number>>,
  label: string,
): { counts: Record<string, number>; learned: { labels: string[]; expected: CategoryCounts } | null } {
  const next = { ...counts, [label]: (own(counts, label) ?? 0) + 1 };
  const total = Object.values(next).reduce((sum, count) => sum + count, 0);
  if (total < LABELS_LEARNED_FROM) return { counts: next, learned: null };
  const frequent = Object.entries(next)
    .sort(([, a], [, b]) => b - a)
    .slice(0, MOST_LABELS);
  const labels = [...frequent.map(([name]) => name), OTHERS];
  let expected = noCounts(labels.length);
  for (const [name, count] of Object.entries(next))
    for (let i = 0; i < count; i++) expected = counted(expected, [categoryOf(labels, name)]);
  return { counts: next, learned: { labels, expected } };
}

/** Which label has become more or less frequent, in words. */
export function sentenceOfLabels(
  name: string,
  { labels }: OnLabels,
  { category, was, is, observations }: { category: number; was: number; is: number; observations: number },
): string {
  const label = labels[category]!;
  const labelText = label === OTHERS ? 'rare labels' : JSON.stringify(label);
  return `Labels that ${name} predicts have changed: ${labelText} went from ${percent(was)} before to ${percent(is)} of ${observations} answers.`;
}

/** How unlike questions have become, in words. */
export function sentenceOfQuestions(name: string, { since, unlike }: Course): string {
  const [subject, baseline] =
    name === '' ? ['Questions', 'those before'] : [`Questions that ${name} answers`, 'the rows that it was trained on'];
  return `${subject} are about other things: ${percent(unlike / Math.max(1, since))} of the last ${since} are unlike ${baseline}; usual are ${percent(UNLIKE)}.`;
}
