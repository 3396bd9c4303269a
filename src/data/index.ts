/** Datasets, validation, features. */
export { Data, type DataParts } from './data.js';
export { dataDomain, openData, type OpenData } from './open.js';
export { EntityType } from './datasets/content-graphql.js';
export { DatasetVersion, loadVersion } from './datasets/version-graphql.js';
export { loadRow } from './datasets/load-row.js';
export { DatasetRow } from './datasets/row-graphql.js';
export type { NewImport, NewImportFile } from './datasets/dataset-service.js';
export type { StoredRow } from './datasets/version-rows.js';
export { FeatureService } from './features/feature-service.js';
export { FeatureStore } from './features/feature-store.js';
export { checkedEntity, FeatureType } from './features/feature-view.js';
export { featureValues, renderFeatures } from './features/feature-view.js';
export { Dataset, loadDataset } from './datasets/dataset-graphql.js';
export { checkedSplitRule, type DatasetRecord } from './datasets/dataset.js';
export { SplitRuleInput } from './datasets/import-graphql.js';
export { importing } from './datasets/import-run.js';
export { TextEncoding } from './importing/decode.js';
export { DataFormat } from './importing/formats.js';
export type { FileMapping } from './importing/mapping.js';
export { Split, splitRule, type SplitRule } from './importing/splits.js';
export { blend, UNFITTED, type Blend, type LabelIndexRecord } from './label-index/label-index.js';
export { labelIndexing } from './label-index/label-index-run.js';
export { LabelIndexes } from './label-index/label-indexer.js';
export { mostProbable, NEIGHBOURS, vote, type Neighbour } from './label-index/vote.js';
export { RaftMaker } from './raft/raft-maker.js';
export { preprocessText } from './preprocessing/preprocess.js';
export { PreprocessingStep } from './preprocessing/steps.js';
export {
  askedInput,
  entitySchema,
  hasLabel,
  inPieces,
  inputText,
  LabelWords,
  NO_AIDS,
  outputText,
  readAnswer,
  RENDERING_VERSION,
  renderExample,
  heldTo,
  renderPrompt,
  rightAnswer,
  rightLabel,
  shownPassages,
  TASK_KINDS,
  TaskKind,
  taskOf,
  usesLabels,
  type Entity,
  type MeasureName,
  type Piece,
  type TaskAnswer,
  type TaskContext,
  type TaskInput,
  type TaskRow,
} from './tasks/index.js';
export { auditSupervision, factsOf, type SupervisionAudit } from './training-examples/supervision-audit.js';
// How alike two texts are, by the measure that near duplicates and leaks go by.
export { jaccard, NEAR_DUPLICATE, shingles } from './validation/near-duplicates/minhash.js';
export { wordsForm } from './validation/near-duplicates/text-forms.js';
export { FileType, loadFile } from './datasets/file-graphql.js';
