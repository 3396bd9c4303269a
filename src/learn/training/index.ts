/** Adapters: how they are trained, and the API to them. */
export { openTraining, trainingDomain, type Training } from './open.js';
export {
  AdapterAlias,
  AdapterVersion,
  AliasChange,
  AliasMovedPayload,
  toAliasMoved,
} from './adapters/adapter-types.js';
export { aliasMove, loadAdapter, loadAdapterVersion, toVersion } from './adapters/adapter-graphql.js';
export { presetOf, recipeOverrides, storedRecipe, type RecipeOverrides } from './recipes/recipe.js';
export { training } from './runs/training-run.js';
export { Adapter, toAdapter } from './adapters/adapter-types.js';
export { chooseLabelTokens } from './recipes/label-tokens.js';
export { AdapterDeleter } from './deletion/adapter-deleter.js';
export { AdapterImporter } from './imports/adapter-importer.js';
export { AdapterExporter } from './exports/adapter-exporter.js';
export { AdapterMerger } from './exports/adapter-merger.js';
export { probeCandidates, probePrompts } from './adapters/probes.js';
export { decodeLogits, encodeLogits, shippedProbe, type ShippedProbe } from './built-in/shipped-probe.js';
export { installReader, READER_TASK, READER_USAGE, type BuiltInAdapter } from './built-in/install-reader.js';
export { replayWindows, type Tokenize } from './runs/encode-examples.js';
export { RecipeInput, trainingRuns } from './runs/training-graphql.js';
export { TrainingService } from './runs/training-service.js';
export { chosenExecutor, ExecutorChoice, type ChosenExecutor } from './runs/executor-choice.js';
