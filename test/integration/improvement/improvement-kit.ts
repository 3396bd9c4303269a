import { AnswerStore, AskService, type AskParts } from '../../../src/answer/ask/index.js';
import { PreprocessingStep } from '../../../src/sources/data/index.js';
import { deliveryServices, rolloutRuns, type Delivery } from '../../../src/ship/delivery/index.js';
import { shadowRuns } from '../../../src/ship/delivery/shadow/shadow-graphql.js';
import { attestation } from '../../../src/prove/attestation/attestation-run.js';
import type { EvaluationFigures } from '../../../src/prove/evaluations/figures.js';
import { evaluation } from '../../../src/prove/evaluations/evaluation-run.js';
import { EvaluationStore, Gate } from '../../../src/prove/index.js';
import { openFeedback } from '../../../src/learn/feedback/index.js';
import { improve, type ImproveParts } from '../../../src/ship/improvement/improve.js';
import type { ImprovementContext } from '../../../src/ship/improvement/improvement-run.js';
import { improvementKind } from '../../../src/ship/improvement/improvement-run.js';
import { ImprovementService } from '../../../src/ship/improvement/improvement-service.js';
import { ImprovementStore } from '../../../src/ship/improvement/improvement-store.js';
import type { PolicyRequest as PolicyWish } from '../../../src/ship/improvement/policy.js';
import { sha256 } from '../../../src/kernel/hashing.js';
import { newId, type Uuid, type WorkspaceId } from '../../../src/kernel/ids.js';
import { AlertService } from '../../../src/operate/monitoring/alerts/alert-service.js';
import { AlertStore } from '../../../src/operate/monitoring/alerts/alert-store.js';
import { WebhookStore } from '../../../src/operate/monitoring/webhooks/webhook-store.js';
import { AdapterRegistry, AdapterStore, type AdapterRow } from '../../../src/sources/registry/index.js';
import { presetOf, training } from '../../../src/learn/training/index.js';
import { PROOF } from '../../support/attestation.js';
import { evaluationFigures } from '../../support/evaluation-figures.js';
import { labelled, recordAnswers } from '../../support/recorded-answers.js';
import { DataKit, ws } from '../data/data-kit.js';
import { FakeCandidate } from '../delivery/shadow-kit.js';

export const ANNA = { kind: 'HUMAN', name: 'anna' } as const;
const LABELS = ['light', 'return', 'billing'] as const;
const ROWS = 60;

const interval = (value: number) => ({ value, low: value - 0.01, high: value + 0.01 });
/** What an evaluation finds that gains so much over production. */
const figures = (gain: number): EvaluationFigures =>
  evaluationFigures([
    {
      name: 'accuracy',
      higherIsBetter: true,
      ...interval(0.8),
      difference: { ...interval(gain), p: 0.01 },
      pairs: null,
    },
  ]);

/**
 * The loop over real feedback, curation, datasets, gate, proposals and rollouts. What needs a model is done by handlers that take no time: a training
 * makes a version without weights, an attestation says that it acts, and an evaluation finds the gain that a test wants.
 */
export class ImprovementKit {
  /** What evaluations find over production. */
  gain = 0.1;
  #adapters = 0;
  #asked = 0;
  #first: Promise<string> | null = null;

  private constructor(
    readonly kit: DataKit,
    readonly parts: ImproveParts,
    readonly service: ImprovementService,
    readonly alerts: AlertService,
    readonly feedback: ReturnType<typeof openFeedback>['feedback'],
    readonly delivery: Pick<Delivery, 'rollouts' | 'proposals' | 'shadows' | 'stores' | 'tests'>,
    /** What trained versions answer unseen. */
    readonly candidate: FakeCandidate,
  ) {}

  static async start(): Promise<ImprovementKit> {
    const kit = await DataKit.start({ working: false });
    const { platform } = kit.test;
    const { database, events, runs, clock, log, files, erasure } = platform;
    const adapters = new AdapterRegistry({ store: new AdapterStore(database), files, erasure });
    const evaluations = new EvaluationStore(database);
    const gate = new Gate({ adapters, evaluations });
    const answers = new AnswerStore(database);
    const asking = new AskService({ answers } as AskParts);
    const candidate = new FakeCandidate(() => labelled('light'));
    const opened = openFeedback(platform, {
      registry: { adapters },
      knowledge: kit.domains['knowledge'],
      data: kit.domains.data,
      ask: { answers, asking },
    } as never);
    opened.offer.handleRuns();
    const services = deliveryServices({
      database,
      events,
      runs,
      clock,
      log,
      adapters,
      gate,
      answers,
      asking,
      askingInBulk: candidate,
      models: { resolve: () => Promise.reject(new Error('no models here')) },
      worker: { interactive: { busy: false } },
    });
    runs.handle([rolloutRuns, shadowRuns], services);
    const { rollouts, proposals, experiments, shadows, tests } = services;
    const delivery = {
      rollouts: services.rolloutService,
      proposals: services.proposalService,
      shadows: services.shadowService,
      stores: { rollouts, proposals, experiments, shadows },
      tests,
    };
    const store = new AlertStore(database);
    const alerts = new AlertService({ database, alerts: store, webhooks: new WebhookStore(database), events });
    const { data } = kit.domains.data;
    const improvements = new ImprovementStore(database);
    const loop = { improvements, adapters, runs, curator: opened.curator, desk: opened.desk, data };
    const service = new ImprovementService({ ...loop, alerts, proposals });
    const parts = { ...loop, ...withoutModels(kit, adapters), evaluations, gate, delivery, clock, lookMs: 100 };
    const improving = parts as unknown as ImproveParts;
    const made = new ImprovementKit(kit, improving, service, alerts, opened.feedback, delivery, candidate);
    made.#handle(adapters, evaluations);
    await delivery.tests.start();
    return made;
  }

