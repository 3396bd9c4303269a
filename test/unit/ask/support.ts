import type { Evidence } from '../../../src/answer/ask/answer.js';
import { STRATEGIES, type Strategy } from '../../../src/answer/ask/strategies.js';
import type { Adaptation, Plan } from '../../../src/answer/ask/plan.js';
import { DEFAULT_WORKSPACE_ID } from '../../../src/kernel/ids.js';
import { ALL_SEEN, type Passage } from '../../../src/sources/knowledge/index.js';
import type { ServedVariant } from '../../../src/sources/registry/index.js';

/** A passage whose text starts at `start` of its document. */
export const passageOf = (text: string, rest: Partial<Passage> = {}): Passage => {
  const start = rest.start ?? 100;
  return {
    chunkId: 'chunk',
    documentId: 'document',
    documentName: 'notes.md',
    collectionId: 'collection',
    collectionName: 'handbook',
    language: 'english',
    ordinal: 0,
    text,
    headings: [],
    page: null,
    scores: { dense: 0.6, lexical: 4, fused: 1, denseRank: 1, lexicalRank: 1 },
    coverage: 1,
    ...rest,
    start,
    end: start + text.length,
  };
};

export const evidenceOf = (quote: string, rest: Partial<Evidence> = {}): Evidence => ({
  documentId: 'document',
  documentName: 'notes.md',
  chunkId: 'chunk',
  collectionName: 'handbook',
  quote,
  start: 0,
  end: quote.length,
  page: null,
  headings: [],
  scores: { dense: 0.6, lexical: 4, fused: 1, denseRank: 1, lexicalRank: 1 },
  score: 1.5,
  coverage: 0.8,
  missingNames: 0,
  similarity: 0.6,
  ...rest,
});

export const variantOf = (rest: Partial<ServedVariant> = {}): ServedVariant => ({
  variantId: 'variant',
  modelId: 'model-row',
  model: 'model',
  quantization: 'Q4_1',
  path: '/model.gguf',
  sha256: 'a'.repeat(64),
  bytes: 1,
  contextLength: 2048,
  chat: { kind: 'plain', bosToken: '' },
  architecture: 'llama',
  parameters: 135e6,
  licence: null,
  ...rest,
});

/** The plan of a strategy; one that reads may read nothing in particular. */
export const planOf = (strategy: Strategy, variant: ServedVariant, adaptation: Adaptation | null = null): Plan => {
  const { path, sha256, contextLength } = variant;
  return {
    strategy,
    variant,
    adaptation,
    labelled: null,
    material: null,
    scope: STRATEGIES[strategy].reads
      ? { workspaceId: DEFAULT_WORKSPACE_ID, collections: [], groups: null, sight: ALL_SEEN }
      : null,
    model: { path, sha256, contextLength, adapters: adaptation ? [adaptation.adapter.file] : [] },
  };
};
