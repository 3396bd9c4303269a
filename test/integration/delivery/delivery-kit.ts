import { AnswerStore, AskService, type AskParts, type Assignment, type Drawn } from '../../../src/answer/ask/index.js';
import { deliveryServices } from '../../../src/ship/delivery/open.js';
import { experimentRuns } from '../../../src/ship/delivery/experiments/experiment-graphql.js';
import { rolloutRuns } from '../../../src/ship/delivery/rollouts/rollout-graphql.js';
import { shadowRuns } from '../../../src/ship/delivery/shadow/shadow-graphql.js';
import type { StartRollout } from '../../../src/ship/delivery/rollouts/rollout-service.js';
import type { RolloutDecisionRow, RolloutRow } from '../../../src/ship/delivery/rollouts/rollout.js';
import { EvaluationStore, Gate } from '../../../src/prove/index.js';
import { systemClock, type Clock } from '../../../src/kernel/clock.js';
import { sha256 } from '../../../src/kernel/hashing.js';
import { DEFAULT_WORKSPACE_ID, newId, type Uuid } from '../../../src/kernel/ids.js';
import { LocalArtifactStore, FileService } from '../../../src/platform/artifacts/index.js';
import { openDatabase, type Database } from '../../../src/platform/database/index.js';
import { Erasure } from '../../../src/platform/erasure/index.js';
import { EventLog } from '../../../src/platform/events/index.js';
import { RunQueue } from '../../../src/platform/runs/index.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { AdapterRegistry, AdapterStore } from '../../../src/sources/registry/index.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { recordAnswers, type WishedAnswer } from '../../support/recorded-answers.js';

export const WORKSPACE = DEFAULT_WORKSPACE_ID;
const LEASE_MS = 600;

interface GatewayOptions {
  clock?: Clock;
  owner?: Uuid;
  /** Who answers what is asked unseen. */
  askingInBulk?: Pick<AskService, 'tryOut'>;
  /** Whether users wait. */
  interactive?: { busy: boolean };
  /** Whether it watches experiments ten times as quickly as where users answer, for tests that wait for many looks. */
  quick?: boolean;
}

/** Which gateway, over a database; more than one may share it. */
export function gatewayOn(
  database: Database,
  {
    clock = systemClock,
    owner = newId(),
    askingInBulk = { tryOut: () => Promise.reject(new Error('nobody answers here')) },
    interactive = { busy: false },
    quick = false,
  }: GatewayOptions = {},
) {
  const log = silentLogger();
  const events = new EventLog({ database, log });
  const parts = { database, events, clock, log, owner, leaseMs: LEASE_MS, pollMs: 200, retryMs: 50 };
  const runs = new RunQueue({ ...parts, kinds: [rolloutRuns, experimentRuns, shadowRuns] });
  const files = new FileService(database, new LocalArtifactStore('/nowhere'));
  const adapters = new AdapterRegistry({ store: new AdapterStore(database), files, erasure: new Erasure(files) });
  const gate = new Gate({ adapters, evaluations: new EvaluationStore(database) });
  const models = { resolve: () => Promise.reject(new Error('no models here')) };
  const answers = new AnswerStore(database);
  const asking = new AskService({ answers } as AskParts);
  const asked = { answers, asking, askingInBulk, worker: { interactive } };
  const opened = deliveryServices({ ...parts, ...asked, runs, adapters, models, gate });
  // Tests look at rows.
  const services = {
    ...opened,
    watching: { ...opened.watching, keepMs: 3_000 },
    testing: { ...opened.testing, ...(quick && { lookMs: 100, countMs: 300 }) },
  };
  runs.handle([rolloutRuns, experimentRuns, shadowRuns], services);
  return {
    ...services,
    /** @param watches whether it takes runs, too */
    async start(watches = true): Promise<void> {
      if (watches) runs.start();
      await services.tests.start();
    },
    async stop(): Promise<void> {
      await runs.stop(500);
      await services.tests.stop();
      await events.close();
    },
  };
}

export type TestGateway = ReturnType<typeof gatewayOn>;

export type AnswerRow = Awaited<ReturnType<Database['prisma']['answer']['findMany']>>[number];
export type Arm = 'CANDIDATE' | 'CONTROL';

/** How far one draw lies behind the one before: however many follow each other, they lie evenly. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;
const [NEAR, MOST_TRIES] = [0.02, 500];

/**
 * Draws units that the test doesn't name so that arms always get their shares. Ids are random, and so would be which arm has how many: equally good
 * ones would seem unequal in one test of a thousand, and a test would wait in vain for answers that chance gave to the other arm.
 */
export function evenDraws() {
  let draws = 0;
  return (draw: (unit: string) => Drawn | null): Drawn | null => {
    const place = (draws++ * GOLDEN) % 1;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const found = draw(newId());
      if (found && Math.abs(found.assignment.bucket - place) < NEAR) return found;
    }
    return null;
  };
}

/** Adapters without weights on a database of its own, gateways over it, and answers as `ask` would record them. */
export class DeliveryKit {
  readonly #gateways: TestGateway[] = [];
  readonly #evenly = evenDraws();

  private constructor(readonly database: TestDatabase) {}

  static async start(): Promise<DeliveryKit> {
    return new DeliveryKit(await testDatabase());
  }

  async gateway({ watches = true, ...options }: GatewayOptions & { watches?: boolean } = {}): Promise<TestGateway> {
    const gateway = gatewayOn(this.database, options);
    this.#gateways.push(gateway);
    await gateway.start(watches);
    return gateway;
  }

