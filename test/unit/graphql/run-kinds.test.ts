import { ALWAYS, ASK_BY_REQUEST, TRAININGS, WATCHES } from '../../../src/operate/access/budgets/kinds.js';
import { BEGIN_ANEW } from '../../../src/cli/backup/settle-in.js';
import { RUN_KINDS } from '../../../src/server/graphql/resolvers.js';

const KINDS = RUN_KINDS.map(({ definition }) => definition);
const named = (holds: (kind: (typeof KINDS)[number]) => boolean): string[] =>
  KINDS.filter(holds)
    .map(({ kind }) => kind)
    .sort();

/** What an interrupted run goes on from is all in rows and files that a backup has. */
const IN_BACKUPS = [
  'BATCH',
  'CURATION',
  'ERASURE',
  'EVALUATION',
  'EXPERIMENT_WATCH',
  'FEATURE_IMPORT',
  'FINE_TUNING',
  'INGESTION',
  'LEARNING_RATE_SEARCH',
  'RAFT_DATASET',
  'ROLLOUT_WATCH',
  'SHADOW_WATCH',
  'STRATEGY_COMPARISON',
  'WORDING_COMPARISON',
];

describe('kinds of runs that are known by name below those who define them', () => {
  it('are there', () => {
    const all = named(() => true);
    for (const kind of [...ALWAYS, ...TRAININGS, ...WATCHES, ...ASK_BY_REQUEST, ...BEGIN_ANEW])
      expect(all).toContain(kind);
  });

  it('are all that watch: a budget that is spent doesn’t end how users are answered', () => {
    expect(named(({ kind }) => kind.endsWith('_WATCH'))).toEqual([...WATCHES].sort());
  });

  it('are all that begin anew after a restore: what they go on from lies outside of any backup', () => {
    expect(named(({ checkpoint }) => checkpoint !== null)).toEqual([...BEGIN_ANEW, ...IN_BACKUPS].sort());
  });
});
