/** Adapters: how they are trained, and the API to them. */
export { trainingResolvers } from './training-graphql.js';
export {
  Adapter,
  AdapterAlias,
  AdapterVersion,
  AliasChange,
  AliasMovedPayload,
  toAdapterVersion,
  toAliasMoved,
} from './adapters/adapter-types.js';
export { decider, loadAdapterVersion } from './adapters/adapter-graphql.js';
export { PRESETS, recipe, recipeFor, type Recipe, type RecipeOverrides } from './recipes/recipe.js';
export { chooseLabelTokens, type LabelToken } from './recipes/label-tokens.js';
export { AdapterImporter, type AdapterImporterParts } from './imports/adapter-importer.js';
export { adapterImportRuns } from './imports/import-graphql.js';
export { decodeLogits, encodeLogits, shippedProbe, type ShippedProbe } from './built-in/shipped-probe.js';
export {
  installReader,
  READER_TASK,
  READER_USAGE,
  type BuiltInAdapter,
  type ReaderParts,
} from './built-in/install-reader.js';
export { replayWindows, type Tokenize } from './runs/encode-examples.js';
export { trainingRuns } from './runs/training-graphql.js';
export { TrainingService } from './runs/training-service.js';
export type { TrainerParts } from './runs/trainer.js';
export { ExecutorChoice, type ChosenExecutor } from './runs/executor-choice.js';