  async dispose(): Promise<void> {
    for (const gateway of this.#gateways) await gateway.stop();
    await this.database.dispose();
  }

  /** An adapter whose version 1 is production and whose version 2 passed the gate against it. */
  async adapter(name: string, { candidate = true, production = true, versions = 2 } = {}) {
    const { prisma } = this.database;
    const workspaceId = WORKSPACE;
    const model = await prisma.baseModel.create({
      data: { id: newId(), workspaceId, name: `m-${name}`, architecture: 'llama', parameters: 1n, source: 'FILE' },
    });
    const variant = await prisma.modelVariant.create({
      data: {
        id: newId(),
        workspaceId,
        modelId: model.id,
        quantization: 'F16',
        sha256: sha256(`v ${name}`),
        bytes: 1n,
        contextLength: 512,
        vocabulary: 10,
        location: 'nowhere',
      },
    });
    const adapter = await prisma.adapter.create({
      data: { id: newId(), workspaceId, name, task: 'INSTRUCTION', modelId: model.id, lastVersion: versions },
    });
    const made = [];
    for (let version = 1; version <= versions; version++)
      made.push(
        await prisma.adapterVersion.create({
          data: {
            id: newId(),
            workspaceId,
            adapterId: adapter.id,
            version,
            digest: sha256(`${name} ${version}`),
            weightsFileId: newId(),
            configFileId: newId(),
            ggufFileId: newId(),
            ggufSha256: sha256(name),
            bytes: 1n,
            rank: 1,
            alpha: 1,
            targets: [],
            variantId: variant.id,
            origin: 'IMPORTED',
            usage: {},
            attestation: {},
          },
        }),
      );
    const store = new AdapterStore(this.database);
    const [first, second] = made;
    const move = { by: 'test', reason: 'test', evidence: {} };
    if (production) await store.moveAlias(adapter, { ...move, alias: 'production', toVersionId: first!.id }, null);
    if (candidate) {
      const bounds = { leastGain: 0, perplexityRatio: 1.05, foreignAccepted: 0.15 };
      const held = { v: 1 as const, forced: false, evaluationId: null, bounds, checks: [] };
      const evidence = { ...held, replacedVersionId: production ? first!.id : null };
      await store.moveAlias(adapter, { ...move, evidence, alias: 'candidate', toVersionId: second!.id }, null);
    }
    return { adapter, versions: made };
  }

  /** Asks so often; whoever is drawn gets an answer as its arm gives it. @returns how many were drawn of each */
  async ask(
    gateway: TestGateway,
    adapter: string,
    times: number,
    behaves: (arm: Arm, n: number) => WishedAnswer = () => ({}),
    unit?: (n: number) => string | null,
  ): Promise<Record<Arm, number>> {
    const drawn = { CANDIDATE: 0, CONTROL: 0 };
    const draw = (who: string | null) =>
      gateway.tests.assign(WORKSPACE, adapter, { unit: who, requestKey: newId(), forceArm: null });
    for (let n = 0; n < times; n++) {
      const found = unit ? draw(unit(n)) : this.#evenly(draw);
      if (!found) continue;
      const arm = found.assignment.arm as Arm;
      await this.record(found.assignment, behaves(arm, drawn[arm]));
      drawn[arm] += 1;
    }
    return drawn;
  }

  /** Somebody says of each counted answer of a rollout whether it is right. @returns of how many */
  async judge(id: string, says: (answer: AnswerRow) => boolean | null): Promise<number> {
    const { prisma } = this.database;
    const answers = await prisma.answer.findMany({
      where: { assignmentSubject: id, assignmentSequence: { not: null } },
      orderBy: { assignmentSequence: 'asc' },
    });
    const told = answers.flatMap((answer) => {
      const agrees = says(answer);
      return agrees === null ? [] : [{ answerId: answer.id, agrees, score: agrees ? 1 : -1 }];
    });
    await prisma.feedback.createMany({
      data: told.map((said) => ({
        id: newId(),
        workspaceId: WORKSPACE,
        kind: 'FEEDBACK',
        sourceKind: 'HUMAN',
        sourceName: newId(),
        digest: newId(),
        ...said,
      })),
    });
    return told.length;
  }

  async record(assignment: Assignment, wish: WishedAnswer): Promise<void> {
    await recordAnswers(this.database, WORKSPACE, [{ latencyMs: 100, ...wish, assignment }]);
  }

  row(id: string): Promise<RolloutRow> {
    return this.database.prisma.rollout.findFirstOrThrow({ where: { id } });
  }

  decisions(id: string): Promise<RolloutDecisionRow[]> {
    return this.database.prisma.rolloutDecision.findMany({ where: { rolloutId: id }, orderBy: { id: 'asc' } });
  }

  /** What was decided, in order. */
  async actions(id: string): Promise<string[]> {
    return (await this.decisions(id)).map(({ action }) => action);
  }

  reaches(id: string, what: string, holds: (row: RolloutRow) => boolean, withinMs?: number): Promise<RolloutRow> {
    return eventually(
      what,
      async () => {
        const row = await this.row(id);
        if (holds(row)) return row;
        throw new Error(`${row.status} at step ${row.step}, ${(await this.actions(id)).join(' ')}`);
      },
      withinMs,
    );
  }
}

/** A rollout as tests want one: half and half at once, then everything. */
export const wish = (adapter: string, over: Partial<StartRollout> = {}): StartRollout => ({
  adapter,
  by: 'op',
  reason: 'better by its evaluation',
  idempotencyKey: newId(),
  steps: [
    { share: 0.5, leastAnswers: 10, leastMinutes: 0 },
    { share: 0.9, leastAnswers: 10, leastMinutes: 0 },
  ],
  ...over,
});

/** A gateway's connection of its own, as another process has one. */
export const anotherConnection = (database: Database): Promise<Database> =>
  openDatabase(database.url, { unsaid: 'system' });
