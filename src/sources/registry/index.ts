/** Models, their variants and how they are quantized; adapters and their versions. */
export {
  adapterUsage,
  parseAdapterReference,
  readerCalibration,
  storedAttestation,
  adapterMetrics,
  attestation,
  learnedFrom,
  storedMetrics,
  storedUsage,
  type AdapterRow,
  type AdapterUsage,
  type AdapterVersionRow,
  type Alias,
  type AliasChangeRow,
  type Attestation,
  type LabelToken,
  type ReaderCalibration,
  type ServedAdapter,
} from './adapters/adapter.js';
export { AdapterRegistry, type Removal } from './adapters/adapter-registry.js';
export { AdapterStore } from './adapters/adapter-store.js';
export { scaledConfig } from './adapters/scaled-config.js';
export { GENERAL_TEXTS, readChatPrompts, readGeneralTexts, readReplay, readSmallTalk } from './general-text.js';
export { modelFileOf, type ModelRow, type ServedVariant } from './model.js';
export { ModelRegistry, type RegisterModel } from './model-registry.js';
export { Material, measuredWording, wordingFigures, WordingChoice, type MeasuredWording } from './wording.js';
export { ModelStore } from './model-store.js';
export { Quantizer } from './quantization/quantizer.js';
export { AUTO } from './recommending/recommender.js';
export { openRegistry, registryDomain, type Registry } from './open.js';
export { Model, toModel } from './registry-graphql.js';
export { loadVariant, ModelVariant } from './variant-graphql.js';
