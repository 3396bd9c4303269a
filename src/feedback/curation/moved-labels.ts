import { groupBy } from '../../kernel/group-by.js';
import {
  asAnything,
  asBefore,
  asExchanged,
  asRenamed,
  expectedOf,
  totalOf,
  type Confusions,
  type Counts,
  type Expected,
} from './lessons-of-label.js';

/** What a lesson says of the label that was answered. */
export interface Contrast {
  answered: string;
  right: string;
  /** The adapter version that answered. */
  adapterVersionId: string;
}

/** Held-out rows that have the label `gold` and were given `predicted`; null: none of the set. */
export interface HeldOut {
  gold: string;
  predicted: string | null;
  count: number;
}

/** A label whose rows say what is no longer true. */
export interface MovedLabel {
  from: string;
  /** What its rows are now; null: nobody can say for all of them, so they are left out. */
  to: string | null;
  /** Lessons on answers that had the label, and how many of them say otherwise. */
  lessons: number;
  contrary: number;
}

/** A label has moved where that is so probable, and is another one now where that is. */
const SURE = 0.95;
/** The same where the usual errors of who answered aren't known. */
const SURER = 0.98;
/** How probable each is of a label before anybody said anything. */
const PRIOR = { renamed: 0.01, exchanged: 0.03, lost: 0.002 };
const STAYS = 1 - PRIOR.renamed - PRIOR.exchanged - PRIOR.lost;
/** How many times likelier a wrong answer gets feedback than a right one, from a quarter to nearly always. */
const SELECTIVE = Array.from({ length: 20 }, (_, i) => 2 ** (i - 2));
/** Above 1, twice as selective is so many times half as probable: where few labels could tell, most look at right answers, too. */
const RARER = 3;
/** Precision of an adapter of which nothing is known, and the rows that this counts for. */
const UNKNOWN = { precision: 0.9, rows: 5 };

/**
 * The labels that mean something else now than they did in older rows. People who correct an answer speak of it alone; but when what was learned of a
 * label's answers can't be the usual errors of the adapter, its older rows would teach the opposite of the newer ones.
 *
 * Held-out rows say which labels are right how often where one is answered; few as they are, they are taken for a sample of a Dirichlet distribution
 * that has the precision of all labels together. Either a label stays, and its lessons are drawn from there; or it has another's name now, or has changed
 * places with it, and they are drawn from what that makes of it; or it has come to nothing in particular. A label has moved where that is 95 %
 * probable by Bayes' rule. The prior is 4.2 % a label, shared out among all that it may be now: the more labels, the more has to be said. So few
 * lessons are enough for a label that was told clearly, and one that was always taken for another takes many.
 *   - Feedback may be given rather where something is wrong. How much rather isn't known: each rate is weighed by how well it explains all lessons, and
 *     smaller ones are likelier.
 *   - Labels that are like each other are taken for each other both ways. So for an exchange, which lessons on both have to say, those on one count as
 *     known when those on the other are weighed.
 *   - Where no held-out rows were asked, the prior alone stands for them, and 98 % are asked.
 * Of ten labels that are exchanged among 77, with 6.5 held-out rows and as many lessons each, nine are named in the mean, and in at most one run of
 * twenty another one is: a simulation in the tests.
 * Source: A. Gelman et al., “Bayesian Data Analysis”, 3rd edition, 2013, chapters 3 and 5.
 * @param heldOut by adapter version
 */
export function movedLabels(
  contrasts: readonly Contrast[],
  heldOut: ReadonlyMap<string, readonly HeldOut[]>,
): MovedLabel[] {
  const cells = [...heldOut.values()].flat();
  const labels = new Set([
    ...contrasts.flatMap(({ answered, right }) => [answered, right]),
    ...cells.flatMap(({ gold, predicted }) => (predicted === null ? [gold] : [gold, predicted])),
  ]);
  const others = Math.max(1, labels.size - 1);
  const said = saidOf(contrasts, heldOut, others);
  const worlds = SELECTIVE.map((selective) => worldOf(said, selective, others));
  const weights = shares(
    worlds.map((world, i) =>
      [...world.values()].reduce((sum, { evidence }) => sum + evidence, -RARER * Math.log(Math.max(1, SELECTIVE[i]!))),
    ),
  );
  const sure = cells.length === 0 ? SURER : SURE;
  const mean = (of: (world: World) => number): number =>
    worlds.reduce((sum, world, i) => (weights[i]! < NEGLIGIBLE ? sum : sum + weights[i]! * of(world)), 0);
  return [...said.keys()].sort().flatMap((from) => {
    if (mean((world) => movedIn(world, from).any) < sure) return [];
    const counts = said.get(from)!.map((each) => each.counts);
    const lessons = counts.reduce((sum, each) => sum + totalOf(each), 0);
    const same = counts.reduce((sum, each) => sum + (each.get(from) ?? 0), 0);
    const to = [...worlds[0]!.get(from)!.is.keys()].find(
      (label) => mean((world) => movedIn(world, from).to.get(label)!) >= sure,
    );
    return [{ from, to: to ?? null, lessons, contrary: lessons - same }];
  });
}

const NEGLIGIBLE = 1e-6;

