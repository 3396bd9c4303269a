import { improve } from '../../../src/ship/improvement/improve.js';
import { seededRandom } from '../../../src/kernel/random.js';
import type { AdapterRow } from '../../../src/sources/registry/index.js';
import { draws } from '../../support/draws.js';
import { Life } from '../../support/mortal.js';
import { ImprovementKit } from './improvement-kit.js';

/** Every method by which an improvement changes anything. */
const CHANGES = new Set(['start', 'keep', 'end', 'promote', 'propose', 'decide', 'pausePolicy']);
const KILLS = draws(20);

describe('an improvement among faults', () => {
  let kit: ImprovementKit;
  beforeAll(async () => {
    kit = await ImprovementKit.start();
    kit.work(false);
  }, 60_000);
  afterAll(() => kit.dispose());

  /** Goes through the loop, and takes it up again as often as its gateway is killed. @returns the changes of the last life */
  async function live(runId: string, lives: Life[]): Promise<number> {
    for (const life of lives) {
      const context = await kit.context(runId, life.signal);
      try {
        await improve(life.of(kit.parts), context);
        return life.calls;
      } catch (error) {
        if (!life.ended) throw error;
      }
    }
    throw new Error('It outlived all gateways.');
  }
  const whole = () => new Life(CHANGES, null, false);

  const traces = async (adapter: AdapterRow, id: string) => {
    const { prisma } = kit.kit.database;
    const runs = await prisma.run.findMany({ where: { idempotencyKey: { startsWith: `improvement ${id}` } } });
    const proposals = await prisma.proposal.findMany({ where: { adapterId: adapter.id } });
    const versions = await prisma.adapterVersion.findMany({ where: { adapterId: adapter.id } });
    return { runs: runs.map(({ kind }) => kind).sort(), proposals, versions };
  };

  it(`killed at ${KILLS} seeded points ends as one that never was, and has begun nothing twice`, async () => {
    const plain = await kit.adapter({ autoApprove: true });
    await kit.said(plain, 12);
    const undisturbed = await kit.begin(plain);
    const changes = await live(undisturbed.runId, [whole()]);
    expect(changes).toBeGreaterThanOrEqual(14);

    const random = seededRandom(20);
    for (let seed = 0; seed < KILLS; seed++) {
      const adapter = await kit.adapter({ autoApprove: seed % 2 === 0 });
      await kit.said(adapter, 12);
      const { id, runId } = await kit.begin(adapter);
      const at = Math.floor(random() * changes);
      const again = Math.floor(random() * changes);
      const after = random() < 0.5;
      await live(runId, [new Life(CHANGES, at, after), new Life(CHANGES, again, !after), whole()]);

      const [row] = await kit.of(adapter);
      const { runs, proposals, versions } = await traces(adapter, id);
      expect({ seed, at, after, outcome: row!.outcome, message: row!.message }).toMatchObject({
        outcome: seed % 2 === 0 ? 'PROMOTED' : 'PROPOSED',
      });
      expect({ seed, at, after, runs }).toMatchObject({ runs: ['ATTESTATION', 'CURATION', 'EVALUATION', 'TRAINING'] });
      expect({ seed, at, after, proposals: proposals.length, versions: versions.length }).toMatchObject({
        proposals: 1,
        versions: 2,
      });
      expect(row).toMatchObject({
        newRows: 12,
        proposalId: proposals[0]!.id,
        productionId: versions.find(({ version }) => version === 1)!.id,
      });
      const production = await kit.parts.adapters.store.resolve(adapter, { alias: 'production' });
      expect(production!.version).toBe(seed % 2 === 0 ? 2 : 1);
    }
  }, 900_000);

  it('pauses its policy after the last of the refused, though it was killed between both', async () => {
    const adapter = await kit.adapter({ mostRefused: 1 });
    await kit.said(adapter, 12);
    kit.gain = -0.1;
    const { runId } = await kit.begin(adapter);
    const before = new Set(['pausePolicy']);
    await live(runId, [new Life(before, 0, false), whole()]).finally(() => (kit.gain = 0.1));
    expect((await kit.of(adapter)).map(({ outcome }) => outcome)).toEqual(['REFUSED']);
    expect((await kit.policy(adapter)).pausedReason).toMatch(/refused 1 candidates in a row/);
  });
});
