import fc from 'fast-check';
import { choose, explore, type ScoredPlace } from '../../../src/ask/index.js';
import { addOffsets, learnOffsets } from '../../../src/evaluation/router/learn-offsets.js';
import { comparePolicies } from '../../../src/evaluation/router/off-policy.js';
import { RouterLearner, type RouterLearnerParts } from '../../../src/evaluation/router/router-learner.js';
import {
  LEAST_EFFECTIVE,
  objection,
  present,
  routedChoice,
  withOffsets,
  type RoutedChoice,
  type RouterLearningContext,
} from '../../../src/evaluation/router/router-learning.js';
import { seededRandom } from '../../../src/kernel/random.js';

const SHARE = 0.1;
const READING = { strategy: 'RAG', adapter: null } as const;
const ADAPTING = { strategy: 'ADAPTER', adapter: 'routing@1' } as const;
const KEYS = ['documents', 'routing@1'] as const;

/** A world in which a place is right with a probability that depends on how probable it is held, as told. */
interface World {
  right: Record<string, (held: number) => number>;
}

type Routed = Parameters<typeof routedChoice>[0];

/** Answers of a router that explores, and whether they are right. */
function answered(world: World, count: number, seed: number, share: number): { answer: Routed; reward: number }[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const reading = 0.1 + 0.8 * random();
    const candidates: ScoredPlace[] = [
      { ...READING, probability: reading, logOdds: Math.log(reading), expectedMs: null },
      { ...ADAPTING, probability: 1 - reading, logOdds: Math.log(1 - reading), expectedMs: null },
    ];
    const { choice, propensity } = explore(choose(candidates), share, random());
    const { strategy, adapter, probability } = choice.chosen;
    const reward = random() < world.right[adapter ?? 'documents']!(probability!) ? 1 : 0;
    const used = adapter === null ? null : { name: 'routing', version: 1 };
    const router = { version: 1, mode: 'APPLY', margin: choice.margin, propensity: propensity! } as const;
    const route = {
      strategy,
      chosenBy: 'ROUTER',
      router,
      reasons: [],
      candidates: candidates.map(({ logOdds: _, ...each }) => ({
        ...each,
        adapter: each.adapter ?? undefined,
        available: true,
      })),
    };
    return { answer: { route, adapter: used } as unknown as Routed, reward };
  });
}

/** What it would have kept of so many questions. */
const logged = (world: World, count: number, seed: number, share = SHARE): RoutedChoice[] =>
  answered(world, count, seed, share).map(({ answer, reward }) => routedChoice(answer, reward)!);

/** What a way to choose is worth in a world. */
function truth(world: World, policy: (logged: RoutedChoice) => string, seed = 99): number {
  const questions = logged(world, 20_000, seed);
  return (
    questions.reduce((sum, each) => sum + world.right[policy(each)]!(each.places.get(policy(each))!), 0) /
    questions.length
  );
}

/** The router thinks too little of its adapter: it is right wherever it is asked, and documents half of the time. */
const UNDERRATED: World = { right: { documents: () => 0.5, 'routing@1': () => 0.9 } };
/** What the router thinks is what is so. */
const AS_HELD: World = { right: { documents: (held) => held, 'routing@1': (held) => held } };
const always = (key: string) => () => key;

