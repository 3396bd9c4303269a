import { setImmediate } from 'node:timers/promises';
import { groupBy } from '../../kernel/group-by.js';
import {
  asAnything,
  asBefore,
  asExchanged,
  asRenamed,
  expectedOf,
  totalOf,
  turned,
  type Confusions,
  type Counts,
  type Expected,
  type Explained,
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
/**
 * Where fewer lessons on the labels that stay say that their answers were right, people speak nearly only of what is wrong: that looks the same whether
 * labels have moved or not, and nothing moves. So many that say otherwise are added, lest one or two are enough.
 */
const CONFIRMED = { share: 1 / 3, rows: 4 };
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
 *   - Where no held-out rows of a version that answered were asked, the prior alone stands for them, and 98 % are asked.
 *   - Nothing moves unless a third of the lessons on labels that stay confirm them. With two labels that leaves no exchange: nobody could tell it.
 * Of ten labels that are exchanged among 77, with 6.5 held-out rows and as many lessons each, nine are named in the mean, and in at most one run of
 * twenty another one is: a simulation in the tests.
 * Source: A. Gelman et al., “Bayesian Data Analysis”, 3rd edition, 2013, chapters 3 and 5.
 * Others have their turn between labels.
 * @param heldOut by adapter version
 */
export async function movedLabels(
  contrasts: readonly Contrast[],
  heldOut: ReadonlyMap<string, readonly HeldOut[]>,
): Promise<MovedLabel[]> {
  const lessons = groupBy(contrasts, ({ adapterVersionId }) => adapterVersionId);
  const versions = [...lessons].map(([id, of]) => ({ lessons: of, cells: heldOut.get(id) ?? [] }));
  const labels = new Set(contrasts.flatMap(({ answered, right }) => [answered, right]));
  for (const { cells } of versions)
    for (const { gold, predicted } of cells)
      for (const label of [gold, predicted]) if (label !== null) labels.add(label);
  const others = Math.max(1, labels.size - 1);
  const said = await saidOf(versions, others);
  const explanations = new Map<string, Explanations>();
  for (const [answered, of] of said) {
    explanations.set(answered, explanationsOf(answered, of, others));
    await nextTurn();
  }
  const worlds: World[] = [];
  for (const selective of SELECTIVE) {
    worlds.push(worldOf(explanations, selective, others));
    await nextTurn();
  }
  const weights = shares(
    worlds.map((world, i) =>
      [...world.values()].reduce((sum, { evidence }) => sum + evidence, -RARER * Math.log(Math.max(1, SELECTIVE[i]!))),
    ),
  );
  const moved: MovedLabel[] = [];
  for (const from of [...said.keys()].sort()) {
    const found = movedOne(from, said.get(from)!, worlds, weights);
    if (found) moved.push(found);
    await nextTurn();
  }
  return confirmed(said, new Set(moved.map(({ from }) => from))) ? moved : [];
}

/** Whether lessons on the labels that stay say often enough that they do. */
function confirmed(said: ReadonlyMap<string, readonly Said[]>, moved: ReadonlySet<string>): boolean {
  let [lessons, same] = [0, 0];
  for (const [label, each] of said)
    if (!moved.has(label))
      for (const { counts } of each) [lessons, same] = [lessons + totalOf(counts), same + (counts.get(label) ?? 0)];
  return same >= CONFIRMED.share * (lessons + CONFIRMED.rows);
}

/** Lets others have their turn: whoever asks the gateway something doesn't wait for all labels. */
const nextTurn = (): Promise<void> => setImmediate();

/** A label, if it has moved. */
function movedOne(
  from: string,
  said: readonly Said[],
  worlds: readonly World[],
  weights: readonly number[],
): MovedLabel | null {
  const sure = said.every(({ measured }) => measured) ? SURE : SURER;
  const moved = { any: 0, to: new Map<string, number>() };
  for (const [i, world] of worlds.entries()) {
    if (weights[i]! < NEGLIGIBLE) continue;
    const { any, to } = movedIn(world, from);
    moved.any += weights[i]! * any;
    for (const [label, share] of to) moved.to.set(label, (moved.to.get(label) ?? 0) + weights[i]! * share);
  }
  if (!(moved.any >= sure)) return null;
  const lessons = said.reduce((sum, { counts }) => sum + totalOf(counts), 0);
  const same = said.reduce((sum, { counts }) => sum + (counts.get(from) ?? 0), 0);
  const to = [...moved.to].find(([, share]) => share >= sure);
  return { from, to: to?.[0] ?? null, lessons, contrary: lessons - same };
}

const NEGLIGIBLE = 1e-6;

/** The lessons on a label by one adapter version, and what was expected of them. */
interface Said {
  counts: Counts;
  /** Whether held-out rows of the version were asked. */
  measured: boolean;
  expected: Expected;
  /** The same where lessons on other labels are known. */
  told: Expected;
}

async function saidOf(
  versions: readonly { lessons: readonly Contrast[]; cells: readonly HeldOut[] }[],
  labels: number,
): Promise<Map<string, Said[]>> {
  const said = new Map<string, Said[]>();
  for (const { lessons, cells } of versions) {
    const right = cells.reduce((sum, { gold, predicted, count }) => (gold === predicted ? sum + count : sum), 0);
    const rows = cells.reduce((sum, { count }) => sum + count, 0);
    const precision = (right + UNKNOWN.precision * UNKNOWN.rows) / (rows + UNKNOWN.rows);
    const taught = confusionsOf(lessons.map((each) => ({ ...each, count: 1 })));
    const heldOut = confusionsOf(
      cells.flatMap(({ gold, predicted, count }) =>
        predicted === null ? [] : [{ answered: predicted, right: gold, count }],
      ),
    );
    const known = { heldOut, precision, labels };
    const mirrored = { heldOut: turned(heldOut), taught: turned(taught) };
    for (const [answered, counts] of taught) {
      const expected = expectedOf(answered, known, [mirrored.heldOut]);
      const told = expectedOf(answered, known, [mirrored.heldOut, mirrored.taught]);
      said.set(answered, [...(said.get(answered) ?? []), { counts, measured: rows > 0, expected, told }]);
    }
    await nextTurn();
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

/** How all lessons on a label are explained, at whatever rate wrong answers get feedback. */
interface Explanations {
  stays: Explained;
  lost: Explained;
  /** By the label that it is now, of those that a lesson names; `told`: an exchange against staying, where lessons on that label are known. */
  is: ReadonlyMap<string, { renamed: Explained; exchanged: Explained; told: Explained }>;
}

function explanationsOf(answered: string, said: readonly Said[], others: number): Explanations {
  const all = (of: (one: Said) => Explained): Explained => {
    const each = said.map(of);
    return (selective) => each.reduce((sum, one) => sum + one(selective), 0);
  };
  const named = new Set(said.flatMap(({ counts }) => [...counts.keys()]));
  named.delete(answered);
  const staysTold = all(({ counts, told }) => asBefore(answered, counts, told));
  return {
    stays: all(({ counts, expected }) => asBefore(answered, counts, expected)),
    lost: all(({ counts, expected }) => asAnything(answered, counts, expected, others)),
    is: new Map(
      [...named].map((label) => {
        const exchanged = all(({ counts, expected }) => asExchanged(answered, label, counts, expected));
        return [
          label,
          {
            renamed: all(({ counts, expected }) => asRenamed(answered, label, counts, expected)),
            exchanged,
            told: (selective) => exchanged(selective) - staysTold(selective),
          },
        ];
      }),
    ),
  };
}

/** How much better each hypothesis on a label explains its lessons than that it stays: logarithms of the odds, with its prior. */
interface Hypotheses {
  lost: number;
  /** By the label that it is now; `told`: without a prior, where lessons on that label are known. */
  is: ReadonlyMap<string, { renamed: number; exchanged: number; told: number }>;
  /** Logarithm of the probability of all but an exchange, against that of staying without its prior. */
  alone: number;
  /** Logarithm of the probability of its lessons under all of them. */
  evidence: number;
}

/** The hypotheses on all labels where wrong answers get feedback at one rate. */
type World = ReadonlyMap<string, Hypotheses>;

function worldOf(explanations: ReadonlyMap<string, Explanations>, selective: number, others: number): World {
  const prior = (of: number, among: number): number => Math.log(of / STAYS / among);
  const [lostPrior, renamedPrior, exchangedPrior] = [
    prior(PRIOR.lost, 1),
    prior(PRIOR.renamed, others),
    prior(PRIOR.exchanged, others),
  ];
  const world = new Map<string, Hypotheses>();
  for (const [answered, explained] of explanations) {
    const stays = explained.stays(selective);
    const lost = lostPrior + explained.lost(selective) - stays;
    const is = new Map(
      [...explained.is].map(([label, { renamed, exchanged, told }]) => [
        label,
        {
          renamed: renamedPrior + renamed(selective) - stays,
          exchanged: exchangedPrior + exchanged(selective) - stays,
          told: told(selective),
        },
      ]),
    );
    const renamed = [...is.values()].map((each) => each.renamed);
    const exchanged = [...is.values()].map((each) => each.exchanged);
    const alone = Math.log(STAYS) + logOfSum([0, lost, ...renamed]);
    world.set(answered, { lost, is, alone, evidence: stays + logOfSum([0, lost, ...renamed, ...exchanged]) });
  }
  return world;
}

/** Probabilities that a label has moved, and to which. */
function movedIn(world: World, from: string): { any: number; to: Map<string, number> } {
  const { lost, is } = world.get(from)!;
  const logs = [...is].map(([label, { renamed, exchanged }]) => {
    const other = world.get(label);
    if (!other) return logOfSum([renamed, exchanged]);
    // Of its lessons: how much better they are explained if it is this label now than by all that it may be without an exchange.
    const back = other.is.get(from)?.told ?? -Infinity;
    return logOfSum([renamed, exchanged + back - other.alone]);
  });
  const moved = logOfSum([lost, ...logs]);
  const all = logOfSum([0, moved]);
  return {
    any: Math.exp(moved - all),
    to: new Map([...is.keys()].map((label, i) => [label, Math.exp(logs[i]! - all)])),
  };
}

/** Of numbers that are given as logarithms: sums that a number can't hold, too. */
function logOfSum(logs: readonly number[]): number {
  let most = -Infinity;
  for (const log of logs) most = Math.max(most, log);
  if (most === -Infinity) return most;
  let sum = 0;
  for (const log of logs) sum += Math.exp(log - most);
  return most + Math.log(sum);
}

/** Of weights that are given as logarithms. */
function shares(logs: readonly number[]): number[] {
  const all = logOfSum(logs);
  return logs.map((log) => Math.exp(log - all));
}