  #handle(adapters: AdapterRegistry, evaluations: EvaluationStore): void {
    const { runs, database } = this.kit;
    const work = [
      training.handledBy(async (_, { run, input }) => {
        const adapter = await adapters.require(ws, input.adapter, 'input.adapter');
        const { id } = await adapters.store.transaction((tx) =>
          adapters.store.addVersion(
            adapter,
            { ...version(run.id, input.variantId), datasetVersionId: input.datasetVersionId },
            tx,
          ),
        );
        return {
          adapterVersionId: id,
          steps: 1,
          adapterStep: 1,
          stoppedEarly: false,
          averaged: false,
          validationLoss: 0,
        };
      }),
      attestation.handledBy(async (_, { input: { adapterVersionId: id } }) => {
        await database.prisma.adapterVersion.update({ where: { id }, data: { attestation: PROOF } });
        return PROOF;
      }),
      evaluation.handledBy(async (_, { run, input }) => {
        const { target, against, datasetVersionId } = input;
        const of = { ...target, againstVersionId: against!.adapterVersionId, datasetVersionId, split: 'TEST' };
        await evaluations.begin({ id: run.id, workspaceId: ws, ...of, compared: true, scale: 1 }, database.prisma);
        await evaluations.finish(run.id, 500, figures(this.gain), database.prisma);
        return { rows: 500 };
      }),
      improvementKind.handledBy((_, context) => improve(this.parts, context)),
    ];
    runs.handle(work, {});
  }

  /** Lets runs be worked on; improvements, too, unless a test does these itself. */
  work(improving = true): void {
    if (!improving)
      this.kit.runs.handle(
        [
          improvementKind.handledBy(
            (_, { signal }) =>
              new Promise<never>((_done, fail) => signal.addEventListener('abort', () => fail(new Error('stopped')))),
          ),
        ],
        {},
      );
    this.kit.runs.start();
  }

  async dispose(): Promise<void> {
    await this.delivery.tests.stop();
    await this.kit.dispose();
  }

  async #rows(): Promise<string> {
    const dataset = await this.kit.dataset();
    const rows = Array.from({ length: ROWS }, (_, n) => ({ text: `row ${n * 7919} is old`, label: LABELS[n % 3]! }));
    return (await this.kit.imported(dataset, rows, { steps: [PreprocessingStep.WHITESPACE] })).id;
  }

  /** An adapter in production, trained on the dataset that all of them share. */
  async adapter(settings: PolicyWish = {}): Promise<AdapterRow> {
    const { prisma } = this.kit.database;
    const datasetVersionId = await (this.#first ??= this.#rows());
    const name = `adapter-${++this.#adapters}`;
    const model = await prisma.baseModel.create({
      data: { id: newId(), workspaceId: ws, name, architecture: 'llama', parameters: 1n, source: 'FILE' },
    });
    const variant = await prisma.modelVariant.create({
      data: {
        id: newId(),
        workspaceId: ws,
        modelId: model.id,
        quantization: 'F16',
        sha256: sha256(name),
        bytes: 1n,
        contextLength: 512,
        vocabulary: 10,
        location: 'nowhere',
      },
    });
    const { store } = this.parts.adapters;
    const made = { name, task: 'CLASSIFICATION', modelId: model.id, description: '' };
    const adapter = await store.transaction((tx) => store.ensure(ws, made, tx));
    const first = await store.transaction((tx) =>
      store.addVersion(adapter, { ...version(`${name} 1`, variant.id), datasetVersionId }, tx),
    );
    await prisma.adapterVersion.update({ where: { id: first.id }, data: { attestation: PROOF } });
    const move = { by: 'test', reason: 'test', evidence: {} };
    await store.moveAlias(adapter, { ...move, alias: 'production', toVersionId: first.id }, null);
    await this.service.setPolicy(ws, name, { leastRows: 5, newRows: 10, rollout: null, ...settings }, 'test');
    return adapter;
  }

  /** So many answers of what is in production. @returns their ids */
  async answered(adapter: AdapterRow, count: number): Promise<Uuid[]> {
    const production = (await this.parts.adapters.store.resolve(adapter, { alias: 'production' }))!;
    const used = { versionId: production.id, name: adapter.name, version: production.version };
    return recordAnswers(
      this.kit.database,
      ws,
      Array.from({ length: count }, () => ({
        question: `question ${this.#asked++ * 7_919} is new`,
        ...labelled('light'),
        adapter: { ...used, sha256: '0'.repeat(64), scale: 1 },
        route: { strategy: 'ADAPTER', chosenBy: 'CALLER', candidates: [], reasons: [] },
      })),
    );
  }

  /** So many answers of what is in production, and somebody says of each what is right. @returns their ids */
  async said(adapter: AdapterRow, count: number): Promise<Uuid[]> {
    const ids = await this.answered(adapter, count);
    const said = { kind: 'EXPECTATION' as const, source: ANNA };
    await this.feedback.submit(
      { workspaceId: ws, key: null },
      ids.map((answerId, n) => ({ answerId, ...said, expectation: { label: LABELS[n % 3]! } })),
    );
    return ids;
  }

  begin(adapter: AdapterRow) {
    return this.service.start(ws, { adapter: adapter.name, by: 'test', reason: 'test', idempotencyKey: newId() });
  }

  /** Improvements of an adapter, oldest first. */
  of(adapter: AdapterRow) {
    const where = { adapterId: adapter.id };
    return this.kit.database.prisma.improvement.findMany({ where, orderBy: { id: 'asc' } });
  }

  async policy(adapter: AdapterRow) {
    const [policy] = await this.parts.improvements.policiesOf(ws, [adapter.id]);
    return policy!;
  }

  /** What an improvement’s run is given, without a queue. */
  async context(runId: string, signal: AbortSignal): Promise<ImprovementContext> {
    const run = (await this.kit.runs.get(ws, runId))!;
    const nothing = () => Promise.resolve();
    return {
      run,
      input: improvementKind.inputOf(run),
      resumed: null,
      signal,
      progress: nothing,
      checkpoint: nothing,
      emit: nothing,
      takeTurns: nothing,
      fenced: (work) => this.kit.database.prisma.$transaction(work),
    };
  }
}

