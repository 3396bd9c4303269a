import type { Clock } from '../../kernel/clock.js';
import { GraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { FileService } from '../../platform/artifacts/index.js';
import type { RunQueue, RunRow } from '../../platform/runs/index.js';
import type { TrainWorker, WorkerClient } from '../../platform/worker/index.js';
import type { PromptSegment } from '../../sources/prompting/index.js';
import {
  modelFileOf,
  type AdapterRegistry,
  type AdapterVersionRow,
  type Attestation,
  type ModelRegistry,
  type ServedAdapter,
  type ServedVariant,
} from '../../sources/registry/index.js';
import { decodeLogits, probeCandidates, probePrompts, type ShippedProbe } from '../../learn/training/index.js';
import type { NextScores, ProbeOutput } from '../../worker-protocol/index.js';
import { attestation, type AttestationContext } from './attestation-run.js';
import { compareChanges, unproven } from './compare-changes.js';

interface AttestorParts {
  runs: RunQueue;
  registry: Pick<ModelRegistry, 'variant' | 'variantsById'>;
  adapters: AdapterRegistry;
  files: FileService;
  serve: Pick<WorkerClient, 'scoreNext'>;
  train: Pick<TrainWorker, 'call'>;
  clock: Clock;
  /** Where the training engine keeps its copy of the weights meanwhile. */
  folder: string;
}

/**
 * Others whose prompts are read in the same batch can change the last bits of a logit: a difference counts only when it is there
 * every time.
 */
const ATTEMPTS = 10;

/** Shows that adapter versions act, and only while they are applied. */
export class Attestor {
  constructor(private readonly parts: AttestorParts) {}

  /** @returns the ATTESTATION run @throws NOT_FOUND, IDEMPOTENCY_CONFLICT */
  async start(
    workspaceId: WorkspaceId,
    { adapter: name, version, idempotencyKey }: { adapter: string; version: number; idempotencyKey: string },
  ): Promise<RunRow> {
    const { adapters, runs } = this.parts;
    const row = await adapters.requireVersion(workspaceId, name, version);
    return runs.enqueue(attestation, {
      workspaceId,
      idempotencyKey,
      subjectId: row.id,
      input: { adapterVersionId: row.id },
    });
  }

  /** The same for an adapter that comes with Graft: once it is shown to act it answers, without anybody's word. Each start tries anew. */
  async startBuiltIn(
    workspaceId: WorkspaceId,
    { version, probe }: { version: Pick<AdapterVersionRow, 'id' | 'digest'>; probe: ShippedProbe },
  ): Promise<RunRow> {
    return this.parts.runs.enqueue(attestation, {
      workspaceId,
      idempotencyKey: `built in, ${this.parts.clock.now().toISOString()}`,
      subjectId: version.id,
      input: {
        adapterVersionId: version.id,
        trained: probe,
        promotion: { by: 'graft', reason: 'It comes with Graft.' },
      },
    });
  }

  /**
   * The work of an ATTESTATION run.
   * @throws ADAPTER_UNPROVEN when a measurement failed, ADAPTER_INVALID, ADAPTER_WRONG_BASE, ADAPTER_DIGEST_MISMATCH,
   * ADAPTER_UNAVAILABLE, CONFLICT when the version was given another scale meanwhile, and what the workers throw
   */
  async attest({ run, input, signal, progress }: AttestationContext): Promise<Attestation> {
    const { registry, adapters, clock } = this.parts;
    const workspaceId = run.workspaceId as WorkspaceId;
    const { version, adapter } = await adapters.requireVersionById(workspaceId, input.adapterVersionId);
    const servedAdapter = await adapters.served(workspaceId, adapter, version);
    const variant = await registry.variant(workspaceId, version.variantId);
    const [storedVariant] = await registry.variantsById(workspaceId, [version.variantId]);
    const probes: Probes = {
      workspaceId,
      version,
      adapter: servedAdapter,
      variant,
      signal,
      prompts: probePrompts(servedAdapter, variant),
      candidates: probeCandidates(servedAdapter, storedVariant!.vocabulary),
    };
    await progress(0, 'Measuring its effect where it is served.');
    const servedEffect = await this.#whereServed(probes);
    await progress(0.3, 'Measuring its effect where it was trained.');
    const trainedEffect = input.trained ? decoded(input.trained) : await this.#whereTrained(probes);
    const { modules } = trainedEffect;
    if (modules.matched !== modules.expected)
      throw unproven(`${modules.matched} of the ${modules.expected} modules that it should change are matched`);
    const proof: Attestation = {
      v: 1,
      digest: servedAdapter.file.sha256,
      variantSha256: variant.sha256,
      modules,
      probes: probes.prompts.length,
      ...compareChanges(servedEffect, trainedEffect),
      offIsBase: true,
      attestedAt: clock.now().toISOString(),
    };
    await adapters.attest(version, proof);
    if (input.promotion)
      await adapters.promote(workspaceId, {
        adapter: servedAdapter.adapter,
        version: version.version,
        alias: 'production',
        evidence: {},
        ...input.promotion,
      });
    return proof;
  }

  /** Logits [prompts * candidates] without and with the adapter; "without" is the same bits before and after. */
  async #whereServed({ prompts, ...probes }: Probes): Promise<{ off: number[]; on: number[] }> {
    const logits = { off: [] as number[], on: [] as number[] };
    for (const prompt of prompts) {
      const { off, on } = await this.#measured(prompt, probes);
      logits.off.push(...off);
      logits.on.push(...on);
    }
    return logits;
  }

  async #measured(prompt: PromptSegment[], probes: Omit<Probes, 'prompts'>): Promise<{ off: number[]; on: number[] }> {
    const { workspaceId, variant, adapter, candidates, signal } = probes;
    const score = (adapters: ServedAdapter['file'][]): Promise<NextScores> =>
      this.parts.serve.scoreNext(
        { workspaceId, model: modelFileOf(variant, adapters), prompt, candidates, fresh: true },
        { signal, priority: 'bulk' },
      );
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const firstScores = await score([]);
      const adapterScores = await score([adapter.file]);
      const lastScores = await score([]);
      requireActing(firstScores, []);
      requireActing(adapterScores, [adapter.file]);
      requireActing(lastScores, []);
      if (firstScores.logits.every((logit, i) => Object.is(logit, lastScores.logits[i])))
        return { off: firstScores.logits, on: adapterScores.logits };
    }
    throw unproven('the base model answers otherwise after it than before it');
  }

  async #whereTrained({
    workspaceId,
    version,
    variant,
    adapter,
    prompts,
    candidates,
    signal,
  }: Probes): Promise<ProbeOutput> {
    const { files, train, folder } = this.parts;
    const model = modelFileOf(variant);
    const options = { signal, priority: 'bulk', deadlineMs: null } as const;
    const fileOf = (id: string) => files.localFile(workspaceId, id);
    const { tokens } = await train.call('tokenize', workspaceId, { model, texts: prompts }, options);
    const request = {
      model,
      candidates,
      folder,
      prompts: tokens,
      scale: version.scale,
      adapter: {
        config: await fileOf(version.configFileId),
        weights: await fileOf(version.weightsFileId),
        gguf: { path: adapter.file.path, sha256: adapter.file.sha256 },
      },
    };
    return train.call('probe', workspaceId, request, options);
  }
}

const decoded = ({ modules, off, on }: ShippedProbe): ProbeOutput => ({
  modules,
  off: decodeLogits(off),
  on: decodeLogits(on),
});

/** What one attestation measures. */
interface Probes {
  workspaceId: WorkspaceId;
  version: AdapterVersionRow;
  adapter: ServedAdapter;
  variant: ServedVariant;
  prompts: PromptSegment[][];
  candidates: number[];
  signal: AbortSignal;
}

/** @throws ADAPTER_DIGEST_MISMATCH unless just these acted, as the worker read it back from its context */
function requireActing({ adapters }: NextScores, expected: readonly ServedAdapter['file'][]): void {
  const describe = (files: readonly { sha256: string; scale: number }[]): string =>
    files.map(({ sha256, scale }) => `${sha256.slice(0, 12)} x ${scale}`).join(', ') || 'none';
  const isMatch =
    adapters.length === expected.length &&
    expected.every(({ sha256, scale }, i) => adapters[i]!.sha256 === sha256 && adapters[i]!.scale === scale);
  if (isMatch) return;
  throw new GraftError(
    'ADAPTER_DIGEST_MISMATCH',
    `Another adapter acted than the one asked for: ${describe(adapters)} instead of ${describe(expected)}.`,
  );
}
