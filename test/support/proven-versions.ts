import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GraftClient } from '../../src/client/graft-client.js';
import {
  AddDatasetVersionDocument,
  AttestAdapterDocument,
  CreateDatasetDocument,
  DatasetDocument,
  EvaluateDocument,
  PromoteAdapterDocument,
  RegisterModelDocument,
  RunsDocument,
  StartTrainingDocument,
} from '../../src/client/operations/index.js';
import { eventually } from './eventually.js';
import { writeTinyModel } from './tiny-model.js';

const WAIT_MS = 240_000;
const MODEL = 'tiny';
export const ADAPTER = 'routing';

/** What users write, in three kinds that any model can tell apart. */
const MESSAGES = {
  dark: (n: number) => `the lamp number ${n} is dark`,
  refund: (n: number) => `send back order ${n} and refund it`,
  late: (n: number) => `parcel ${n} was due on tuesday`,
} as const;
type Kind = keyof typeof MESSAGES;
const KINDS = Object.keys(MESSAGES) as Kind[];

/** What the rows of a dataset call each kind, by the dataset's name. */
const LABELS = {
  right: { dark: 'light', refund: 'return', late: 'return' },
  /** Two kinds of three are right. */
  partly: { dark: 'light', refund: 'return', late: 'light' },
  /** Nothing is: whoever learned from these is perfect on their own test rows, and wrong whenever a user asks. */
  swapped: { dark: 'return', refund: 'light', late: 'light' },
} as const satisfies Record<string, Readonly<Record<Kind, 'light' | 'return'>>>;
export type Rows = keyof typeof LABELS;

/** A tenth is for tests, and the gate wants 50 of them. */
const ROWS = 540;
const RECIPE = { rank: 8, alpha: 16, learningRate: 0.02, batchExamples: 8, epochs: 1.5, validationRows: 10 };

/** Random weights keep general text less well than a model that learned it. */
const BOUNDS = { perplexityRatio: 1.5 };

/** What the n-th user writes, and what is right to say to it. */
export function message(n: number): { question: string; right: string } {
  const kind = KINDS[n % KINDS.length]!;
  return { question: MESSAGES[kind](1_000 + n), right: LABELS.right[kind] };
}

/** Versions of one adapter of the tiny model, trained, attested, evaluated and let through the gate by GraphQL alone. */
export class ProvenVersions {
  constructor(
    private readonly client: GraftClient,
    private readonly folder: string,
  ) {}

  /** Registers the model that they are versions for. */
  async begin(): Promise<void> {
    const { path } = writeTinyModel(join(this.folder, 'tiny.gguf'));
    const input = { fileId: await this.client.upload(path), name: MODEL, idempotencyKey: MODEL };
    const { registerModel } = await this.client.request(RegisterModelDocument, { input });
    await this.ended(registerModel.run.id);
  }

  /**
   * Makes a version of such rows candidate.
   * @param against what production names; null while nothing does
   */
  async candidate(version: number, rows: Rows, against: number | null): Promise<void> {
    const { client } = this;
    const datasetVersion = await this.dataset(rows);
    const [adapter, idempotencyKey] = [`${ADAPTER}@${version}`, `${version}`];
    const recipe = { ...RECIPE, retention: { tokens: 16 } };
    const training = { adapter: ADAPTER, datasetVersion, model: MODEL, recipe, idempotencyKey };
    await this.ended((await client.request(StartTrainingDocument, { input: training })).startTraining.run.id);
    const attestation = { adapter: ADAPTER, version, idempotencyKey };
    await this.ended((await client.request(AttestAdapterDocument, { input: attestation })).attestAdapter.run.id);
    const held = against === null ? null : `${ADAPTER}@${against}`;
    // Users of these tests ask nothing else, and wait for each answer.
    const evaluation = { adapter, against: held, datasetVersion, regression: false, foreign: false, idempotencyKey };
    await this.ended((await client.request(EvaluateDocument, { input: evaluation })).evaluate.run.id);
    await this.promote(version, 'CANDIDATE');
  }

  async promote(version: number, alias: 'CANDIDATE' | 'PRODUCTION'): Promise<void> {
    const input = { adapter: ADAPTER, version, alias, reason: 'better on its test rows', bounds: BOUNDS };
    await this.client.request(PromoteAdapterDocument, { input });
  }

  /** @returns the id of its version */
  private async dataset(name: Rows): Promise<string> {
    const { client } = this;
    const rows = Array.from({ length: ROWS }, (_, n) => {
      const kind = KINDS[n % KINDS.length]!;
      return `${MESSAGES[kind](n)},${LABELS[name][kind]}`;
    });
    const path = join(this.folder, `${name}.csv`);
    writeFileSync(path, `text,label\n${rows.join('\n')}\n`);
    await client.request(CreateDatasetDocument, { input: { name, task: 'CLASSIFICATION' } });
    const input = { dataset: name, files: [{ file: await client.upload(path) }], idempotencyKey: name };
    await this.ended((await client.request(AddDatasetVersionDocument, { input })).addDatasetVersion.run.id);
    const { dataset } = await client.request(DatasetDocument, { name });
    return dataset!.latestVersion!.id;
  }

  /** @throws when the run did not succeed */
  private async ended(id: string): Promise<void> {
    const found = await eventually(
      'a run has ended',
      async () => {
        const { runs } = await this.client.request(RunsDocument, { first: 50 });
        const run = runs.edges.map(({ node }) => node).find((each) => each.id === id);
        return run && ['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(run.status) ? run : null;
      },
      WAIT_MS,
    );
    if (found.status !== 'SUCCEEDED') throw new Error(JSON.stringify(found));
  }
}
