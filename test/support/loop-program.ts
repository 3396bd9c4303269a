import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GraftClient } from '../../src/client/graft-client.js';
import {
  AddDatasetVersionDocument,
  AskWithAdapterDocument,
  AttestAdapterDocument,
  ClaimReviewDocument,
  CreateDatasetDocument,
  DatasetDocument,
  EvaluateDocument,
  ImprovementDocument,
  ImprovementsDocument,
  PromoteAdapterDocument,
  RegisterModelDocument,
  StartTrainingDocument,
  SubmitFeedbackBatchDocument,
  SubmitReviewDocument,
  type ImprovementQuery,
} from '../../src/client/operations/index.js';
import { eventually } from './eventually.js';
import { processesMentioning } from './gateway-process.js';
import { spawnGraft, temporaryHome, type GraftProgram } from './graft-program.js';
import { temporaryFolder, type TemporaryFolder } from './temporary-folder.js';
import { writeTinyModel } from './tiny-model.js';

/** What customers write of, as the first rows have it. Two models of words are enough to tell them apart. */
const TOPICS = {
  light: (n: number) => `the lamp number ${n} is dark`,
  return: (n: number) => `send back order ${n} and refund it`,
  billing: (n: number) => `invoice ${n} was charged twice`,
  delivery: (n: number) => `where is parcel ${n} now`,
} as const;
export type Label = keyof typeof TOPICS;
export const LABELS = Object.keys(TOPICS) as Label[];
/** The message of so many; each has a number of five digits of its own. */
export const message = (label: Label, n: number): string => TOPICS[label](10_000 + ((n * 7_919) % 90_000));

/** From some day on, what was filed under one of these goes to the other. */
export const EXCHANGED: Readonly<Record<Label, Label>> = {
  light: 'return',
  return: 'light',
  billing: 'billing',
  delivery: 'delivery',
};

const ROWS_A_LABEL = 70;
const RECIPE = { rank: 8, alpha: 16, learningRate: 0.01, batchExamples: 8, epochs: 10, retention: { tokens: 16 } };
export const ADAPTER = 'routing';
const DATASET = 'messages';
export const LONG = 240_000;

/** The product as a process of its own, killed and started again, with an adapter of the tiny model in production that was trained there. */
export class LoopProgram {
  client!: GraftClient;
  #graft!: GraftProgram;
  #asked = ROWS_A_LABEL;

  private constructor(
    readonly home: Awaited<ReturnType<typeof temporaryHome>>,
    readonly folder: TemporaryFolder,
  ) {}

  static async start(): Promise<LoopProgram> {
    const program = new LoopProgram(await temporaryHome(), await temporaryFolder());
    await program.#start();
    return program;
  }

  async #start(): Promise<void> {
    this.#graft = await spawnGraft(this.home.path, { LOG_LEVEL: 'warn', GRAFT_ROUTER_REFIT: 'off' }).started;
    this.client = new GraftClient(this.#graft.url);
  }

  /** Ends the gateway in the midst of whatever it does, and starts it anew on what it left. */
  async killAndRestart(): Promise<void> {
    this.client.close();
    this.#graft.child.kill('SIGKILL');
    await this.#graft.ended;
    await eventually('no process of the home is left', () => processesMentioning(this.home.path).length === 0);
    await this.#start();
  }

  async stop(): Promise<void> {
    this.client.close();
    this.#graft.child.kill('SIGTERM');
    await this.#graft.ended;
    await this.home.remove();
    await this.folder.remove();
  }

