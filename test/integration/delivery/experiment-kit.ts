import type { CreateExperiment } from '../../../src/ship/delivery/experiments/experiment-service.js';
import { storedExperimentState, type ExperimentRow } from '../../../src/ship/delivery/experiments/experiment.js';
import { newId } from '../../../src/kernel/ids.js';
import { eventually } from '../../support/eventually.js';
import { recordAnswers, type WishedAnswer } from '../../support/recorded-answers.js';
import { evenDraws, WORKSPACE, type DeliveryKit, type TestGateway } from './delivery-kit.js';

/** An experiment as tests want one: two arms beside each other on the questions that leave everything to Graft. */
export const planned = (over: Partial<CreateExperiment> = {}): CreateExperiment => ({
  name: 'a test',
  arms: [{ name: 'old' }, { name: 'new', strategy: 'BASE' }],
  by: 'ann',
  reason: 'to know',
  metrics: [{ metric: 'ABSTENTION' }],
  idempotencyKey: newId(),
  ...over,
});

export const abstained: WishedAnswer = {
  abstention: { reason: 'NOTHING_FOUND', sentence: 'No.', probability: null, threshold: 0 },
};

/** Experiments over the gateways of a kit, and answers as `ask` would record them. */
export class ExperimentKit {
  readonly #evenly = evenDraws();

  constructor(readonly kit: DeliveryKit) {}

  async started(gateway: TestGateway, over: Partial<CreateExperiment> = {}): Promise<ExperimentRow> {
    const { id } = await gateway.experimentService.create(WORKSPACE, planned(over));
    return gateway.experimentService.start(WORKSPACE, id, { by: 'ann', reason: 'go' });
  }

  drawn(gateway: TestGateway, unit: string | null, adapter: string | null = null, forceArm: string | null = null) {
    return gateway.tests.assign(WORKSPACE, adapter, { unit, requestKey: newId(), forceArm });
  }

  /**
   * Asks so often; whoever is drawn gets an answer as its arm gives it.
   * @param behaves null: the answer is lost
   * @returns ids of the answers by arm
   */
  async ask(
    gateway: TestGateway,
    times: number,
    behaves: (arm: string, n: number) => WishedAnswer | null = () => ({}),
    unit?: (n: number) => string | null,
  ): Promise<Record<string, string[]>> {
    const ids: Record<string, string[]> = {};
    for (let n = 0; n < times; n++) {
      const found = unit ? this.drawn(gateway, unit(n)) : this.#evenly((who) => this.drawn(gateway, who));
      if (!found) continue;
      const { arm } = found.assignment;
      const own = (ids[arm] ??= []);
      const wish = behaves(arm, n);
      if (wish === null) continue;
      const said = { latencyMs: 100, ...wish, assignment: found.assignment };
      own.push(...(await recordAnswers(this.kit.database, WORKSPACE, [said])));
    }
    return ids;
  }

  row(id: string): Promise<ExperimentRow> {
    return this.kit.database.prisma.experiment.findFirstOrThrow({ where: { id } });
  }

  async state(id: string) {
    return storedExperimentState.decode((await this.row(id)).state);
  }

  async actions(id: string): Promise<string[]> {
    const rows = await this.kit.database.prisma.experimentDecision.findMany({
      where: { experimentId: id },
      orderBy: { id: 'asc' },
    });
    return rows.map(({ action }) => action);
  }

  reasons(id: string, action: string): Promise<string[]> {
    return this.kit.database.prisma.experimentDecision
      .findMany({ where: { experimentId: id, action }, orderBy: { id: 'asc' } })
      .then((rows) => rows.flatMap(({ reasons }) => reasons));
  }

  async counted(id: string): Promise<number> {
    return Object.values((await this.state(id)).arms).reduce((sum, { answers }) => sum + answers, 0);
  }

  countedAre(id: string, answers: number): Promise<unknown> {
    return eventually(`${answers} answers are counted`, async () => {
      const counted = await this.counted(id);
      if (counted === answers) return true;
      throw new Error(`${counted} are`);
    });
  }

  becomes(id: string, status: string): Promise<ExperimentRow> {
    return eventually(`it is ${status}`, async () => {
      const row = await this.row(id);
      if (row.status === status) return row;
      throw new Error(`${row.status}, ${(await this.actions(id)).join(' ')}`);
    });
  }
}
