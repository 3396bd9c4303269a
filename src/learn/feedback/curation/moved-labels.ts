/** Finds the labels that mean something else now; how is told at `movedLabels`. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { z } from 'zod';
import { groupBy } from '../../../kernel/group-by.js';
import { record, int, string } from '../../../kernel/record.js';
import { softmax } from '../../../kernel/softmax.js';
import { explanationsOf, movedIn, MOVES, worldOf, type Explanations, type World } from './label-meanings.js';
import { versionLessonsOf, totalOf, type Contrast, type HeldOut, type VersionLessons } from './usual-errors.js';

const lessonCounts = {
  lessons: int('Lessons on answers that had the label.'),
  contrary: int('How many of them say otherwise.'),
};

/** A label whose rows say what is no longer true. */
export const movedLabel = record(
  'MovedLabel',
  'A label that means something else now: what lessons on answers that had it say is, with a probability of 0.95, not how its adapter errs on held-out rows, however much more often people speak of what is wrong.',
  {
    from: string('The label as rows that are carried over had it.'),
    to: string(
      'What these rows are labelled now; null where lessons name no one label: then they are left out.',
    ).nullable(),
    ...lessonCounts,
  },
);
export type MovedLabel = z.infer<typeof movedLabel>;

/** A label that may have moved, if people don't just speak of what is wrong. */
export const undecidedLabel = record(
  'UndecidedLabel',
  'A label that would count as moved if right answers got feedback as often as wrong ones, which its lessons don’t tell. Its rows stay as they are.',
  {
    label: string('The label.'),
    ...lessonCounts,
    reason: string('Why it can’t be told, and what would tell: a sentence.'),
  },
);
type UndecidedLabel = z.infer<typeof undecidedLabel>;

/** Moves that belong together, as labels that change places do: one is made with all others or not at all. */
export function movesTogether(moves: readonly MovedLabel[]): MovedLabel[][] {
  const groups: MovedLabel[][] = [];
  for (const move of moves) {
    const touches = (group: readonly MovedLabel[]): boolean =>
      group.some(({ from, to }) =>
        [from, to].some((label) => label !== null && (label === move.from || label === move.to)),
      );
    const joined = groups.filter(touches);
    groups.splice(0, groups.length, ...groups.filter((group) => !touches(group)), [...joined.flat(), move]);
  }
  return groups.map((group) => group.sort((a, b) => (a.from < b.from ? -1 : 1)));
}

export interface LabelMoves {
  moved: MovedLabel[];
  /** The most probable first. */
  undecided: UndecidedLabel[];
}

/** A label has moved where that is so probable, and is another one now where that is. */
const SURE = 0.95;
/** How many times likelier a wrong answer gets feedback than a right one: from a quarter to nearly always, each doubling as probable as any other. */
const SELECTIVE = Array.from({ length: 20 }, (_, i) => 2 ** (i - 2));
/** How scattered wrong answers to a label are: see `expectedOf`. */
const SCATTERED = [0.5, 2, 8];

/**
 * The labels that mean something else now than they did in older rows. People who correct an answer speak of it alone; but when what was learned of a
 * label's answers can't be the usual errors of the adapter, its older rows would teach the opposite of the newer ones.
 *
 * Held-out rows say which labels are right how often where one is answered; few as they are, they are taken for a sample of a Dirichlet distribution
 * that has the precision of all labels together. Either a label stays, and its lessons are drawn from there; or it has another's name now, or has changed
 * places with it, and they are drawn from what that makes of it; or it has come to nothing in particular. A label has moved where that is 95 % probable
 * by Bayes' rule. The prior is 4.2 % a label, shared out among all that it may be now: the more labels, the more has to be said. So few lessons are enough for a label that
 * was told clearly, and one that was always taken for another takes many.
 *   - Lessons are no sample of answers: feedback may be given rather where something is wrong. How much rather isn't known, and nothing is assumed of
 *     it: it is integrated out, each doubling as probable as any other. Labels that stay tell it. With two labels that have changed places there are
 *     none, and it looks the same as speaking rather of what is wrong: nothing moves.
 *   - Which labels are meant where an answer is wrong is weighed apart from how often it is: no selection changes that. How scattered they are is
 *     integrated out, too.
 *   - Labels that are like each other are taken for each other both ways. So for an exchange, which lessons on both have to say, those on one count as
 *     known when those on the other are weighed.
 * A label is undecided that would have moved if feedback were given on a share of all answers, and against which the lessons don't speak 20 times.
 * Source: A. Gelman et al., “Bayesian Data Analysis”, 3rd edition, 2013, chapters 3, 5 and 8 (data collection).
 * Others have their turn between labels.
 * @param heldOut by adapter version
 */