  /** A run's end. @throws when it did not succeed */
  async ended(id: string): Promise<void> {
    const ended = await eventually(
      'the end of a run',
      async () => {
        const { node } = await this.client.request<{ node: { status: string; error: object | null } | null }>(
          'query ($id: ID!) { node(id: $id) { ... on Run { status error { code message } } } }',
          { id },
        );
        return node && ['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(node.status) ? node : null;
      },
      LONG,
    );
    // Not within `eventually`, which takes an error for "not yet".
    if (ended.status !== 'SUCCEEDED') throw new Error(JSON.stringify(ended));
  }

  /** Model, rows, training, proof, gate: the adapter answers as production. */
  async putIntoProduction(): Promise<void> {
    const { client } = this;
    const model = writeTinyModel(join(this.folder.path, 'tiny.gguf'));
    const { registerModel } = await client.request(RegisterModelDocument, {
      input: { fileId: await client.upload(model.path), name: 'tiny', idempotencyKey: 'tiny' },
    });
    await this.ended(registerModel.run.id);
    const path = join(this.folder.path, 'messages.csv');
    const rows = LABELS.flatMap((label) =>
      Array.from({ length: ROWS_A_LABEL }, (_, n) => `${message(label, n)},${label}`),
    );
    writeFileSync(path, `text,label\n${rows.join('\n')}\n`);
    await client.request(CreateDatasetDocument, { input: { name: DATASET, task: 'CLASSIFICATION' } });
    const { addDatasetVersion } = await client.request(AddDatasetVersionDocument, {
      input: {
        dataset: DATASET,
        files: [{ file: await client.upload(path) }],
        idempotencyKey: 'first',
        splitRule: { test: 0.3, validation: 0.1 },
      },
    });
    await this.ended(addDatasetVersion.run.id);
    const { dataset } = await client.request(DatasetDocument, { name: DATASET });
    const datasetVersion = dataset!.latestVersion!.id;
    const { startTraining } = await client.request(StartTrainingDocument, {
      input: { adapter: ADAPTER, datasetVersion, model: 'tiny', recipe: RECIPE, idempotencyKey: 'first' },
    });
    await this.ended(startTraining.run.id);
    const { attestAdapter } = await client.request(AttestAdapterDocument, {
      input: { adapter: ADAPTER, version: 1, idempotencyKey: 'first' },
    });
    await this.ended(attestAdapter.run.id);
    const { evaluate } = await client.request(EvaluateDocument, {
      input: { adapter: `${ADAPTER}@1`, datasetVersion, foreign: false, idempotencyKey: 'first' },
    });
    await this.ended(evaluate.run.id);
    for (const alias of ['CANDIDATE', 'PRODUCTION'] as const)
      await client.request(PromoteAdapterDocument, {
        input: { adapter: ADAPTER, version: 1, alias, confirmNotBetter: true, reason: 'It was trained and measured.' },
      });
  }

  async ask(question: string) {
    return (await this.client.request(AskWithAdapterDocument, { question, adapter: ADAPTER })).ask;
  }

  /** Customers ask so many questions about each topic. @returns the answers with what each was about */
  async askAbout(times: number): Promise<{ id: string; text: string; topic: Label }[]> {
    const answers = [];
    for (let n = 0; n < times; n++)
      for (const topic of LABELS) {
        const { id, text } = await this.ask(message(topic, this.#asked++));
        answers.push({ id, text, topic });
      }
    return answers;
  }

  /** A person says of each answer what is right now. */
  async correct(answers: readonly { id: string; topic: Label }[]): Promise<void> {
    await this.client.request(SubmitFeedbackBatchDocument, {
      input: {
        feedback: answers.map(({ id: answer, topic }) => ({
          answer,
          kind: 'EXPECTATION' as const,
          source: { kind: 'HUMAN' as const, name: 'anna' },
          expectation: { label: EXCHANGED[topic] },
        })),
      },
    });
  }

  /** A person says that labels have moved as lessons say, once that is asked. @returns by their names then, what they mean now */
  async confirmMoves(): Promise<Record<string, string | null>> {
    const reviewer = 'anna';
    const item = await eventually(
      'a question whether labels have moved',
      async () => {
        const input = { reviewer, reason: 'LABEL_MOVED' as const };
        return (await this.client.request(ClaimReviewDocument, { input, reviewer })).claimReview.item;
      },
      LONG,
    );
    await this.client.request(SubmitReviewDocument, { input: { item: item.id, reviewer, confirmed: true } });
    return Object.fromEntries(item.moves.map(({ from, to }) => [from, to ?? null]));
  }

  async improvement(id: string): Promise<NonNullable<ImprovementQuery['improvement']>> {
    return (await this.client.request(ImprovementDocument, { id })).improvement!;
  }

  /** The improvement as soon as it is like this. @throws as soon as it ended otherwise */
  async reaches(
    id: string,
    what: string,
    holds: (improvement: NonNullable<ImprovementQuery['improvement']>) => boolean,
  ): Promise<NonNullable<ImprovementQuery['improvement']>> {
    const found = await eventually(
      what,
      async () => {
        const now = await this.improvement(id);
        return holds(now) || now.outcome !== null ? now : null;
      },
      LONG,
    );
    // Not within `eventually`, which takes an error for "not yet".
    if (!holds(found)) throw new Error(`Not ${what}: it ended ${found.outcome}: ${found.message}`);
    return found;
  }

  /** Customers go on asking until the improvement is like this. @throws as soon as it ended otherwise, or it takes too long */
  async asksUntil(
    id: string,
    what: string,
    holds: (improvement: NonNullable<ImprovementQuery['improvement']>) => boolean,
  ): Promise<NonNullable<ImprovementQuery['improvement']>> {
    for (const end = performance.now() + LONG; ;) {
      const now = await this.improvement(id);
      if (holds(now)) return now;
      if (performance.now() > end)
        throw new Error(`Not ${what} in time: ${now.stage}, ${now.waitingFor ?? now.message}`);
      if (now.outcome !== null) throw new Error(`Not ${what}: it ended ${now.outcome}: ${now.message}`);
      await this.askAbout(2);
    }
  }

  /** What a policy began by itself. */
  async begun(): Promise<{ id: string; trigger: string }> {
    return eventually(
      'what the policy begins',
      async () => {
        const { improvements } = await this.client.request(ImprovementsDocument, { adapter: ADAPTER, first: 1 });
        return improvements.edges[0]?.node ?? null;
      },
      LONG,
    );
  }
}