describe('a router that explores', () => {
  const place = (probability: number, n: number): ScoredPlace => ({
    strategy: 'ADAPTER',
    adapter: `a${n}@1`,
    probability,
    logOdds: Math.log(probability),
    expectedMs: null,
  });

  it('chooses each place as often as it says, never one that is unlikely, and in no more questions than its share', () => {
    const places = [0.6, 0.3, 0.08, 0.02].map(place);
    const plain = choose(places);
    const counts = new Map<string, number>();
    const propensities = new Map<string, number>();
    const draws = 20_000;
    for (let i = 0; i < draws; i++) {
      const { choice, propensity } = explore(plain, SHARE, i / draws);
      const key = choice.chosen.adapter!;
      counts.set(key, (counts.get(key) ?? 0) + 1);
      propensities.set(key, propensity!);
    }
    expect([...counts.keys()].sort()).toEqual(['a0@1', 'a1@1', 'a2@1']);
    for (const [key, count] of counts) expect(count / draws).toBeCloseTo(propensities.get(key)!, 3);
    expect(1 - counts.get('a0@1')! / draws).toBeLessThanOrEqual(SHARE);
  });

  it('leaves the choice alone where the share is 0, where nothing else is likely, or nobody knows how likely it is', () => {
    const two = choose([0.6, 0.4].map(place));
    expect(explore(two, 0, 0)).toEqual({ choice: two, propensity: null, explored: false });
    const one = choose([0.98, 0.02].map(place));
    expect(explore(one, SHARE, 0)).toEqual({ choice: one, propensity: null, explored: false });
    const unknown = { ...READING, probability: null, logOdds: null, expectedMs: null };
    expect(explore(choose([unknown, place(1, 0)].map((each) => ({ ...each }))), SHARE, 0).explored).toBe(false);
  });

  it('keeps probabilities that add up to one', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 2, maxLength: 8 }), (raw) => {
        const sum = raw.reduce((all, each) => all + each, 0);
        const plain = choose(raw.map((each, n) => place(each / sum, n)));
        const seen = new Map<string, number>();
        for (let i = 0; i < 400; i++) {
          const { choice, propensity } = explore(plain, SHARE, i / 400);
          if (propensity !== null) seen.set(choice.chosen.adapter!, propensity);
        }
        const total = [...seen.values()].reduce((all, each) => all + each, 0);
        expect(seen.size === 0 || Math.abs(total - 1) < 1e-9).toBe(true);
      }),
    );
  });
});

describe('what a router is worth that never answered', () => {
  const worlds = [UNDERRATED, AS_HELD];

  it('lies in its interval nineteen times of twenty, by inverse propensity and doubly robust', () => {
    const runs = 120;
    for (const world of worlds) {
      const policy = always('routing@1');
      const [worth, now] = [truth(world, policy), truth(world, present)];
      const within = { ips: 0, dr: 0, difference: 0 };
      for (let seed = 0; seed < runs; seed++) {
        const { candidate, difference } = comparePolicies(logged(world, 1_000, seed), present, policy);
        if (candidate.ips.low <= worth && worth <= candidate.ips.high) within.ips += 1;
        if (candidate.dr.low <= worth && worth <= candidate.dr.high) within.dr += 1;
        if (difference.low <= worth - now && worth - now <= difference.high) within.difference += 1;
      }
      for (const count of Object.values(within)) expect(count / runs).toBeGreaterThanOrEqual(0.9);
    }
  });

  it('is told without bias though the model of what is right knows nothing, and more closely where it does', () => {
    // Right in the middle only, which no line in the log-odds says.
    const world: World = { right: { documents: (p) => (Math.abs(p - 0.5) < 0.2 ? 0.9 : 0.1), 'routing@1': () => 0.9 } };
    const policy = always('documents');
    const worth = truth(world, policy);
    const values = Array.from(
      { length: 80 },
      (_, seed) => comparePolicies(logged(world, 1_000, seed), present, policy).candidate,
    );
    const mean = (of: (value: (typeof values)[number]) => number) =>
      values.reduce((sum, value) => sum + of(value), 0) / values.length;
    expect(Math.abs(mean(({ dr }) => dr.value) - worth)).toBeLessThan(0.02);
    expect(Math.abs(mean(({ ips }) => ips.value) - worth)).toBeLessThan(0.03);
    const width = ({ low, high }: { low: number; high: number }) => high - low;
    expect(mean(({ dr }) => width(dr))).toBeLessThan(mean(({ ips }) => width(ips)));
  });

  it('widens what it says by how often was looked before', () => {
    const all = logged(AS_HELD, 500, 1);
    const [once, often] = [1, 30].map((looks) => comparePolicies(all, present, always('routing@1'), looks).difference);
    expect(often!.value).toBe(once!.value);
    expect((often!.high - often!.low) / (once!.high - once!.low)).toBeCloseTo(4.146 / 2.165, 2);
  });

  it('says how much of it nobody could have seen', () => {
    const all = logged(AS_HELD, 500, 1);
    const { candidate } = comparePolicies(all, present, always('elsewhere@1'));
    expect(candidate).toMatchObject({ unsupported: 1, effective: 0 });
    expect(objection(comparePolicies(all, present, always('elsewhere@1')))).not.toBeNull();
  });
});

