import { readFileSync } from 'node:fs';

/** What `npm run test:long` adds: see CONTRIBUTING.md. Files, or folders that end with a slash. */
const LONG = JSON.parse(readFileSync(new URL('test/support/long.json', import.meta.url), 'utf8'));
/** Files that declare GraphQL types of their own. type-graphql keeps them for the life of a process, so they share none with others. */
const DECLARING = [
  'test/unit/graphql-kit.test.ts',
  'test/unit/graphql/listed.test.ts',
  'test/unit/graphql/record-types.test.ts',
];
const pattern = (path) => `<rootDir>/dist/${path.replace(/\.ts$/, '.js')}`;

// Files run as they were built, from dist/, in processes that load each module once: see test/support/light.mjs.
const shared = {
  runner: 'jest-light-runner/child-process',
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
      testPathIgnorePatterns: ['<rootDir>/dist/test/unit/', ...LONG.map(pattern)],
    },
    {
      ...shared,
      ...served,
      displayName: 'long',
      roots: ['<rootDir>/dist/test'],
      testMatch: LONG.map((path) => (path.endsWith('/') ? `${pattern(path)}**/*.test.js` : pattern(path))),
    },
  ],
  reporters: ['<rootDir>/test/support/reporter.mjs'],
  testSequencer: '<rootDir>/test/support/sequencer.mjs',
  maxWorkers: 2,
};
