import { z } from 'zod';
import {
  categoryTest,
  counted,
  noCounts,
  observeCategories,
  strongestShift,
  type CategoryTest,
  type CategoryCounts,
  type Shift,
} from '../../../kernel/sequential/categories.js';

/**
 * How a stream of labels is watched. There is no reference at first: it is gathered, watched against for a period, and then that period is
 * the reference of the next.
 * Everything goes by observations, nothing by a clock: a week without questions is nothing, and so is a clock that jumps.
 */
const counts = z.object({ all: z.number().int(), of: z.array(z.number().int()) });
const capital = z.object({ seen: z.number().int(), stakes: z.array(z.number()) });
const test = z.object({
  expected: z.array(z.number()),
  reference: counts,
  bag: counts,
  capitals: z.array(capital),
});

export const watching = z.discriminatedUnion('phase', [
  z.object({ phase: z.literal('GATHERING'), expected: counts, reference: counts }),
  z.object({
    phase: z.literal('WATCHING'),
    test,
    /** Observations of this period, or since the last alarm. */
    seen: z.number().int(),
  }),
]);
type Watching = z.infer<typeof watching>;

/** How probable an alarm without a cause is at most, in each period or until the next alarm. */
export const ALPHA = 0.01;
/** Observations that make a first reference. */
export const REFERENCE = 400;
/** Observations of a period. */
export const PERIOD = 1_000;
/** Observations without an alarm after which what was shifted counts as gone. */
export const QUIET = 300;

/** Watching against what came before, of which nothing is counted yet. */
export const againstLastPeriod = (expected: CategoryCounts): Watching => ({
  phase: 'GATHERING',
  expected,
  reference: noCounts(expected.of.length),
});

interface Step {
  next: Watching;
  /** Set at an alarm, after which labels have to be learned anew. */
  shift: (Shift & { observations: number; was: number; is: number }) | null;
  /** Whether it has been quiet for long enough to say that nothing is shifted. */
  quiet: boolean;
}

/** @param categories the categories that an observation is in @param random uniform in [0, 1) */
export function step(previousState: Watching, categories: readonly number[], random: number): Step {
  if (previousState.phase === 'GATHERING') {
    const reference = counted(previousState.reference, categories);
    const next: Watching =
      reference.all < REFERENCE
        ? { ...previousState, reference }
        : { phase: 'WATCHING', seen: 0, test: categoryTest(previousState.expected, reference) };
    return { next, shift: null, quiet: false };
  }
  const nextTest = observeCategories(previousState.test, categories, random);
  const observationCount = previousState.seen + 1;
  const strongest = strongestShift(nextTest);
  if (strongest.evidence >= 1 / ALPHA)
    return {
      next: previousState,
      shift: { ...strongest, ...sharesOf(nextTest, strongest.category, observationCount) },
      quiet: false,
    };
  return {
    next: periodOf({ ...previousState, test: nextTest, seen: observationCount }),
    shift: null,
    quiet: observationCount === QUIET,
  };
}

/** Where a period is over, it is the reference of the next; what it was held against is what is expected. */
function periodOf(state: Extract<Watching, { phase: 'WATCHING' }>): Watching {
  const { seen, test: pastTest } = state;
  if (seen < PERIOD) return state;
  return { ...state, seen: 0, test: categoryTest(pastTest.reference, since(pastTest)) };
}

/** What was counted since the reference. */
const since = ({ bag, reference }: CategoryTest): CategoryCounts => ({
  all: bag.all - reference.all,
  of: bag.of.map((count, category) => count - reference.of[category]!),
});

function sharesOf(test: CategoryTest, category: number, observations: number) {
  const stream = since(test);
  return {
    observations,
    was: test.reference.of[category]! / Math.max(1, test.reference.all),
    is: stream.of[category]! / Math.max(1, stream.all),
  };
}
