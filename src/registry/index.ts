/** Models, their variants and how they are quantized; adapters and their versions. */
export {
  ALIASES,
  parseAdapterReference,
  storedAttestation,
  type AdapterRow,
  type AdapterUsage,
  type AdapterVersionRow,
  type Alias,
  type AliasChangeRow,
  type Attestation,
  type ServedAdapter,
} from './adapters/adapter.js';
export { AdapterRegistry, type Promotion } from './adapters/adapter-registry.js';
export { AdapterStore, type NewAdapter, type NewAdapterVersion } from './adapters/adapter-store.js';
export type { ModelRow, ServedVariant, VariantRow } from './model.js';
export { ModelRegistry, type Embedder, type ModelRegistryParts, type RegisterModel } from './model-registry.js';
export { ModelStore } from './model-store.js';
export { quantizationRuns } from './quantization/quantization-graphql.js';
export { Quantizer, type QuantizerParts } from './quantization/quantizer.js';
export { downloadRuns, Model, registryResolvers, toModel } from './registry-graphql.js';
export { loadVariant, ModelVariant, toModelVariant } from './variant-graphql.js';
