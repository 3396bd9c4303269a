import { readdirSync, readFileSync } from 'node:fs';

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');
/** What only `npm run test:long` runs: see CONTRIBUTING.md. Files, or folders that end with a slash. */
const LONG = JSON.parse(read('test/support/long.json'));
/** Files of which `npm test` runs a fifth of the draws, and `npm run test:long` all. */
const DRAWN = readdirSync(new URL('test/', import.meta.url), { recursive: true })
  .map((name) => `test/${name}`)
  .filter((path) => path.endsWith('.test.ts') && read(path).includes('/support/draws.js'));
/** Files that declare GraphQL types of their own. type-graphql keeps them for the life of a process, so they share none with others. */
const DECLARING = [
  'test/unit/graphql-kit.test.ts',
  'test/unit/graphql/listed.test.ts',
  'test/unit/graphql/record-types.test.ts',
];
/** The same with the real servers. */
const DECLARING_REAL = ['test/integration/platform/runs/own-kind.test.ts'];
const pattern = (path) => `<rootDir>/dist/${path.replace(/\.ts$/, '.js')}`;

// Files run as they were built, from dist/, in processes that load each module once: see test/support/light.mjs.
const shared = {
  runner: '<rootDir>/test/support/light-runner.mjs',
  transform: {},
  testMatch: ['**/*.test.js'],
  modulePathIgnorePatterns: ['<rootDir>/.graft/'],
  setupFilesAfterEnv: ['<rootDir>/test/support/light.mjs'],
  snapshotResolver: '<rootDir>/test/support/snapshots.cjs',
};
// `test/support/global-setup.mjs` starts the servers once a run; jest does so only when a test of such a project is selected.
const served = {
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
};

/** Unit tests touch nothing outside the process. All others use the real servers. */
export default {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      roots: ['<rootDir>/dist/test/unit'],
      testPathIgnorePatterns: DECLARING.map(pattern),
    },
    { ...shared, displayName: 'declaring', roots: ['<rootDir>/dist/test/unit'], testMatch: DECLARING.map(pattern) },
    {
      ...shared,
      ...served,
      displayName: 'real',
      roots: ['<rootDir>/dist/test'],
      testPathIgnorePatterns: ['<rootDir>/dist/test/unit/', ...[...LONG, ...DECLARING_REAL].map(pattern)],
    },
    {
      ...shared,
      ...served,
      displayName: 'declaring-real',
      roots: ['<rootDir>/dist/test'],
      testMatch: DECLARING_REAL.map(pattern),
    },
    {
      ...shared,
      ...served,
      displayName: 'long',
      roots: ['<rootDir>/dist/test'],
      testMatch: LONG.map((path) => (path.endsWith('/') ? `${pattern(path)}**/*.test.js` : pattern(path))),
    },
    { ...shared, ...served, displayName: 'drawn', roots: ['<rootDir>/dist/test'], testMatch: DRAWN.map(pattern) },
  ],
  reporters: ['<rootDir>/test/support/reporter.mjs'],
  testSequencer: '<rootDir>/test/support/sequencer.mjs',
  maxWorkers: 2,
};
