import type { RunListQuery } from '../../generated/operations';
import { runLine } from '../../parts/format';
import { adapterPath } from '../adapters/paths';
import { comparisonPath } from '../compare/paths';

export type Run = RunListQuery['runs']['edges'][number]['node'];

/** What a run works on, and the page where that is looked at. */
export interface Subject {
  name: string;
  path: string;
}

const inKnowledge = (name: string): Subject => ({ name, path: `/knowledge/${encodeURIComponent(name)}` });
const inData = (name: string): Subject => ({ name, path: `/data/${encodeURIComponent(name)}` });
const inModels = (name: string): Subject => ({ name, path: '/models' });
const inAdapters = ({ version, adapter }: { version: number; adapter: { name: string } }): Subject => ({
  name: `${adapter.name}@${version}`,
  path: adapterPath(adapter.name),
});

/** Null when it isn't known yet, or was deleted. */
export function subjectOf(run: Run): Subject | null {
  switch (run.__typename) {
    case 'IngestionRun':
    case 'ReindexingRun':
      return run.collection && inKnowledge(run.collection.name);
    case 'ImportRun':
      return run.dataset && inData(run.dataset.name);
    case 'DatasetExportRun':
      return run.exported && inData(run.exported.dataset.name);
    case 'RaftDatasetRun':
      return run.raft && inData(run.raft.name);
    case 'FeatureImportRun':
      return { name: run.view.name, path: '/data' };
    case 'TrainingRun':
      return { name: run.adapterName, path: `/training/${encodeURIComponent(run.id)}` };
    case 'LearningRateSearchRun':
      return run.searched && inData(run.searched.dataset.name);
    case 'EvaluationRun':
      return run.evaluation?.adapterVersion ? inAdapters(run.evaluation.adapterVersion) : null;
    case 'AttestationRun':
    case 'ScaleChoiceRun':
    case 'HybridFitRun':
    case 'AdapterImportRun':
    case 'AdapterExportRun':
    case 'AdapterMergeRun':
      return run.version && inAdapters(run.version);
    case 'StrategyComparisonRun':
      return { name: run.compared?.dataset.name ?? 'deleted rows', path: comparisonPath(run.id) };
    case 'LabelIndexingRun':
      return run.indexed && inData(run.indexed.dataset.name);
    case 'RouterFitRun':
      return { name: 'the collections and adapters', path: '/router' };
    case 'QuantizationRun':
      return run.source && inModels(`${run.source.model.name} to ${run.quantizationType}`);
    case 'DownloadRun':
      return run.variant && inModels(`${run.variant.model.name} ${run.variant.quantization}`);
    default:
      return null;
  }
}

/** What its line says: why it failed, what it does, or nothing once it is done, when the last step means little. */
export function lineOf({ status, message, error }: Run): string {
  if (error) return error.message;
  return status === 'QUEUED' || status === 'RUNNING' || status === 'PAUSED' ? runLine({ status, message }) : '';
}