describe('what chance never could have chosen', () => {
  it('is a share of the questions in which two ways differ, however many there are in which they don’t', () => {
    const all = logged(UNDERRATED, 2_000, 1);
    const same = all.filter((each) => present(each) === 'routing@1');
    const other = all.filter((each) => present(each) !== 'routing@1');
    // Of fifty questions that it would choose otherwise in, ten would go where chance sends nobody.
    const few = other
      .slice(0, 50)
      .map((each, n) => (n % 5 === 0 ? { ...each, eligible: new Set(['documents']) } : each));
    const policy = always('routing@1');
    for (const many of [50, 900]) {
      const found = comparePolicies([...few, ...same.slice(0, many)], present, policy);
      expect(found.candidate.unsupported).toBeCloseTo(0.2, 9);
      expect(found.present.unsupported).toBe(0);
    }
    const worth = { ...comparePolicies([...few, ...same.slice(0, 900)], present, policy) };
    const sure = { ...worth, candidate: { ...worth.candidate, effective: LEAST_EFFECTIVE } };
    expect(objection(sure)).toBe(
      'In 20 % of the questions in which it would choose otherwise, it would choose what chance never could.',
    );
  });
});

describe('what was never tried', () => {
  // Documents are seldom right where they are just preferred, and the adapter, which is right wherever it is preferred, less often still.
  const TRAP: World = {
    right: {
      documents: (held) => (held < 0.65 ? 0.1 : 0.9),
      'routing@1': (held) => (held >= 0.5 ? 0.9 : 0.05),
    },
  };
  const candidate = withOffsets({ 'routing@1': 0.6 });
  const tried = (of: readonly RoutedChoice[]) =>
    of.filter((each) => candidate(each) !== present(each) && each.chosen === candidate(each)).length;

  it.each([
    ['is right elsewhere', () => true],
    ['is chosen nowhere but by chance', (each: RoutedChoice) => present(each) === 'documents'],
  ])('is never proposed, though the place %s, and many answers speak of what stays as it is', (_, asked) => {
    const runs = Array.from({ length: 40 }, (_, seed) => {
      const judged = logged(TRAP, 800, seed, 0.02).filter(asked).slice(0, 400);
      return { tried: tried(judged), found: comparePolicies(judged, present, candidate) };
    });
    const untried = runs.filter((run) => run.tried === 0);
    // The trap is there: by the reward model alone it looks better.
    expect(untried.filter(({ found }) => found.difference.low > 0).length).toBeGreaterThan(0);
    for (const { found } of untried) {
      expect(found.candidate).toMatchObject({ effective: 0, unsupported: 0 });
      expect(objection(found)).toMatch(/chosen too seldom/);
    }
    for (const run of runs)
      if (objection(run.found) === null) expect(run.tried).toBeGreaterThanOrEqual(LEAST_EFFECTIVE);
  });

  it('counts as answers of its choice, where every one weighs the same', () => {
    const all = logged(TRAP, 2_000, 1, 0.1);
    expect(tried(all)).toBeGreaterThan(0);
    expect(comparePolicies(all, present, candidate).candidate.effective).toBeCloseTo(tried(all), 6);
  });

  it('is nothing where it would choose the same', () => {
    const found = comparePolicies(logged(TRAP, 400, 1), present, present);
    expect(found.candidate.effective).toBe(0);
    expect(objection(found)).toBe('It would choose as the router does now.');
  });
});