/** The lessons on a label by one adapter version, and what was expected of them. */
interface Said {
  counts: Counts;
  expected: Expected;
  /** The same where lessons on other labels are known. */
  told: Expected;
}

function saidOf(
  contrasts: readonly Contrast[],
  heldOut: ReadonlyMap<string, readonly HeldOut[]>,
  labels: number,
): Map<string, Said[]> {
  const said = new Map<string, Said[]>();
  for (const [version, of] of groupBy(contrasts, ({ adapterVersionId }) => adapterVersionId)) {
    const cells = heldOut.get(version) ?? [];
    const right = cells.reduce((sum, { gold, predicted, count }) => (gold === predicted ? sum + count : sum), 0);
    const rows = cells.reduce((sum, { count }) => sum + count, 0);
    const precision = (right + UNKNOWN.precision * UNKNOWN.rows) / (rows + UNKNOWN.rows);
    const lessons = confusionsOf(of.map((each) => ({ ...each, count: 1 })));
    const known = {
      heldOut: confusionsOf(
        cells.flatMap(({ gold, predicted, count }) =>
          predicted === null ? [] : [{ answered: predicted, right: gold, count }],
        ),
      ),
      precision,
      labels,
    };
    for (const [answered, counts] of lessons) {
      const expected = expectedOf(answered, known, [known.heldOut]);
      const told = expectedOf(answered, known, [known.heldOut, lessons]);
      said.set(answered, [...(said.get(answered) ?? []), { counts, expected, told }]);
    }
  }
  return said;
}

function confusionsOf(rows: readonly { answered: string; right: string; count: number }[]): Confusions {
  const confusions = new Map<string, Map<string, number>>();
  for (const { answered, right, count } of rows) {
    const counts = confusions.get(answered) ?? new Map<string, number>();
    confusions.set(answered, counts.set(right, (counts.get(right) ?? 0) + count));
  }
  return confusions;
}

/** How much better each hypothesis on a label explains its lessons than that it stays: the odds, with its prior. */
interface Hypotheses {
  lost: number;
  /** By the label that it is now, of those that a lesson names; `told`: without a prior, where lessons on that label are known. */
  is: ReadonlyMap<string, { renamed: number; exchanged: number; told: number }>;
  /** Logarithm of the probability of its lessons under all of them. */
  evidence: number;
}

/** The hypotheses on all labels where wrong answers get feedback at one rate. */
type World = ReadonlyMap<string, Hypotheses>;

function worldOf(said: ReadonlyMap<string, readonly Said[]>, selective: number, others: number): World {
  const world = new Map<string, Hypotheses>();
  for (const [answered, each] of said) {
    const sum = (log: (one: Said) => number): number => each.reduce((total, one) => total + log(one), 0);
    const stays = sum(({ counts, expected }) => asBefore(answered, counts, expected, selective));
    const staysTold = sum(({ counts, told }) => asBefore(answered, counts, told, selective));
    const lost =
      (PRIOR.lost / STAYS) *
      Math.exp(sum(({ counts, expected }) => asAnything(answered, counts, expected, selective, others)) - stays);
    const named = new Set(each.flatMap(({ counts }) => [...counts.keys()]));
    named.delete(answered);
    const is = new Map(
      [...named].map((label) => {
        const renamed = sum(({ counts, expected }) => asRenamed(answered, label, counts, expected, selective));
        const exchanged = sum(({ counts, expected }) => asExchanged(answered, label, counts, expected, selective));
        const odds = (log: number, prior: number): number => (prior / STAYS / others) * Math.exp(log - stays);
        return [
          label,
          {
            renamed: odds(renamed, PRIOR.renamed),
            exchanged: odds(exchanged, PRIOR.exchanged),
            told: Math.exp(exchanged - staysTold),
          },
        ];
      }),
    );
    const odds = 1 + lost + [...is.values()].reduce((total, { renamed, exchanged }) => total + renamed + exchanged, 0);
    world.set(answered, { lost, is, evidence: stays + Math.log(odds) });
  }
  return world;
}

/** Probabilities that a label has moved, and to which. */
function movedIn(world: World, from: string): { any: number; to: Map<string, number> } {
  const { lost, is } = world.get(from)!;
  const odds = new Map(
    [...is].map(([label, { renamed, exchanged }]) => {
      const other = world.get(label);
      if (!other) return [label, renamed + exchanged];
      // Of its lessons: how much better they are explained if it is this label now than by all that it may be without an exchange.
      const without = STAYS * (1 + other.lost + [...other.is.values()].reduce((sum, each) => sum + each.renamed, 0));
      return [label, renamed + (exchanged * (other.is.get(from)?.told ?? 0)) / without];
    }),
  );
  const all = 1 + lost + [...odds.values()].reduce((sum, each) => sum + each, 0);
  return { any: 1 - 1 / all, to: new Map([...odds].map(([label, each]) => [label, each / all])) };
}

/** Of weights that are given as logarithms. */
function shares(logs: readonly number[]): number[] {
  const most = Math.max(...logs);
  const all = logs.reduce((sum, log) => sum + Math.exp(log - most), 0);
  return logs.map((log) => Math.exp(log - most) / all);
}