export async function movedLabels(
  contrasts: readonly Contrast[],
  heldOut: ReadonlyMap<string, readonly HeldOut[]>,
): Promise<LabelMoves> {
  const lessons = groupBy(contrasts, ({ adapterVersionId }) => adapterVersionId);
  const versions = [...lessons].map(([id, group]) => ({ lessons: group, cells: heldOut.get(id) ?? [] }));
  const labels = new Set(contrasts.flatMap(({ answered, right }) => [answered, right]));
  for (const { cells } of versions)
    for (const { gold, predicted } of cells)
      for (const label of [gold, predicted]) if (label !== null) labels.add(label);
  const otherCount = Math.max(1, labels.size - 1);
  const lessonsByLabel = await versionLessonsOf(versions, otherCount);
  const worlds: { selective: number; world: World }[] = [];
  for (const scattered of SCATTERED) {
    const explanations = new Map<string, Explanations>();
    for (const [label, versionLessons] of lessonsByLabel) {
      explanations.set(label, explanationsOf(label, versionLessons, scattered, otherCount));
      await nextTurn();
    }
    for (const selective of SELECTIVE) {
      worlds.push({ selective, world: worldOf(explanations, selective, otherCount) });
      await nextTurn();
    }
  }
  const integrated = weighted(worlds.map(({ world }) => world));
  const unselective = weighted(worlds.filter(({ selective }) => selective === 1).map(({ world }) => world));
  const beliefs: Belief[] = [];
  for (const [label, versionLessons] of lessonsByLabel) {
    beliefs.push(beliefOf(label, versionLessons, integrated, unselective));
    await nextTurn();
  }
  return verdictOn(beliefs);
}

/** What is believed of a label. */
interface Belief {
  label: string;
  lessons: number;
  contrary: number;
  /** Probability that it has moved, and the same if feedback were given on a share of all answers. */
  moved: number;
  unselective: number;
  /** What it is now, if that is sure. */
  to: string | null;
}

interface Weighted {
  world: World;
  weight: number;
}

/** Worlds by how well they explain all lessons, but for those that don't. */
function weighted(worlds: readonly World[]): Weighted[] {
  const weights = softmax(worlds.map(({ evidence }) => evidence));
  return worlds.map((world, i) => ({ world, weight: weights[i]! })).filter(({ weight }) => weight >= NEGLIGIBLE);
}

function beliefOf(
  label: string,
  versionLessons: readonly VersionLessons[],
  integrated: readonly Weighted[],
  unselective: readonly Weighted[],
): Belief {
  let probability = 0;
  const toward = new Map<string, number>();
  for (const { world, weight } of integrated) {
    const { any, to } = movedIn(world, label);
    probability += weight * any;
    for (const [target, share] of to) toward.set(target, (toward.get(target) ?? 0) + weight * share);
  }
  const lessons = versionLessons.reduce((sum, { counts }) => sum + totalOf(counts), 0);
  const agreements = versionLessons.reduce((sum, { counts }) => sum + (counts.get(label) ?? 0), 0);
  const to = [...toward].find(([, share]) => share >= SURE);
  return {
    label,
    lessons,
    contrary: lessons - agreements,
    moved: probability,
    unselective: unselective.reduce((sum, { world, weight }) => sum + weight * movedIn(world, label).any, 0),
    to: to?.[0] ?? null,
  };
}

const NEGLIGIBLE = 1e-6;

function verdictOn(beliefs: readonly Belief[]): LabelMoves {
  const sorted = [...beliefs].sort((a, b) => b.moved - a.moved || (a.label < b.label ? -1 : 1));
  const [sureBeliefs, rest] = [sorted.filter(({ moved }) => moved >= SURE), sorted.filter(({ moved }) => moved < SURE)];
  const sum = (field: 'lessons' | 'contrary'): number => rest.reduce((total, belief) => total + belief[field], 0);
  const totals = { lessons: sum('lessons'), contrary: sum('contrary') };
  const undecided = rest.filter(
    ({ moved, unselective }) => unselective >= SURE && oddsOf(moved) >= (1 - SURE) * oddsOf(MOVES),
  );
  return {
    moved: sureBeliefs
      .map(({ label, to, lessons, contrary }) => ({ from: label, to, lessons, contrary }))
      .sort((a, b) => (a.from < b.from ? -1 : 1)),
    undecided: undecided.map(({ label, lessons, contrary }) => ({
      label,
      lessons,
      contrary,
      reason: whyUndecided(totals.lessons - lessons, totals.contrary - contrary),
    })),
  };
}

const oddsOf = (probability: number): number => probability / (1 - probability);

/** @param lessons on other labels that haven't moved for sure, and how many of them say otherwise */
function whyUndecided(lessons: number, contrary: number): string {
  return `Either it means something else now, or people speak mostly of what is wrong. Lessons that confirm answers to other labels would tell: of ${lessons} there, ${lessons - contrary} do. If you know that it moved, leave all older rows out (extend: false).`;
}