describe('what a router learns from words', () => {
  const halves = (all: readonly RoutedChoice[]) => [0, 1].map((rest) => all.filter((_, i) => i % 2 === rest));
  const learn = (world: World, seed: number, count = 3_000) => {
    const [from, on] = halves(logged(world, count, seed));
    const offsets = learnOffsets(from!);
    return { offsets, found: comparePolicies(on!, present, withOffsets(offsets)) };
  };

  it('raises a place that is right more often than was thought, and is better for it', () => {
    const { offsets, found } = learn(UNDERRATED, 1);
    expect(offsets['routing@1']! - offsets['documents']!).toBeGreaterThan(0.3);
    expect(objection(found)).toBeNull();
    expect(truth(UNDERRATED, withOffsets(offsets))).toBeGreaterThan(truth(UNDERRATED, present) + 0.03);
  });

  it('is seldom proposed where the router is right as it is', () => {
    const proposed = Array.from({ length: 40 }, (_, seed) => objection(learn(AS_HELD, seed).found) === null);
    expect(proposed.filter(Boolean).length).toBeLessThanOrEqual(4);
  });

  it('is not proposed of few questions, and names why', () => {
    const { found } = learn(UNDERRATED, 1, 100);
    expect(objection(found)).toMatch(/50 questions were left to judge by/);
  });

  it('stays within bounds whatever was said', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...KEYS), { maxLength: 40 }),
        fc.integer({ min: 1, max: 50 }),
        (chosen, w) => {
          const offsets = learnOffsets(
            chosen.map((key) => ({
              chosen: key,
              propensity: 1 / w,
              reward: 1,
              eligible: new Set<string>(KEYS),
              places: new Map<string, number>([
                ['documents', 0.001],
                ['routing@1', 0.999],
              ]),
            })),
          );
          for (const offset of Object.values(offsets)) expect(Math.abs(offset)).toBeLessThanOrEqual(2);
        },
      ),
    );
  });

  it('stays within bounds however often something is approved', () => {
    const offsets = fc.dictionary(fc.constantFrom(...KEYS), fc.double({ min: -2, max: 2, noNaN: true }));
    fc.assert(
      fc.property(fc.array(offsets, { maxLength: 6 }), (approved) => {
        let before: Record<string, number> = {};
        for (const more of approved) {
          const { whole, step } = addOffsets(before, more);
          for (const [key, offset] of Object.entries(whole)) {
            expect(Math.abs(offset)).toBeLessThanOrEqual(2);
            expect((before[key] ?? 0) + step[key]!).toBeCloseTo(offset, 9);
          }
          before = whole;
        }
      }),
    );
    expect(addOffsets({ documents: 1.5 }, { documents: 1.5, base: -0.5 })).toEqual({
      whole: { documents: 2, base: -0.5 },
      step: { documents: 0.5, base: -0.5 },
    });
  });

  it('is proposed on top of what was approved as far as the bounds let it, and judged as that', async () => {
    const answers = answered(UNDERRATED, 3_000, 1, SHARE);
    const items = answers.map(({ answer }, i) => ({ ...answer, id: `${i}` }));
    const opened: { evidence: { offsets: object; comparison: object } }[] = [];
    const learner = new RouterLearner({
      routers: {
        newest: () =>
          Promise.resolve({
            version: 1,
            createdAt: new Date(1),
            learned: { offsets: { documents: -1.5, 'routing@1': 1.5 } },
          }),
      },
      // Once since there is this version, and once before.
      runs: {
        list: () =>
          Promise.resolve({ items: [{ createdAt: new Date(2) }, { createdAt: new Date(0) }], hasNextPage: false }),
      },
      answers: { list: () => Promise.resolve({ items, hasNextPage: false }) },
      feedback: { rightness: () => Promise.resolve(answers.map(({ reward }) => reward)) },
      proposals: {
        open: (_tx: unknown, _workspaceId: unknown, proposal: (typeof opened)[number]) => {
          opened.push(proposal);
          return Promise.resolve('proposal');
        },
      },
    } as unknown as RouterLearnerParts);
    const context = {
      run: { workspaceId: 'w' },
      signal: new AbortController().signal,
      progress: () => Promise.resolve(),
      fenced: (work: (tx: null) => Promise<unknown>) => work(null),
    } as unknown as RouterLearningContext;
    expect(await learner.learn(context)).toMatchObject({ proposalId: 'proposal' });
    const [, judged] = halves(logged(UNDERRATED, 3_000, 1));
    const step = withOffsets({ documents: -0.5, 'routing@1': 0.5 });
    expect(opened.map(({ evidence }) => evidence)).toMatchObject([
      { offsets: { documents: -2, 'routing@1': 2 }, comparison: comparePolicies(judged!, present, step, 2) },
    ]);
  });

  it('is nothing of answers that chance had no part in, or that a caller or a test chose', () => {
    const [one] = logged(AS_HELD, 1, 1);
    const route = (changed: object) =>
      ({
        route: {
          strategy: 'RAG',
          chosenBy: 'ROUTER',
          reasons: [],
          candidates: one!.candidates.map((each) => ({ ...each, adapter: each.adapter ?? undefined })),
          router: { version: 1, mode: 'APPLY', margin: 0, propensity: 0.9 },
          ...changed,
        },
        adapter: null,
      }) as unknown as Routed;
    expect(routedChoice(route({}), 1)).not.toBeNull();
    expect(routedChoice(route({ router: { version: 1, mode: 'APPLY', margin: 0 } }), 1)).toBeNull();
    expect(routedChoice(route({ router: undefined }), 1)).toBeNull();
    expect(routedChoice(route({ chosenBy: 'EXPERIMENT' }), 1)).toBeNull();
  });
});
