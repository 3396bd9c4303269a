/** Models and their variants. */
export type { ModelRow, ServedVariant, VariantRow } from './model.js';
export { ModelRegistry, type Embedder, type ModelRegistryParts, type RegisterModel } from './model-registry.js';
export { ModelStore } from './model-store.js';
export {
  loadVariant,
  Model,
  ModelVariant,
  registryResolvers,
  toDownloadRun,
  toModel,
  toModelVariant,
} from './registry-graphql.js';