/** A version without weights. */
const version = (name: string, variantId: string) => ({
  digest: sha256(name),
  weightsFileId: newId(),
  configFileId: newId(),
  ggufFileId: newId(),
  ggufSha256: sha256(name),
  bytes: 1n,
  rank: 1,
  alpha: 1,
  targets: [],
  variantId,
  origin: 'TRAINED',
  usage: {
    v: 1 as const,
    rendering: 1,
    labels: [...LABELS],
    languages: null,
    reads: false,
    answer: { form: 'text' as const },
  },
});

/** Starts the runs that need no model here. */
function withoutModels({ runs, database }: DataKit, adapters: AdapterRegistry) {
  const versionOf = async (adapter: string, number: number) => {
    const found = await adapters.require(ws, adapter, 'input.adapter');
    return (await adapters.store.resolve(found, { version: number }))!;
  };
  return {
    training: {
      async start(
        workspaceId: WorkspaceId,
        wish: { adapter: string; datasetVersionId: string; idempotencyKey: string },
      ) {
        const { idempotencyKey, ...input } = wish;
        const { modelId } = await adapters.require(ws, wish.adapter, 'input.adapter');
        const variant = await database.prisma.modelVariant.findFirstOrThrow({ where: { modelId } });
        return runs.enqueue(training, {
          workspaceId,
          idempotencyKey,
          input: {
            ...input,
            description: '',
            task: 'CLASSIFICATION',
            modelId,
            variantId: variant.id,
            recipe: presetOf('CLASSIFICATION'),
          },
        });
      },
    },
    attestor: {
      async start(workspaceId: WorkspaceId, wish: { adapter: string; version: number; idempotencyKey: string }) {
        const { id } = await versionOf(wish.adapter, wish.version);
        const { idempotencyKey } = wish;
        return runs.enqueue(attestation, { workspaceId, idempotencyKey, input: { adapterVersionId: id } });
      },
    },
    evaluator: {
      async start(workspaceId: WorkspaceId, wish: Wished) {
        const { datasetVersionId, idempotencyKey, rows, seed, split } = wish;
        const answerer = async (reference: string) => {
          const [name, number] = reference.split('@');
          const { id, variantId } = await versionOf(name!, Number(number));
          return { variantId, adapterVersionId: id };
        };
        const of = { target: await answerer(wish.adapter), against: await answerer(wish.against) };
        return runs.enqueue(evaluation, {
          workspaceId,
          idempotencyKey,
          input: {
            ...of,
            datasetVersionId,
            rows,
            seed,
            split,
            retention: true,
            others: [],
            regression: false,
            foreign: true,
          },
        });
      },
    },
  };
}

interface Wished {
  adapter: string;
  against: string;
  datasetVersionId: string;
  rows: number;
  seed: number;
  split: 'TEST';
  idempotencyKey: string;
}
