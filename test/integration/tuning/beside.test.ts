import { DEFAULT_WORKSPACE_ID as workspaceId, newId } from '../../../src/kernel/ids.js';
import type { RunRow } from '../../../src/platform/runs/index.js';
import type { AdapterVersionRow } from '../../../src/sources/registry/index.js';
import { fineTuning } from '../../../src/ship/tuning/index.js';
import { PROOF } from '../../support/attestation.js';
import { eventually } from '../../support/eventually.js';
import { instead } from '../../support/instead.js';
import { DataKit } from '../data/data-kit.js';
import { AdapterKit } from '../evaluation/adapter-kit.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(240_000);

const ROWS = Array.from({ length: 60 }, (_, i) => ({
  messages: [
    { role: 'user', content: `${i % 2 === 0 ? 'send back' : 'it is dark near'} the parcel ${i * 7_919}` },
    { role: 'assistant', content: i % 2 === 0 ? 'return' : 'light' },
  ],
}));

describe('what a tuned version is measured beside', () => {
  let kit: AdapterKit;
  let data: DataKit;
  /** Whether an evaluation that asks for an answer waits until it is stopped. */
  let isHeld = false;
  let waiting = 0;

  beforeAll(async () => {
    kit = await AdapterKit.start({
      realModels: true,
      watched: (client) =>
        instead(client, {
          async *generate(request, options) {
            if (isHeld) {
              waiting += 1;
              await new Promise((resolve) => options!.signal!.addEventListener('abort', resolve, { once: true }));
              options!.signal!.throwIfAborted();
            }
            yield* client.generate(request, options);
          },
        }),
    });
    data = new DataKit(kit.models.test, kit.domains);
  });
  afterAll(() => kit.dispose());

  const proven = async (name: string, seed: number, datasetVersionId?: string): Promise<AdapterVersionRow> => {
    const version = await kit.add({ name, seed, ...(datasetVersionId !== undefined && { datasetVersionId }) });
    await kit.adapters.attest(version, { ...PROOF, digest: version.ggufSha256, variantSha256: kit.variant.sha256 });
    return version;
  };
  const putIntoProduction = (adapter: string, { version }: AdapterVersionRow) =>
    kit.adapters.promote(workspaceId, {
      adapter,
      version,
      alias: 'production',
      by: 'test',
      reason: 'test',
      evidence: {},
    });
  const started = async (name: string): Promise<RunRow> => {
    const { id } = await data.upload('rows.jsonl', ROWS.map((row) => JSON.stringify(row)).join('\n'));
    return kit.domains.tuning.tuning.start(workspaceId, {
      name,
      files: [id],
      validationFiles: [],
      task: 'INSTRUCTION',
      model: 'tiny',
      recipe: { epochs: 1, batchExamples: 8 },
      idempotencyKey: newId(),
    });
  };
  const outputOf = async (run: RunRow) => {
    const ended = await kit.models.ended(run);
    expect(ended).toMatchObject({ status: 'SUCCEEDED', errorMessage: null });
    return fineTuning.outputOf(ended)!;
  };
  const measured = async ({ evaluationId }: { evaluationId: string }) =>
    (await kit.domains.evaluation.evaluator.store.byIds(workspaceId, [evaluationId]))[0]!;

  it('is the base model where the version in production learned every test row, and the job says so', async () => {
    await data.data.datasets.createDataset(workspaceId, { name: 'all-rows', task: 'INSTRUCTION' });
    const { id } = await data.imported('all-rows', ROWS, {}, { split: 'TRAIN' });
    await putIntoProduction('mail', await proven('mail', 1, id));
    const output = await outputOf(await started('mail'));
    expect(output).toMatchObject({ against: null, insteadOf: 'mail@1' });
    expect(output.findings).toContain(
      'It is measured beside the base model, as mail@1, then in production, learned all test rows.',
    );
    expect((await measured(output)).againstVersionId).toBeNull();
  });

  it('is chosen once: a job that is paused and resumed keeps it, though production moves in between', async () => {
    const [first, second] = [await proven('kept', 1), await proven('kept', 2)];
    await putIntoProduction('kept', first);
    isHeld = true;
    const run = await started('kept');
    await eventually('the evaluation', () => Promise.resolve(waiting > 0), 120_000);
    await kit.models.runs.pause(workspaceId, run.id);
    await eventually('the pause', async () => (await kit.models.runs.get(workspaceId, run.id))?.status === 'PAUSED');
    await putIntoProduction('kept', second);
    isHeld = false;
    await kit.models.runs.resume(workspaceId, run.id);
    const output = await outputOf(run);
    expect(output.against).toBe('kept@1');
    expect((await measured(output)).againstVersionId).toBe(first.id);
  });
});
