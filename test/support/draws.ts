/**
 * How many of a test's seeded draws a run makes: a fifth, and all with `GRAFT_TEST_DRAWS=5`, as `npm run test:long` runs the files that import this.
 */
export const draws = (all: number): number =>
  Math.ceil((all / 5) * Math.min(5, Number(process.env.GRAFT_TEST_DRAWS ?? 1)));
