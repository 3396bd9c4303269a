import pg from 'pg';
import {
  AdapterDocument,
  DecideProposalDocument,
  ProposalsDocument,
  RolloutDocument,
  RolloutEventsDocument,
  StartRolloutDocument,
  type RolloutQuery,
} from '../../src/client/operations/index.js';
import { chromaUrl } from '../support/chroma.js';
import { emptyDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { temporaryHome } from '../support/graft-program.js';
import { ADAPTER, ProvenVersions } from '../support/proven-versions.js';
import { startS3Server } from '../support/s3-server.js';
import { itWhen } from '../support/skip.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';
import { Gateway } from '../support/two-gateways.js';
import { Users } from '../support/users.js';

const MOST_MS = 900_000;
const WAIT_MS = 120_000;
const server = await startS3Server();
const [s3, absent] = typeof server === 'string' ? [null, server] : [server, ''];

/** Not how sure they are: two trainings of random weights differ in that, however right they are. */
const GUARDRAILS = (['FAILURE', 'ABSTENTION', 'FEEDBACK'] as const).map((metric) => ({
  metric,
}));
/** More answers than come while a gateway is killed and its step is looked at. */
const STEPS = [
  { share: 0.3, leastAnswers: 30, leastMinutes: 0 },
  { share: 0.6, leastAnswers: 40, leastMinutes: 0 },
  { share: 0.9, leastAnswers: 10, leastMinutes: 0 },
];

type Rollout = NonNullable<RolloutQuery['rollout']>;
/** What `rolloutEvents` told of a decision. */
type Told = Pick<Rollout['decisions']['edges'][number]['node'], 'id' | 'action' | 'check' | 'reasons' | 'decidedBy'>;

describe('versions on their way to users, through GraphQL alone, by two gateways of one database', () => {
  let folder: TemporaryFolder;
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  let gateways: readonly [Gateway, Gateway];
  let living: Gateway[];
  let versions: ProvenVersions;
  const users = new Users(() => living.map(({ client }) => client));

  beforeAll(async () => {
    if (s3 === null) return;
    [folder, database] = [await temporaryFolder(), await emptyDatabase()];
    const { endpoint, bucket, region, accessKeyId, secretAccessKey } = await s3.bucket();
    const env = {
      DATABASE_URL: database.url,
      CHROMA_URL: chromaUrl(),
      GRAFT_S3_ENDPOINT: endpoint,
      GRAFT_S3_BUCKET: bucket,
      GRAFT_S3_REGION: region,
      GRAFT_S3_ACCESS_KEY_ID: accessKeyId,
      GRAFT_S3_SECRET_ACCESS_KEY: secretAccessKey,
    };
    gateways = [new Gateway(await temporaryHome(), env), new Gateway(await temporaryHome(), env)];
    living = [...gateways];
    await Promise.all(gateways.map((gateway) => gateway.start()));
    versions = new ProvenVersions(gateways[0].client, folder.path);
    await versions.begin();
    await versions.candidate(1, 'partly', null);
    await versions.promote(1, 'PRODUCTION');
  }, MOST_MS);

  afterAll(async () => {
    for (const gateway of gateways ?? []) {
      await gateway.kill();
      await gateway.home.remove();
    }
    await database?.drop();
    await folder?.remove();
    await s3?.stop();
  }, MOST_MS);

  const sql = async <T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      return (await client.query<T>(text, values)).rows;
    } finally {
      await client.end();
    }
  };
  const start = async (
    idempotencyKey: string,
    steps: { share: number; leastAnswers?: number; leastMinutes?: number }[],
  ): Promise<string> => {
    const { startRollout } = await living[0]!.client.request(StartRolloutDocument, {
      input: {
        adapter: ADAPTER,
        reason: 'passed the gate',
        advanced: { guardrails: GUARDRAILS, steps },
        by: 'op',
        idempotencyKey,
      },
    });
    return startRollout.rollout.id;
  };
  const rolloutOf = async (id: string): Promise<Rollout> =>
    (await living[0]!.client.request(RolloutDocument, { id })).rollout!;
  const production = async (): Promise<number | undefined> => {
    const { adapter } = await living[0]!.client.request(AdapterDocument, { name: ADAPTER });
    return adapter!.versions.find(({ aliases }) => aliases.includes('PRODUCTION'))?.version;
  };
  /** Every decision as a gateway tells it, until the rollout has ended. */
  const told = async (gateway: Gateway, rolloutId: string): Promise<Told[]> => {
    const all: Told[] = [];
    for await (const { rolloutEvents } of gateway.client.subscribe(RolloutEventsDocument, { rolloutId }))
      all.push(rolloutEvents.decision);
    return all;
  };
  /** Both gateways tell the same decisions, each once; and every answer that was drawn is counted, once. */
  const decidedOnce = async (id: string): Promise<string[]> => {
    const rows = await sql<{ id: string; action: string }>(
      'SELECT id, action FROM rollout_decision WHERE rollout_id = (SELECT max(rollout_id::text)::uuid FROM rollout_decision) ORDER BY id',
    );
    for (const gateway of living)
      expect((await told(gateway, id)).map((decision) => decision.id)).toEqual(rows.map((row) => row.id));
    const [run] = await sql<{ status: string }>(
      "SELECT status FROM run WHERE kind = 'ROLLOUT_WATCH' ORDER BY id DESC LIMIT 1",
    );
    expect(run).toEqual({ status: 'SUCCEEDED' });
    return rows.map(({ action }) => action);
  };

  itWhen(s3 !== null, absent)(
    'takes back by itself, with nobody looking, a candidate that passed the gate and is wrong whenever a user asks',
    async () => {
      await versions.candidate(2, 'swapped', 1);
      const id = await start('bad', [{ share: 0.5, leastAnswers: 500, leastMinutes: 0 }, { share: 0.9 }]);
      let answered = 0;
      await users.until('nobody is drawn any more', async () => {
        const answers = await users.ask(40);
        answered += answers.filter(({ adapter }) => adapter?.versionNumber === 2).length;
        return answers.every(({ experiment }) => experiment === null);
      });
      expect(answered).toBeGreaterThan(0);
      const rollout = await rolloutOf(id);
      expect(rollout).toMatchObject({ status: 'ROLLED_BACK', current: 0 });
      expect(rollout.guardrails.filter(({ crossed }) => crossed).map(({ metric }) => metric)).toEqual(['FEEDBACK']);
      expect(await production()).toBe(1);
      expect(await decidedOnce(id)).toEqual(['START', 'ROLL_BACK']);
      expect(rollout.decisions.edges.at(-1)!.node).toMatchObject({ check: 'GUARDRAIL', decidedBy: null });
    },
    MOST_MS,
  );

  itWhen(s3 !== null, absent)(
    'brings a good one to everybody with one approval, though whoever watches it is killed twice on the way',
    async () => {
      await versions.candidate(3, 'right', 1);
      const id = await start('good', STEPS);
      for (const step of [0, 1]) {
        // In the middle of a step, while people ask. What the rollout's row counts is some seconds old.
        await users.until('the candidate answers', async () => (await candidateAnswersIn(step)) >= 3);
        expect(await rolloutOf(id)).toMatchObject({ current: step, status: 'RUNNING' });
        const dying = await watching();
        living = gateways.filter((gateway) => gateway !== dying);
        await Promise.all([dying.kill(), users.ask(16)]);
        await users.until(`step ${step + 1}`, async () => (await rolloutOf(id)).current > step);
        await dying.start();
        living = [...gateways];
      }
      await users.until('a proposal', async () => (await rolloutOf(id)).awaitsApproval);
      const everybody = await users.ask(40);
      // A tenth stays with production until a person approves.
      const third = everybody.filter(({ adapter }) => adapter?.versionNumber === 3);
      expect(third.length).toBeGreaterThan(everybody.length / 2);
      expect(await production()).toBe(1);
      const { proposals } = await living[0]!.client.request(ProposalsDocument, { status: 'OPEN', adapter: ADAPTER });
      const [{ node: proposal }] = proposals.edges as [(typeof proposals.edges)[number]];
      expect(proposal).toMatchObject({
        candidateVersion: 3,
        replacesVersion: 1,
        gate: { passed: true, forced: false },
      });
      await living[1]!.client.request(DecideProposalDocument, {
        input: { proposal: proposal.id, approve: true, by: 'ann', reason: 'all its figures are good' },
      });
      expect(await production()).toBe(3);
      await users.until('all are answered by production', async () => {
        const after = await users.ask(20);
        expect(new Set(after.map(({ adapter }) => adapter?.versionNumber))).toEqual(new Set([3]));
        return after.every(({ experiment }) => experiment === null);
      });
      const rollout = await rolloutOf(id);
      expect(rollout).toMatchObject({ status: 'COMPLETED' });
      await eventually('its run ends', async () => (await rolloutOf(id)).run?.status === 'SUCCEEDED', WAIT_MS);
      const actions = ['START', 'ADVANCE', 'ADVANCE', 'AWAIT_APPROVAL', 'APPROVE', 'COMPLETE'];
      expect(await decidedOnce(id)).toEqual(actions);
      const deciders = rollout.decisions.edges.map(({ node }) => node.decidedBy);
      expect(deciders).toEqual(['op', null, null, null, 'ann', null]);
    },
    MOST_MS,
  );

  /** Of the last rollout, in one of its steps. */
  const candidateAnswersIn = async (step: number): Promise<number> => {
    const [found] = await sql<{ count: string }>(
      "SELECT count(*) FROM answer WHERE assignment_subject = (SELECT id FROM rollout ORDER BY id DESC LIMIT 1) AND assignment_arm = 'CANDIDATE' AND assignment_stage = $1",
      [step],
    );
    return Number(found!.count);
  };
  /** The gateway that watches it now. */
  const watching = async (): Promise<Gateway> => {
    return eventually(
      'somebody watches it',
      async () => {
        const [run] = await sql<{ owner: string }>(
          "SELECT lease_owner AS owner FROM run WHERE kind = 'ROLLOUT_WATCH' AND status = 'RUNNING'",
        );
        return gateways.find(({ name }) => name === run?.owner);
      },
      WAIT_MS,
    );
  };
});
