/** Datasets, features, and what answering needs of them: RAFT sets, label indexes. */
export { Data } from './data.js';
export { dataDomain, openData, type OpenData } from './open.js';
export { EntityType } from './datasets/content-graphql.js';
export { DatasetVersion, loadVersion } from './datasets/version-graphql.js';
export { loadDatasetRow } from './datasets/load-row.js';
export { DatasetRow } from './datasets/row-graphql.js';
export { MAX_FILES, type NewImport, type NewImportFile } from './datasets/dataset-service.js';
export type { StoredRow } from './datasets/version-rows.js';
export { FeatureService } from './features/feature-service.js';
export { checkedEntity, FeatureType } from './features/feature-view.js';
export { featureValues, renderFeatures } from './features/feature-view.js';
export { Dataset, loadDataset } from './datasets/dataset-graphql.js';
export { checkedSplitRule, type DatasetRecord } from './datasets/dataset.js';
export type { UsableVersion } from './datasets/dataset-service.js';
export { SplitRuleInput } from './datasets/import-graphql.js';
export { importing } from './datasets/import-run.js';
export { TextEncoding } from './datasets/files/decode.js';
export { DataFormat } from './datasets/files/formats.js';
export type { FileMapping } from './datasets/importing/mapping.js';
export { DEFAULT_SPLIT_RULE, Split, splitRule, type SplitRule } from './datasets/importing/splits.js';
export { blend, UNFITTED, type Blend, type LabelIndexRecord } from './answering/label-index/label-index.js';
export { labelIndexing } from './answering/label-index/label-index-run.js';
export { LabelIndexes } from './answering/label-index/label-indexer.js';
export { fitVote, mostProbable, NEIGHBOURS, vote, type Neighbour } from './answering/label-index/vote.js';
export { RaftMaker } from './answering/raft/raft-maker.js';
export { preprocessText } from './datasets/preprocessing/preprocess.js';
export { checkedSteps, PreprocessingStep } from './datasets/preprocessing/steps.js';
export {
  askedInput,
  entitySchema,
  hasLabel,
  inPieces,
  inputText,
  LabelWords,
  learnedOf,
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
  type MeasureName,
  type Piece,
  type TaskAnswer,
  type TaskContext,
  type TaskInput,
  type TaskRow,
} from './datasets/tasks/index.js';
export { auditSupervision, factsOf, type SupervisionAudit } from './datasets/supervision-audit.js';
// How alike two texts are, by the measure that near duplicates and leaks go by.
export { jaccard, NEAR_DUPLICATE, shingles } from './datasets/validation/near-duplicates/minhash.js';
export { rowHashes } from './datasets/rows/row-table.js';
export { wordsForm } from './datasets/rows/text-forms.js';
export { FileType, loadFile } from './datasets/file-graphql.js';
