import { LRUCache } from 'lru-cache';
import { notFound } from '../../../kernel/errors.js';
import { DEFAULT_WORKSPACE_ID, type WorkspaceId } from '../../../kernel/ids.js';
import { inWorkspace } from '../../../platform/database/index.js';
import type { WorkerClient } from '../../../platform/worker/index.js';
import { renderChat, type PromptSegment } from '../../../sources/prompting/index.js';
import { modelFileOf, type ModelRegistry, type ServedVariant } from '../../../sources/registry/index.js';
import { probeCandidates, probePrompts } from '../../../learn/training/index.js';
import type { ModelFile } from '../../../worker-protocol/index.js';
import type { EngineAdapter } from '../adapters/engine-adapter.js';

/** What an engine is held against: log-probabilities of candidates after prompts, as the worker beside the gateway has them. */
interface ReferenceScores {
  prompts: readonly (readonly number[])[];
  candidates: readonly number[];
  /** A row a prompt. */
  off: readonly number[][];
}

interface AdapterReferenceScores extends ReferenceScores {
  /** The same under the adapter. */
  on: readonly number[][];
}

/** Where references come from. */
export interface References {
  base(): Promise<ReferenceScores>;
  of(adapter: EngineAdapter): Promise<AdapterReferenceScores>;
}

export interface ReferenceParts {
  worker: Pick<WorkerClient, 'scoreNext' | 'tokenize'>;
  registry: Pick<ModelRegistry, 'variant' | 'variantsById' | 'defaultVariant'>;
}

/** Prompts an adapter; those of an attestation are twice as many. */
const PROMPTS = 4;
/** As many as an engine is asked for at once. */
const CANDIDATES = 128;
const KEPT = 64;

const QUESTIONS = [
  'What is the capital of France?',
  'Name one thing that a small garden needs in spring.',
  'Is water heavier than oil?',
  'Wie heißt der längste Fluss Europas?',
];

/**
 * The worker's own log-probabilities, computed when an engine or an adapter is first looked at: in the workspace of what is looked at, since
 * whoever's request led to it may be of another.
 */
export class WorkerReferences implements References {
  #base: Promise<ReferenceScores> | null = null;
  readonly #adapters = new LRUCache<string, Promise<AdapterReferenceScores>>({ max: KEPT });

  constructor(private readonly parts: ReferenceParts) {}

  base(): Promise<ReferenceScores> {
    const making = (this.#base ??= inWorkspace(DEFAULT_WORKSPACE_ID, () => this.#measureBase()));
    making.catch(() => (this.#base = null));
    return making;
  }

  of(adapter: EngineAdapter): Promise<AdapterReferenceScores> {
    const scores = this.#adapters.get(adapter.name);
    if (scores) return scores;
    const making = inWorkspace(adapter.workspaceId, () => this.#measure(adapter));
    this.#adapters.set(adapter.name, making);
    making.catch(() => this.#adapters.delete(adapter.name));
    return making;
  }

  async #measureBase(): Promise<ReferenceScores> {
    const workspaceId = DEFAULT_WORKSPACE_ID;
    const variant = await this.parts.registry.defaultVariant(workspaceId);
    const prompts = QUESTIONS.map((content) => renderChat(variant.chat, [{ role: 'user', content }]));
    const candidates = spread(CANDIDATES, await this.#vocabulary(workspaceId, variant));
    const baseScores = await this.#score(workspaceId, modelFileOf(variant), prompts, candidates);
    return { prompts: await this.#tokens(workspaceId, variant, prompts), candidates, off: baseScores };
  }

  async #measure({ workspaceId, served }: EngineAdapter): Promise<AdapterReferenceScores> {
    const variant = await this.parts.registry.variant(workspaceId, served.variantId);
    const prompts = probePrompts(served, variant).slice(0, PROMPTS);
    const allCandidates = probeCandidates(served, await this.#vocabulary(workspaceId, variant));
    const candidates = allCandidates.filter(
      (_, i) => allCandidates.length <= CANDIDATES || i % Math.ceil(allCandidates.length / CANDIDATES) === 0,
    );
    const baseScores = await this.#score(workspaceId, modelFileOf(variant), prompts, candidates);
    const adapterScores = await this.#score(workspaceId, modelFileOf(variant, [served.file]), prompts, candidates);
    return {
      prompts: await this.#tokens(workspaceId, variant, prompts),
      candidates,
      off: baseScores,
      on: adapterScores,
    };
  }

  async #vocabulary(workspaceId: WorkspaceId, { variantId }: ServedVariant): Promise<number> {
    const [variant] = await this.parts.registry.variantsById(workspaceId, [variantId]);
    if (!variant) throw notFound('The model variant', variantId);
    return variant.vocabulary;
  }

  async #tokens(workspaceId: WorkspaceId, variant: ServedVariant, prompts: PromptSegment[][]): Promise<number[][]> {
    const request = { workspaceId, model: modelFileOf(variant), prompts };
    const { tokens } = await this.parts.worker.tokenize(request, { priority: 'bulk' });
    return tokens.map((ids) => Array.from(ids));
  }

  async #score(
    workspaceId: WorkspaceId,
    model: ModelFile,
    prompts: PromptSegment[][],
    candidates: number[],
  ): Promise<number[][]> {
    const rows: number[][] = [];
    for (const prompt of prompts) {
      const request = { workspaceId, model, prompt, candidates };
      rows.push((await this.parts.worker.scoreNext(request, { priority: 'bulk' })).logProbabilities);
    }
    return rows;
  }
}

/** Ids from all over a vocabulary. */
const spread = (count: number, vocabulary: number): number[] => {
  const size = Math.min(count, vocabulary);
  return Array.from({ length: size }, (_, i) => Math.floor((i * vocabulary) / size));
};
